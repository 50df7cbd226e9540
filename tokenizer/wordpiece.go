package tokenizer

import (
	"unicode/utf8"
)

// wordPiece cuts a word greedily into the longest tokens, all but the first written with a prefix; a word that cannot
// be cut is one unknown token (Devlin et al. 2018, https://arxiv.org/abs/1810.04805; google-research/bert,
// tokenization.py).
type wordPiece struct {
	tokens *trie
	rest   int32 // the node after the prefix; -1: no token continues a word
	unk    int32
	most   int // runes of a word; longer ones are unknown
}

func (m *wordPiece) encode(sc *scratch, s string) []sym {
	sc.syms = sc.syms[:0]
	unknown := len(s) > m.most && utf8.RuneCountInString(s) > m.most
	node := int32(0)
	for i := 0; i < len(s) && !unknown; node = m.rest {
		id, end := int32(-1), 0
		for j := i; j < len(s) && node >= 0; {
			node = m.tokens.child(node, s[j])
			if node == 0 {
				break
			}
			j++
			if v := m.tokens.values[node]; v >= 0 {
				id, end = v, j
			}
		}
		unknown = id < 0
		if unknown {
			break
		}
		sc.syms = append(sc.syms, sym{id: id, end: int32(end)})
		i = end
	}
	if unknown {
		sc.syms = append(sc.syms[:0], sym{id: m.unk, end: int32(len(s))})
	}
	return sc.syms
}

// wordPiece builds a WordPiece model.
func (b *builder) wordPiece() {
	m := &wordPiece{tokens: newTrie(), unk: b.unkToken("[UNK]"), most: 100}
	if b.m.MaxChars != nil {
		m.most = *b.m.MaxChars
	}
	for id, s := range b.t.tokens {
		if s != "" {
			m.tokens.add(s, int32(id))
		}
	}
	prefix := "##"
	if b.m.Prefix != nil {
		prefix = *b.m.Prefix
	}
	m.rest = m.tokens.walk(0, prefix)
	if m.rest == 0 && prefix != "" {
		m.rest = -1
	}
	b.t.model = m
}

// wordLevel has a token for each known word and one for all others.
type wordLevel struct {
	words map[string]int32
	unk   int32
}

func (m *wordLevel) encode(sc *scratch, s string) []sym {
	id, ok := m.words[s]
	if !ok {
		id = m.unk
	}
	sc.syms = append(sc.syms[:0], sym{id: id, end: int32(len(s))})
	return sc.syms
}

// wordLevel builds a WordLevel model.
func (b *builder) wordLevel() {
	m := &wordLevel{make(map[string]int32, len(b.t.tokens)), b.unkToken("<unk>")}
	for id, s := range b.t.tokens {
		if b.used[id] {
			m.words[s] = int32(id)
		}
	}
	b.t.model = m
}
