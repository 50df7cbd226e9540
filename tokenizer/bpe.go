package tokenizer

import (
	"math"
	"strings"
	"unicode/utf8"
)

// bpe is a byte pair encoding model (Sennrich et al. 2016, https://arxiv.org/abs/1508.07909): the symbols of a word,
// bytes or runes, are joined pair by pair, always the pair of the lowest rank, leftmost first.
type bpe struct {
	merges       pairTable
	symbol       [4]symbolTable   // by place in the word: 1 not the first symbol, 2 the last
	byteLevel    bool             // symbols are bytes, else runes
	affixed      bool             // the tables differ
	fallback     *[256]int32      // byte_fallback: tokens <0x00> to <0xFF>, -1 where one is absent
	unk          int32            // -1: none, unknown symbols vanish
	fuseUnk      bool             // a run of unknown symbols is one token
	ignoreMerges bool             // a word that is a token stays whole
	words        map[string]int32 // for ignoreMerges: bytes to token
}

// model cuts words into tokens. What it gives is valid until the scratch is used again.
type model interface {
	encode(sc *scratch, s string) []sym
}

// symbolTable gives the token of a symbol: of a byte, or of a rune, or -1.
type symbolTable struct {
	bytes *[256]int32
	runes *runeTable
}

// sym is a symbol of a word: its token and the byte after it, and the merge with the symbol to its right.
type sym struct {
	id, end int32
	rank    uint32 // noRank when they do not merge
	into    int32
}

const noRank = math.MaxUint32

// runeTable maps runes to tokens, in pages.
type runeTable [utf8.MaxRune>>8 + 1]*[256]int32

func (t *runeTable) set(r rune, id int32) {
	page := t[r>>8]
	if page == nil {
		page = new([256]int32)
		for i := range page {
			page[i] = -1
		}
		t[r>>8] = page
	}
	page[r&255] = id
}

func (t *runeTable) get(r rune) int32 {
	if page := t[r>>8]; page != nil {
		return page[r&255]
	}
	return -1
}

// pairTable maps a pair of tokens to the rank of their merge and the token it gives: open addressing, at most half
// full.
type pairTable struct {
	slots []pairSlot
	mask  uint32
	n     int
}

type pairSlot struct {
	a, b int32
	rank uint32
	into int32
}

func newPairTable(n int) pairTable {
	size := 16
	for size < 2*n {
		size *= 2
	}
	t := pairTable{slots: make([]pairSlot, size), mask: uint32(size - 1)}
	for i := range t.slots {
		t.slots[i].rank = noRank
	}
	return t
}

func pairHash(a, b int32) uint32 {
	h := (uint64(uint32(a))<<32 | uint64(uint32(b))) * 0x9E3779B97F4A7C15
	return uint32(h >> 32)
}

// set enters a merge; a later one of the same pair takes its place.
func (t *pairTable) set(a, b int32, rank uint32, into int32) {
	for i := pairHash(a, b) & t.mask; ; i = (i + 1) & t.mask {
		s := &t.slots[i]
		if s.rank == noRank {
			t.n++
		} else if s.a != a || s.b != b {
			continue
		}
		*s = pairSlot{a, b, rank, into}
		return
	}
}

// get gives the merge of a and b; rank noRank if there is none.
func (t *pairTable) get(a, b int32) (rank uint32, into int32) {
	for i := pairHash(a, b) & t.mask; ; i = (i + 1) & t.mask {
		s := &t.slots[i]
		if s.rank == noRank || s.a == a && s.b == b {
			return s.rank, s.into
		}
	}
}

