package ops

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"instruct/model/kernel"
)

// scaleRows scales the logits of x, by scaling its rows, which are shorter. The head is the only reader of the last
// norm's output.
func scaleRows(p *kernel.Pool, x []float32, scale float32) {
	if scales(scale) {
		p.Scale(x, scale)
	}
}

// Logits is the head of a model that generates: out (R, V) = Scale*x·Wᵀ for the needed positions.
type Logits struct {
	W       *Param  // (V, C)
	Scale   float32 // 0: 1
	MaxRows int     // the most positions that may be needed
	out     []float32
}

// Out returns the logits (R, V) of the last run; the next run overwrites them.
func (o *Logits) Out() []float32 { return o.out }

type logits struct {
	env *Env
	*Logits
	w *kernel.Weights
}

// Apply adds the op on the normed rows x (R, C) of the needed positions.
func (o *Logits) Apply(g *Graph, x *gorgonia.Node) (*gorgonia.Node, error) {
	b := &logits{env: g.Env, Logits: o, w: o.W.Weights(kernel.NT)}
	return g.apply("logits", b, tensor.Shape{o.MaxRows, o.W.Shape[0]}, x, g.leaf(x, o.W, ".head"))
}

func (o *logits) run(in [][]float32, out []float32) {
	v, c := o.W.Shape[0], o.W.Shape[1]
	n := len(o.env.Needed)
	o.out = out[:n*v]
	scaleRows(o.env.Pool, in[0][:n*c], o.Scale)
	o.env.product(kernel.NT, n, in[0], c, o.w, out, v, false)
}
