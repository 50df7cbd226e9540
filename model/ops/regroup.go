package ops

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Regroup puts the rows of qkv (N, 3*H*D), in which the query, key and value of each head stand side by side
// (GPT-NeoX), into the order that attention takes: all queries, all keys, all values. Backward puts them back.
type Regroup struct {
	Name     string
	Heads, D int
}

type regroup struct {
	env *Env
	Regroup
}

// Apply adds the op.
func (o Regroup) Apply(g *Graph, qkv *gorgonia.Node) (*gorgonia.Node, error) {
	return g.apply(o.Name, &regroup{g.Env, o}, tensor.Shape{g.Capacity, 3 * o.Heads * o.D}, qkv)
}

// each calls copy with the places of every head's query, key and value in the two orders.
func (o *regroup) each(copy func(byHead, byKind int)) {
	for i := range 3 * o.env.Batch.Len() * o.Heads {
		row, part := i/(3*o.Heads), i%(3*o.Heads)
		h, kind := part/3, part%3
		copy(i*o.D, (row*3*o.Heads+kind*o.Heads+h)*o.D)
	}
}

func (o *regroup) run(in [][]float32, out []float32) {
	o.each(func(byHead, byKind int) { copy(out[byKind:byKind+o.D], in[0][byHead:byHead+o.D]) })
}

func (o *regroup) derive(g *Graph, in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	return g.backward(o.Name, &regroupBackward{f: o}, 3*o.Heads*o.D, in, gorgonia.Nodes{grad})
}

type regroupBackward struct{ f *regroup }

func (o *regroupBackward) run(in [][]float32, dx []float32) {
	if dx == nil {
		return
	}
	o.f.each(func(byHead, byKind int) { copy(dx[byHead:byHead+o.f.D], in[0][byKind:byKind+o.f.D]) })
}
