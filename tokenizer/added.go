package tokenizer

import (
	"strings"

	"instruct/tokenizer/file"
)

// matcher finds added tokens in a text: at the leftmost place where one stands, the longest.
type matcher struct {
	texts  *trie // with places in tokens
	tokens []*file.AddedToken
	only   byte // the byte that all tokens begin with, if single
	one    bool
	first  [256]int32 // the node after the first byte; 0: none
}

// newMatcher makes a matcher for the tokens, each found by its text in texts. It is nil when there is nothing to find.
func newMatcher(tokens []*file.AddedToken, texts []string) *matcher {
	m := &matcher{texts: newTrie(), tokens: tokens}
	firsts := 0
	for i, text := range texts {
		if text == "" || m.texts.find(text) >= 0 {
			continue
		}
		m.texts.add(text, int32(i))
		if m.first[text[0]] == 0 {
			m.first[text[0]] = m.texts.child(0, text[0])
			m.only = text[0]
			firsts++
		}
	}
	if firsts == 0 {
		return nil
	}
	m.one = firsts == 1
	return m
}

// next finds the first token in s from byte i on, or nil.
func (m *matcher) next(s string, i int) (token *file.AddedToken, start, end int) {
	for ; i < len(s); i++ {
		if m.one {
			k := strings.IndexByte(s[i:], m.only)
			if k < 0 {
				return nil, 0, 0
			}
			i += k
		}
		at := m.first[s[i]]
		if at == 0 {
			continue
		}
		for j := i + 1; ; j++ {
			if t := m.texts.values[at]; t >= 0 {
				token, start, end = m.tokens[t], i, j
			}
			if j == len(s) {
				break
			}
			at = m.texts.child(at, s[j])
			if at == 0 {
				break
			}
		}
		if token != nil {
			return token, start, end
		}
	}
	return nil, 0, 0
}
