package tokenizer

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// model builds the model. bytesLast is what preTokenizers says.
func (b *builder) model(bytesLast bool) {
	switch b.m.Type {
	case "WordPiece":
		b.wordPiece()
	case "WordLevel":
		b.wordLevel()
	case "Unigram":
		b.unigram()
	default:
		b.bpe(bytesLast)
	}
}

// unkToken gives the id of the unk_token, or fallback where the file does not name one.
func (b *builder) unkToken(fallback string) int32 {
	text := fallback
	if b.m.UnkToken != nil {
		text = *b.m.UnkToken
	}
	id := b.id(text)
	if id < 0 && text != "" {
		b.fail("tokenizer.json: model: unk_token %q is not in the vocabulary", text)
	}
	return id
}

// bpe builds the byte pair encoding.
func (b *builder) bpe(bytesLast bool) {
	m := &bpe{unk: -1, fuseUnk: b.m.FuseUnk, ignoreMerges: b.m.IgnoreMerges}
	b.t.model = m
	if b.m.UnkToken != nil {
		m.unk = b.unkToken("")
	}
	merged := b.merges(m)
	prefix, suffix := text(b.m.Prefix), text(b.m.Suffix)
	m.affixed = prefix+suffix != ""
	if b.m.ByteFallback {
		if m.affixed {
			b.fail("tokenizer.json: model: byte_fallback together with continuing_subword_prefix or " +
				"end_of_word_suffix is not supported")
		}
		m.fallback = b.byteTokens()
	}
	if bytesLast && m.fallback == nil {
		pre := b.t.preTokenizers
		b.t.preTokenizers = pre[:len(pre)-1]
		m.byteLevel = true
	}
	b.symbols(m, prefix, suffix)
	const mark = "▁"
	known := m.unk >= 0 || m.fallback != nil && !slices.Contains(m.fallback[:], -1)
	if !m.byteLevel && !m.affixed && known && !m.ignoreMerges && b.id(mark) >= 0 && cutBefore(b.t.tokens, merged, mark) {
		b.t.mark = mark
	}
	if m.ignoreMerges {
		m.words = make(map[string]int32, len(b.t.tokens))
		for id, text := range b.t.tokens {
			if m.byteLevel {
				raw, ok := b.alphabet.decode(nil, text)
				if !ok {
					continue
				}
				text = string(raw)
			}
			m.words[text] = int32(id)
		}
	}
}

// symbols fills the tables of symbols: tokens of one byte or rune, with the prefix that a symbol has unless it is the
// first of a word, and the suffix of the last.
func (b *builder) symbols(m *bpe, prefix, suffix string) {
	for place := range m.symbol {
		if place > 0 && !m.affixed {
			m.symbol[place] = m.symbol[0]
			continue
		}
		before, after := "", ""
		if place&1 != 0 {
			before = prefix
		}
		if place&2 != 0 {
			after = suffix
		}
		table := &m.symbol[place]
		if m.byteLevel {
			table.bytes = new([256]int32)
			for i, r := range b.alphabet.runes {
				table.bytes[i] = b.id(before + string(r) + after)
			}
			continue
		}
		table.runes = new(runeTable)
		for id, text := range b.t.tokens {
			if len(text) > len(before)+len(after) && text[:len(before)] == before && text[len(text)-len(after):] == after {
				text = text[len(before) : len(text)-len(after)]
				if r, n := utf8.DecodeRuneInString(text); n == len(text) {
					table.runes.set(r, int32(id))
				}
			}
		}
	}
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// id gives the id of a token of the model's own vocabulary, or -1. It holds until the added tokens are entered.
func (b *builder) id(text string) int32 {
	if id, ok := b.t.vocab[text]; ok {
		return id
	}
	return -1
}

// byteTokens gives the ids of the tokens <0x00> to <0xFF>, -1 where one is absent.
func (b *builder) byteTokens() *[256]int32 {
	ids := new([256]int32)
	for i := range ids {
		ids[i] = b.id(fmt.Sprintf("<0x%02X>", i))
	}
	return ids
}

// merges fills the table of merges and gives the tokens that they make.
func (b *builder) merges(m *bpe) []int32 {
	n := 0
	b.check(b.m.EachMerge(func(string, string) error { n++; return nil }))
	m.merges = newPairTable(n)
	merged := make([]int32, 0, n)
	var joined []byte
	prefix := text(b.m.Prefix)
	next := int32(-1) // the token that the last merge made
	b.check(b.m.EachMerge(func(a, c string) error {
		rank := len(merged)
		if !strings.HasPrefix(c, prefix) {
			return mistake("tokenizer.json: merge %d (%q, %q): the second token does not begin with "+
				"continuing_subword_prefix %q", rank, a, c, prefix)
		}
		rest := c[len(prefix):]
		left, right := b.id(a), b.id(c)
		// Trained vocabularies have the tokens in the order of their merges, which saves a look-up.
		next++
		into, ok := next, int(next) < len(b.t.tokens) && isJoin(b.t.tokens[next], a, rest)
		if !ok {
			joined = append(append(joined[:0], a...), rest...)
			into, ok = b.t.vocab[string(joined)]
		}
		if left < 0 || right < 0 || !ok {
			missing := a + rest
			if left < 0 {
				missing = a
			} else if right < 0 {
				missing = c
			}
			return mistake("tokenizer.json: merge %d (%q, %q) needs the token %q, which is not in the vocabulary",
				rank, a, c, missing)
		}
		m.merges.set(left, right, uint32(rank), into)
		merged = append(merged, into)
		next = into
		return nil
	}))
	return merged
}

// isJoin reports whether s is a followed by b.
func isJoin(s, a, b string) bool {
	return len(s) == len(a)+len(b) && s[:len(a)] == a && s[len(a):] == b
}
