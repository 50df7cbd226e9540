package tokenizer

import "strings"
import "instruct/tokenizer/file"

// matcher finds added tokens in a text: at the leftmost place where one stands, the longest.
type matcher struct {
	nodes []trieNode
	only  byte // the byte that all tokens begin with, if single
	one   bool
	first [256]int32 // the node after the first byte; 0: none
}

// trieNode has the token that ends here, or nil, and its children by byte.
type trieNode struct {
	token *file.AddedToken
	bytes []byte
	next  []int32
}

// newMatcher makes a matcher for the tokens, each found by its text in texts. It is nil when there is nothing to find.
func newMatcher(tokens []*file.AddedToken, texts []string) *matcher {
	m := &matcher{nodes: make([]trieNode, 1)}
	firsts := 0
	for i, text := range texts {
		if text == "" {
			continue
		}
		at := m.first[text[0]]
		if at == 0 {
			m.nodes = append(m.nodes, trieNode{})
			at = int32(len(m.nodes) - 1)
			m.first[text[0]] = at
			m.only = text[0]
			firsts++
		}
		for k := 1; k < len(text); k++ {
			next := m.child(at, text[k])
			if next == 0 {
				m.nodes = append(m.nodes, trieNode{})
				next = int32(len(m.nodes) - 1)
				n := &m.nodes[at]
				n.bytes, n.next = append(n.bytes, text[k]), append(n.next, next)
			}
			at = next
		}
		if m.nodes[at].token == nil {
			m.nodes[at].token = tokens[i]
		}
	}
	if firsts == 0 {
		return nil
	}
	m.one = firsts == 1
	return m
}

func (m *matcher) child(at int32, b byte) int32 {
	n := &m.nodes[at]
	for i, c := range n.bytes {
		if c == b {
			return n.next[i]
		}
	}
	return 0
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
			if t := m.nodes[at].token; t != nil {
				token, start, end = t, i, j
			}
			if j == len(s) {
				break
			}
			at = m.child(at, s[j])
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
