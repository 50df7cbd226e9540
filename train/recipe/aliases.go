package recipe

import "github.com/goccy/go-yaml/ast"

// mostNodes bounds the values of a mapping of which a recipe has JSON, with its aliases written out.
const mostNodes = 100_000

// aliases counts values with what their aliases stand for: a few lines of aliases of aliases are more than any memory
// has room for.
type aliases struct {
	sizes map[string]int // of what anchors name
}

// count is how many values a node stands for, at most a little more than mostNodes.
func (a *aliases) count(n ast.Node) (total int) {
	add := func(n ast.Node) {
		if total <= mostNodes {
			total = min(total+a.count(n), mostNodes+1)
		}
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		for _, v := range n.Values {
			add(v)
		}
	case *ast.MappingValueNode:
		add(n.Value)
	case *ast.SequenceNode:
		for _, v := range n.Values {
			add(v)
		}
	case *ast.TagNode:
		add(n.Value)
	case *ast.AnchorNode:
		add(n.Value)
		a.sizes[n.Name.String()] = total
		return total
	case *ast.AliasNode:
		return max(1, a.sizes[n.Value.String()])
	}
	return min(total+1, mostNodes+1)
}