// symbols appends the symbols of a word before any merge. A symbol that has neither a token nor a replacement vanishes,
// and the ranges of the symbols after it in the word move up, as in the Rust library; for bytes that is counted in the
// byte alphabet, which alpha reports.
func (m *bpe) symbols(dst []sym, s string) (_ []sym, alpha bool) {
	var b symbolizer
	b.dst = dst
	if m.byteLevel && !m.affixed {
		bytes := m.symbol[0].bytes
		for i := range len(s) {
			id := bytes[s[i]]
			if id < 0 && m.unk < 0 {
				b.dst = b.dst[:len(dst)]
				return m.alphabetSymbols(b.dst, s), true
			}
			m.add(&b, id, 1)
		}
		b.flush(m.unk)
		return b.dst, false
	}
	if m.byteLevel {
		return m.alphabetSymbols(dst, s), true
	}
	for i := 0; i < len(s); {
		r, w := rune(s[i]), 1
		if r >= utf8.RuneSelf {
			r, w = utf8.DecodeRuneInString(s[i:])
		}
		id := m.symbol[m.place(i, i+w == len(s))].runes.get(r)
		if id < 0 && m.fallsBack(s[i:i+w]) {
			for k := i; k < i+w; k++ { // an unknown symbol before comes after, as in the Rust library
				b.end++
				b.dst = append(b.dst, sym{id: m.fallback[s[k]], end: b.end})
			}
		} else {
			m.add(&b, id, int32(w))
		}
		i += w
	}
	b.flush(m.unk)
	return b.dst, false
}

// alphabetSymbols is symbols for bytes, with the ends in the byte alphabet.
func (m *bpe) alphabetSymbols(dst []sym, s string) []sym {
	b := symbolizer{dst: dst}
	for i := range len(s) {
		w := int32(1)
		if s[i] < '!' || s[i] > '~' {
			w = 2
		}
		m.add(&b, m.symbol[m.place(i, i+1 == len(s))].bytes[s[i]], w)
	}
	b.flush(m.unk)
	return b.dst
}

// place gives the table for a symbol at byte i of a word.
func (m *bpe) place(i int, last bool) int {
	n := 0
	if i > 0 {
		n = 1
	}
	if last {
		n |= 2
	}
	return n
}

// symbolizer collects symbols. Unknown ones are held back until a known one follows.
type symbolizer struct {
	dst  []sym
	end  int32
	held int32 // bytes of the unknown symbol
}

// add appends the token id, w bytes wide; -1 is an unknown symbol.
func (m *bpe) add(b *symbolizer, id, w int32) {
	switch {
	case id >= 0:
		b.flush(m.unk)
		b.end += w
		b.dst = append(b.dst, sym{id: id, end: b.end})
	case m.unk >= 0:
		if !m.fuseUnk {
			b.flush(m.unk)
		}
		b.held += w
	}
}

func (b *symbolizer) flush(unk int32) {
	if b.held > 0 {
		b.end += b.held
		b.dst = append(b.dst, sym{id: unk, end: b.end})
		b.held = 0
	}
}

// fallsBack reports whether all bytes of s have byte tokens.
func (m *bpe) fallsBack(s string) bool {
	if m.fallback == nil {
		return false
	}
	for i := range len(s) {
		if m.fallback[s[i]] < 0 {
			return false
		}
	}
	return true
}

// shortWord is the length up to which scanning all pairs beats a heap.
const shortWord = 48

// encode gives the tokens of a word in the scratch's symbols.
func (m *bpe) encode(sc *scratch, s string) []sym {
	if m.ignoreMerges {
		if id, ok := m.words[s]; ok {
			sc.syms = append(sc.syms[:0], sym{id: id, end: int32(len(s))})
			return sc.syms
		}
	}
	sc.syms, sc.alpha = m.symbols(sc.syms[:0], s)
	if m.merges.n == 0 || len(sc.syms) < 2 {
		return sc.syms
	}
	if len(sc.syms) <= shortWord {
		sc.syms = m.mergeShort(sc.syms)
	} else {
		sc.syms = m.mergeLong(sc, sc.syms)
	}
	return sc.syms
}

