package ops

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Activation is the nonlinearity of an MLP.
//
// Gated (SwiGLU; Shazeer 2020, arXiv:2002.05202): in (N, 2F) holds gate and up side by side, out = silu(gate) * up.
// Otherwise GELU in its tanh form (Hendrycks and Gimpel 2016, arXiv:1606.08415; "gelu_new"): in and out are (N, F).
type Activation struct {
	Name  string
	F     int
	Gated bool
}

type activation struct {
	Activation
	extent
}

func (o Activation) width() int {
	if o.Gated {
		return 2 * o.F
	}
	return o.F
}

// Apply adds the op. Its output is not kept for the backward pass.
func (o Activation) Apply(g *Graph, x *gorgonia.Node) (*gorgonia.Node, error) {
	n, err := g.apply(o.Name, &activation{o, g.extentOf(x)}, tensor.Shape{g.Capacity, o.F}, x)
	if err == nil {
		g.Forget(n)
	}
	return n, err
}

func (o *activation) run(in [][]float32, out []float32) {
	if o.Gated {
		o.env.Pool.SwiGLU(out, in[0], o.rows(), o.F)
		return
	}
	o.env.Pool.GELU(out, in[0], o.rows(), o.F)
}

func (o *activation) derive(g *Graph, in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	x, err := g.again(in[0], grad)
	if err != nil {
		return nil, err
	}
	dx, err := g.apply(o.Name+".backward", &activationBackward{f: o}, tensor.Shape{g.Capacity, o.width()}, grad, x)
	if err != nil {
		return nil, err
	}
	return gorgonia.Nodes{dx}, nil
}

type activationBackward struct{ f *activation }

func (o *activationBackward) run(in [][]float32, dx []float32) {
	f := o.f
	if f.Gated {
		f.env.Pool.SwiGLUBackward(dx, in[0], in[1], f.rows(), f.F)
		return
	}
	f.env.Pool.GELUBackward(dx, in[0], in[1], f.rows(), f.F)
}
