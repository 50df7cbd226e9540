package ops

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// ActivationKind is the nonlinearity of an MLP. Those with a gate (Shazeer 2020, arXiv:2002.05202) take (N, 2F), gate
// and up side by side, and give (N, F).
type ActivationKind uint8

const (
	SwiGLU    ActivationKind = iota // silu(gate) * up
	GeGLU                           // gelu(gate) * up, with the GELU below
	GELU                            // (N, F) in tanh form (Hendrycks and Gimpel 2016, arXiv:1606.08415; "gelu_new")
	ExactGELU                       // (N, F) with the normal distribution function ("gelu")
)

// String gives the name of the kind.
func (k ActivationKind) String() string {
	return [...]string{"swiglu", "geglu", "gelu", "exact_gelu"}[k]
}

// Activation applies a nonlinearity.
type Activation struct {
	Name string
	F    int
	Kind ActivationKind
}

type activation struct {
	Activation
	extent
}

func (o Activation) width() int {
	if o.Kind == GELU || o.Kind == ExactGELU {
		return o.F
	}
	return 2 * o.F
}

// Apply adds the op. Its output is not kept for the backward pass.
func (o Activation) Apply(g *Graph, x *gorgonia.Node) (*gorgonia.Node, error) {
	n, err := g.apply(o.Name, &activation{o, g.extentOf(x)}, tensor.Shape{g.Capacity, o.F}, x)
	if err == nil {
		g.Forget(n)
	}
	return n, err
}

func (o *activation) byRows() bool { return true }

func (o *activation) run(in [][]float32, out []float32) {
	p, n := o.env.Pool, o.rows()
	switch o.Kind {
	case SwiGLU:
		p.SwiGLU(out, in[0], n, o.F)
	case GeGLU:
		p.GeGLU(out, in[0], n, o.F)
	case GELU:
		p.GELU(out, in[0], n, o.F)
	case ExactGELU:
		p.ExactGELU(out, in[0], n, o.F)
	}
}

func (o *activation) derive(g *Graph, in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	x, err := g.again(in[0], grad)
	if err != nil {
		return nil, err
	}
	return g.backward(o.Name, &activationBackward{f: o}, o.width(), in, gorgonia.Nodes{grad, x})
}

type activationBackward struct{ f *activation }

func (o *activationBackward) byRows() bool { return true }

func (o *activationBackward) run(in [][]float32, dx []float32) {
	f, p, n := o.f, o.f.env.Pool, o.f.rows()
	switch f.Kind {
	case SwiGLU:
		p.SwiGLUBackward(dx, in[0], in[1], n, f.F)
	case GeGLU:
		p.GeGLUBackward(dx, in[0], in[1], n, f.F)
	case GELU:
		p.GELUBackward(dx, in[0], in[1], n, f.F)
	case ExactGELU:
		p.ExactGELUBackward(dx, in[0], in[1], n, f.F)
	}
}
