package tokenizer

// trie is a set of byte strings with an id each: edges in an open-addressed table, at most half full.
type trie struct {
	edges  []trieEdge
	values []int32 // by node: the id of the string that ends there, or -1
	n      int     // edges in use
}

// trieEdge leads from a node by a byte to the next one, which is never the root.
type trieEdge struct {
	node, next int32
	b          byte
}

func newTrie() *trie { return &trie{edges: make([]trieEdge, 1024), values: []int32{-1}} }

func edgeHash(node int32, b byte) uint32 {
	h := (uint64(uint32(node))<<8 | uint64(b)) * 0x9E3779B97F4A7C15
	return uint32(h >> 32)
}

// child gives the node after node by b, or 0.
func (t *trie) child(node int32, b byte) int32 {
	mask := uint32(len(t.edges) - 1)
	for i := edgeHash(node, b) & mask; ; i = (i + 1) & mask {
		e := &t.edges[i]
		if e.next == 0 || e.node == node && e.b == b {
			return e.next
		}
	}
}

func (t *trie) put(e trieEdge) {
	mask := uint32(len(t.edges) - 1)
	i := edgeHash(e.node, e.b) & mask
	for t.edges[i].next != 0 {
		i = (i + 1) & mask
	}
	t.edges[i] = e
}

// add enters s; of equal strings the last counts.
func (t *trie) add(s string, id int32) {
	node := int32(0)
	for i := range len(s) {
		next := t.child(node, s[i])
		if next == 0 {
			next = int32(len(t.values))
			t.values = append(t.values, -1)
			t.n++
			if 2*t.n > len(t.edges) {
				old := t.edges
				t.edges = make([]trieEdge, 2*len(old))
				for _, e := range old {
					if e.next != 0 {
						t.put(e)
					}
				}
			}
			t.put(trieEdge{node, next, s[i]})
		}
		node = next
	}
	t.values[node] = id
}

// walk gives the node after node by s, or 0 where there is none.
func (t *trie) walk(node int32, s string) int32 {
	for i := range len(s) {
		node = t.child(node, s[i])
		if node == 0 {
			return 0
		}
	}
	return node
}

// find gives the id of s, or -1.
func (t *trie) find(s string) int32 {
	if s == "" {
		return -1
	}
	return t.values[t.walk(0, s)]
}
