package ops

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Hidden begins a graph above the first layers of a model, in the place of [Embed]: out (N, C) = Env.Batch.Hidden,
// which those layers gave before. It has no gradient.
type Hidden struct{ C int }

type hidden struct {
	env *Env
	c   int
}

// Apply adds the op: tokens is an int32 leaf of Capacity ids, which orders the op.
func (o Hidden) Apply(g *Graph, tokens *gorgonia.Node) (*gorgonia.Node, error) {
	return g.apply("hidden", &hidden{g.Env, o.C}, tensor.Shape{g.Capacity, o.C}, tokens)
}

func (o *hidden) run(_ [][]float32, out []float32) {
	n := o.env.Batch.Len() * o.c
	copy(out[:n], o.env.Batch.Hidden[:n])
}

// Values are what the op of a node gave at the last run: of the batch at hand at the front of room for the largest one.
func Values(n *gorgonia.Node) []float32 { return opOf(n).out.Float32s() }
