package tokenizer

import (
	"hash/maphash"
	"strings"
	"unicode"
	"unicode/utf8"

	"instruct/tokenizer/pattern"
)

// Token is one token of a text: its id and the byte range of the original text that it stands for. Where a normalizer
// changes the text the range is that of the runes which the token's text was made from, so ranges may have gaps or
// share a rune. Where the file's post-processor has trim_offsets, white space at the ends is not in the range.
type Token struct {
	ID         int32
	Start, End int
}

// scratch is the memory of one encoding at work. It is reused, and with it the cache of words.
type scratch struct {
	dst    []Token
	tokens []Token   // of Encode
	first  int       // where the tokens of the text begin in dst
	text   string    // the text
	trim   bool      // white space is trimmed from ranges
	fixed  buffer    // the text, when it was not UTF-8
	norm   [2]buffer // normalizers write here in turn
	pre    []buffer  // one for each pre-tokenizer
	cuts   []cut
	syms   []sym
	alpha  bool       // the ends of syms count bytes of the byte alphabet
	path   []pathNode // Viterbi's, of Unigram
	links  []link
	heap   []uint64
	cache  []cacheSlot

	chunks []chunkSlot
}

type link struct{ prev, next int32 }

// cacheSlot keeps the tokens of a short word.
type cacheSlot struct {
	n, tokens uint8 // lengths; n 0: empty
	key       [maxCached]byte
	ends      [maxTokens]uint8
	ids       [maxTokens]int32
}

const (
	cacheSlots = 1 << 13
	maxCached  = 20 // bytes of a word
	maxTokens  = 6
)

// Append appends the tokens of text to dst. With addSpecial come the special tokens that the post-processor puts around
// a text (BOS and the like); those in front have the empty range at 0, those behind the empty range at the end.
// Special tokens that stand written out in the text are recognised in any case. Invalid UTF-8 counts as one U+FFFD for
// each maximal subpart. Append may be called by several goroutines at once.
func (t *Tokenizer) Append(dst []Token, text string, addSpecial bool) []Token {
	return t.append(dst, text, addSpecial, t.trim.on)
}

// AppendUntrimmed is Append whose ranges keep the white space at their ends, whatever trim_offsets says: then ranges
// leave no gaps, which masks by range need.
func (t *Tokenizer) AppendUntrimmed(dst []Token, text string, addSpecial bool) []Token {
	return t.append(dst, text, addSpecial, false)
}

func (t *Tokenizer) append(dst []Token, text string, addSpecial, trim bool) []Token {
	sc := t.scratch.Get().(*scratch)
	dst = t.appendTokens(sc, dst, text, addSpecial, trim)
	t.scratch.Put(sc)
	return dst
}

func (t *Tokenizer) appendTokens(sc *scratch, dst []Token, text string, addSpecial, trim bool) []Token {
	sc.dst, sc.text, sc.trim = dst, text, trim
	p := piece{s: text}
	if !utf8.ValidString(text) {
		p = sc.fixed.repair(text)
	}
	if addSpecial {
		for _, id := range t.before {
			sc.dst = append(sc.dst, Token{ID: id})
		}
	}
	sc.first = len(sc.dst)
	t.extract(sc, p, false)
	if trim {
		for i := sc.first; i < len(sc.dst); i++ {
			token := &sc.dst[i]
			if lead, trail := t.trim.lead[token.ID], t.trim.trail[token.ID]; lead+trail > 0 && t.addedByID[token.ID] == nil {
				t.trim.trim(text, token, i == sc.first, lead, trail)
			}
		}
	}
	if addSpecial {
		for _, id := range t.after {
			sc.dst = append(sc.dst, Token{id, len(text), len(text)})
		}
	}
	dst, sc.dst, sc.text = sc.dst, nil, ""
	return dst
}

// Encode gives the ids of text; see Append.
func (t *Tokenizer) Encode(text string, addSpecial bool) []int32 {
	sc := t.scratch.Get().(*scratch)
	tokens := t.appendTokens(sc, sc.tokens[:0], text, addSpecial, false)
	ids := make([]int32, len(tokens))
	for i, token := range tokens {
		ids[i] = token.ID
	}
	sc.tokens = tokens
	t.scratch.Put(sc)
	return ids
}

// extract cuts the added tokens out of p, those matched in the raw text or those matched in the normalised one, and
// passes on what lies between.
func (t *Tokenizer) extract(sc *scratch, p piece, normalized bool) {
	m := t.rawAdded
	if normalized {
		m = t.normAdded
	}
	done := 0
	if m != nil {
		for at := 0; ; {
			token, i, j := m.next(p.s, at)
			if token == nil {
				break
			}
			at = j
			if token.SingleWord && (t.wordBefore(p.s[:i]) || t.wordAfter(p.s[j:])) {
				continue
			}
			if token.LStrip {
				i = max(len(strings.TrimRightFunc(p.s[:i], unicode.IsSpace)), done)
			}
			if token.RStrip {
				j = len(p.s) - len(strings.TrimLeftFunc(p.s[j:], unicode.IsSpace))
			}
			if done < i {
				t.between(sc, p.slice(done, i), normalized)
			}
			start, end := p.origin(i, j)
			sc.dst = append(sc.dst, Token{token.ID, start, end})
			if sc.trim { // what was matched may have white space that the token has not
				lead, trail := spacesAround(p.s[i:j])
				last := len(sc.dst) - 1
				t.trim.trim(sc.text, &sc.dst[last], last == sc.first, lead, trail)
			}
			done = j
		}
	}
	if done < len(p.s) {
		t.between(sc, p.slice(done, len(p.s)), normalized)
	}
}