// mergeShort merges by looking for the lowest rank each time.
func (m *bpe) mergeShort(w []sym) []sym {
	for i := range len(w) - 1 {
		w[i].rank, w[i].into = m.merges.get(w[i].id, w[i+1].id)
	}
	w[len(w)-1].rank = noRank
	for {
		at, low := -1, uint32(noRank)
		for i := range w {
			if w[i].rank < low {
				at, low = i, w[i].rank
			}
		}
		if at < 0 {
			return w
		}
		w[at].id, w[at].end = w[at].into, w[at+1].end
		copy(w[at+1:], w[at+2:])
		w = w[:len(w)-1]
		w[at].rank = noRank
		if at+1 < len(w) {
			w[at].rank, w[at].into = m.merges.get(w[at].id, w[at+1].id)
		}
		if at > 0 {
			w[at-1].rank, w[at-1].into = m.merges.get(w[at-1].id, w[at].id)
		}
	}
}

// mergeLong merges with a heap of candidates, each rank<<32 | place: what is stale is found by its rank.
func (m *bpe) mergeLong(sc *scratch, w []sym) []sym {
	links, heap := sc.links[:0], sc.heap[:0]
	for i := range w {
		links = append(links, link{int32(i - 1), int32(i + 1)})
		w[i].rank = noRank
		if i+1 < len(w) {
			w[i].rank, w[i].into = m.merges.get(w[i].id, w[i+1].id)
			if w[i].rank != noRank {
				heap = append(heap, uint64(w[i].rank)<<32|uint64(i))
			}
		}
	}
	links[len(w)-1].next = -1
	for i := len(heap)/2 - 1; i >= 0; i-- {
		siftDown(heap, i)
	}
	for len(heap) > 0 {
		top := heap[0]
		heap[0] = heap[len(heap)-1]
		heap = heap[:len(heap)-1]
		siftDown(heap, 0)
		i, rank := int32(uint32(top)), uint32(top>>32)
		if w[i].rank != rank {
			continue
		}
		next := links[i].next
		w[i].id, w[i].end = w[i].into, w[next].end
		w[i].rank, w[next].rank, w[next].id = noRank, noRank, -1
		links[i].next = links[next].next
		if after := links[i].next; after >= 0 {
			links[after].prev = i
			heap = m.offer(heap, w, i, after)
		}
		if before := links[i].prev; before >= 0 {
			heap = m.offer(heap, w, before, i)
		}
	}
	sc.links, sc.heap = links, heap
	out := w[:0]
	for _, s := range w {
		if s.id >= 0 {
			out = append(out, s)
		}
	}
	return out
}

// offer looks up the merge of symbols i and j, now neighbours, and puts it into the heap.
func (m *bpe) offer(heap []uint64, w []sym, i, j int32) []uint64 {
	w[i].rank, w[i].into = m.merges.get(w[i].id, w[j].id)
	if w[i].rank == noRank {
		return heap
	}
	heap = append(heap, uint64(w[i].rank)<<32|uint64(i))
	for k := len(heap) - 1; k > 0; {
		up := (k - 1) / 2
		if heap[up] <= heap[k] {
			break
		}
		heap[up], heap[k] = heap[k], heap[up]
		k = up
	}
	return heap
}

func siftDown(h []uint64, i int) {
	for {
		k := 2*i + 1
		if k >= len(h) {
			return
		}
		if k+1 < len(h) && h[k+1] < h[k] {
			k++
		}
		if h[i] <= h[k] {
			return
		}
		h[i], h[k] = h[k], h[i]
		i = k
	}
}

// cutBefore reports whether a text may be cut before each mark that does not follow another mark, so that its parts can
// be merged apart: true when no token that a merge makes has the mark inside, after something else.
func cutBefore(tokens []string, merged []int32, mark string) bool {
	for _, id := range merged {
		if rest := strings.TrimLeft(tokens[id], mark); strings.Contains(rest, mark) {
			return false
		}
	}
	return true
}
