package tokenizer

import (
	"math"
	"unicode/utf8"
)

// unigram cuts a text into the pieces with the highest sum of scores, found by Viterbi's algorithm (Kudo 2018,
// https://arxiv.org/abs/1804.10959), in the order of tokenizers/src/models/unigram/model.rs, encode_optimized, so that
// ties come out the same. A run of unknown runes is one unknown token, or the tokens of its bytes.
type unigram struct {
	pieces   *trie
	scores   []float64
	unk      int32
	unkScore float64
	fallback *[256]int32 // byte_fallback, if all bytes have a token; as in BPE
}

// unkPenalty is what an unknown rune scores below the worst piece.
const unkPenalty = 10

// pathNode is the best way to the place in the text at which it stands.
type pathNode struct {
	score float64
	id    int32
	from  int32 // where its last piece begins; -1: not reached
}

func (m *unigram) encode(sc *scratch, s string) []sym {
	path := append(sc.path[:0], pathNode{from: -1})
	for range len(s) {
		path = append(path, pathNode{from: -1})
	}
	sc.path = path
	for i := 0; i < len(s); {
		w := 1
		if s[i] >= utf8.RuneSelf {
			_, w = utf8.DecodeRuneInString(s[i:])
		}
		here := path[i].score
		single := false
		node := int32(0)
		for j := i; j < len(s); {
			node = m.pieces.child(node, s[j])
			if node == 0 {
				break
			}
			j++
			if id := m.pieces.values[node]; id >= 0 {
				if to, score := &path[j], m.scores[id]+here; to.from < 0 || score > to.score {
					*to = pathNode{score, id, int32(i)}
				}
				single = single || j == i+w
			}
		}
		if !single {
			if to, score := &path[i+w], m.unkScore+here; to.from < 0 || score > to.score {
				*to = pathNode{score, m.unk, int32(i)}
			}
		}
		i += w
	}
	return m.walkBack(sc, s)
}

// walkBack gives the tokens of the best path.
func (m *unigram) walkBack(sc *scratch, s string) []sym {
	// From the end of the text to its beginning: a symbol for each piece, of which runs of unknown ones are one.
	syms := sc.syms[:0]
	for end := int32(len(s)); end > 0; end = sc.path[end].from {
		id := sc.path[end].id
		if id != m.unk || len(syms) == 0 || syms[len(syms)-1].id != m.unk {
			syms = append(syms, sym{id: id, end: end})
		}
	}
	pieces := len(syms)
	start := int32(0)
	for i := pieces - 1; i >= 0; i-- {
		p := syms[i]
		if p.id != m.unk {
			syms = append(syms, p)
		} else {
			syms = m.unknown(syms, s[start:p.end], p.end)
		}
		start = p.end
	}
	n := copy(syms, syms[pieces:])
	sc.syms = syms[:n]
	return sc.syms
}

// unknown appends the tokens of an unknown text that ends at end. All of its byte tokens have its range.
func (m *unigram) unknown(dst []sym, s string, end int32) []sym {
	if id := m.pieces.find(s); id >= 0 { // only together are the unknown runes a token
		return append(dst, sym{id: id, end: end})
	}
	if m.fallback != nil {
		n := len(dst)
		for i := range len(s) {
			if m.fallback[s[i]] < 0 {
				return append(dst[:n], sym{id: m.unk, end: end})
			}
			dst = append(dst, sym{id: m.fallback[s[i]], end: end})
		}
		return dst
	}
	return append(dst, sym{id: m.unk, end: end})
}

// unigram builds a Unigram model.
func (b *builder) unigram() {
	if b.m.UnkID == nil {
		b.fail("tokenizer.json: model: Unigram without unk_id cannot encode every text; set unk_id to the id of " +
			"the unknown token")
		return
	}
	if *b.m.UnkID < 0 || *b.m.UnkID >= len(b.t.tokens) {
		b.fail("tokenizer.json: model: unk_id %d is outside the vocabulary of %d", *b.m.UnkID, len(b.t.tokens))
	}
	m := &unigram{pieces: newTrie(), unk: int32(*b.m.UnkID), unkScore: math.Inf(1)}
	b.t.model = m
	b.check(b.m.EachPiece(func(text string, score float64) error {
		if text != "" {
			m.pieces.add(text, int32(len(m.scores)))
		}
		m.scores = append(m.scores, score)
		m.unkScore = min(m.unkScore, score)
		return nil
	}))
	m.unkScore -= unkPenalty
	if b.m.ByteFallback {
		m.fallback = b.byteTokens()
	}
}