func (t *Tokenizer) between(sc *scratch, p piece, normalized bool) {
	if normalized {
		t.preTokenize(sc, 0, p, func(word piece) { t.encodePiece(sc, word) })
		return
	}
	if t.chunks != nil && p.align == nil {
		t.encodeChunks(sc, p)
		return
	}
	t.encodePart(sc, p, t.normalizers)
}

// encodePart normalises a part of a text and encodes it.
func (t *Tokenizer) encodePart(sc *scratch, p piece, normalizers []normalizer) {
	p = t.normalize(sc, p, normalizers)
	if p.s != "" {
		t.extract(sc, p, true)
	}
}

func (t *Tokenizer) wordBefore(s string) bool {
	r, n := utf8.DecodeLastRuneInString(s)
	return n > 0 && t.classes.Of(r)&pattern.Word != 0
}

func (t *Tokenizer) wordAfter(s string) bool {
	r, n := utf8.DecodeRuneInString(s)
	return n > 0 && t.classes.Of(r)&pattern.Word != 0
}

// normalize applies normalizers.
func (t *Tokenizer) normalize(sc *scratch, p piece, normalizers []normalizer) piece {
	turn := 0
	for _, n := range normalizers {
		q := n.apply(p, &sc.norm[turn])
		if len(q.align) > 0 && len(sc.norm[turn].align) > 0 && &q.align[0] == &sc.norm[turn].align[0] {
			turn = 1 - turn
		}
		p = q
	}
	return p
}

// preTokenize splits p by the pre-tokenizers from step on and gives the words.
func (t *Tokenizer) preTokenize(sc *scratch, step int, p piece, word func(piece)) {
	if step == len(t.preTokenizers) {
		word(p)
		return
	}
	mark := len(sc.cuts)
	p, sc.cuts = t.preTokenizers[step].split(p, &sc.pre[step], sc.cuts)
	end := len(sc.cuts)
	for i := mark; i < end; i++ {
		if c := sc.cuts[i]; c.a < c.b {
			t.preTokenize(sc, step+1, p.slice(c.a, c.b), word)
		}
	}
	sc.cuts = sc.cuts[:mark]
}

// encodePiece encodes what the pre-tokenizers left as one word. Where the model allows it, that word is encoded in
// parts, each of which the cache may know.
func (t *Tokenizer) encodePiece(sc *scratch, p piece) {
	mark := t.mark
	if mark == "" {
		t.encodeWord(sc, p)
		return
	}
	for p.s != "" {
		i := 0
		for strings.HasPrefix(p.s[i:], mark) {
			i += len(mark)
		}
		j := strings.Index(p.s[i:], mark)
		if j < 0 {
			break
		}
		t.encodeWord(sc, p.slice(0, i+j))
		p = p.slice(i+j, len(p.s))
	}
	if p.s != "" {
		t.encodeWord(sc, p)
	}
}

func (t *Tokenizer) encodeWord(sc *scratch, p piece) {
	if len(p.s) > maxCached {
		t.emit(sc, p, t.model.encode(sc, p.s))
		return
	}
	slot := &sc.cache[maphash.String(t.seed, p.s)%cacheSlots]
	if int(slot.n) != len(p.s) || string(slot.key[:slot.n]) != p.s {
		word := t.model.encode(sc, p.s)
		if sc.alpha || !slot.fill(p.s, word) {
			t.emit(sc, p, word)
			return
		}
	}
	a, b := 0, 0
	for i := range slot.tokens {
		if end := int(slot.ends[i]); end != b {
			a, b = b, end
		}
		start, end := p.origin(a, b)
		sc.dst = append(sc.dst, Token{slot.ids[i], start, end})
	}
}

// emit appends the tokens of a word. Each begins where the one before it ends; one that also ends there has the same
// range.
func (t *Tokenizer) emit(sc *scratch, p piece, word []sym) {
	a, b := 0, 0
	for _, s := range word {
		if end := int(s.end); end != b {
			a, b = b, end
		}
		from, to := a, b
		if sc.alpha {
			from, to = fromAlphabet(p.s, a, b)
		}
		start, end := p.origin(from, to)
		sc.dst = append(sc.dst, Token{s.id, start, end})
	}
	sc.alpha = false
}

// fromAlphabet gives the bytes of s that bytes a to b of s written in the byte alphabet stand for.
func fromAlphabet(s string, a, b int) (from, to int) {
	at := 0
	for i := range len(s) {
		if at <= a {
			from = i
		}
		if at < b {
			to = i + 1
		}
		at++
		if s[i] < '!' || s[i] > '~' {
			at++
		}
	}
	return from, to
}

// fill puts a word into the slot, unless it has too many tokens.
func (c *cacheSlot) fill(s string, word []sym) bool {
	if len(word) > maxTokens {
		return false
	}
	c.n, c.tokens = uint8(len(s)), uint8(len(word))
	copy(c.key[:], s)
	for i, w := range word {
		c.ids[i], c.ends[i] = w.id, uint8(w.end)
	}
	return true
}
