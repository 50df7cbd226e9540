package ops

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Select takes the rows of x (N, C) whose logits are needed: out (R, C) = x[Env.Needed]. It stands behind the last
// attention, since nothing but attention looks at other rows; all that follows works on R rows.
//
// Backward: dx is dout in the needed rows and zero elsewhere.
type Select struct{}

type selectRows struct {
	env *Env
	c   int
}

// Apply adds the op.
func (Select) Apply(g *Graph, x *gorgonia.Node) (*gorgonia.Node, error) {
	c := x.Shape()[1]
	n, err := g.apply("select", &selectRows{g.Env, c}, tensor.Shape{g.Capacity, c}, x)
	if err == nil {
		opOf(n).narrow = true
	}
	return n, err
}

func (o *selectRows) run(in [][]float32, out []float32) {
	o.env.Pool.Gather(out, in[0], o.env.Needed, len(o.env.Needed), o.c)
}

func (o *selectRows) derive(g *Graph, in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	grads, err := g.backward("select", &selectBackward{f: o}, o.c, in, gorgonia.Nodes{grad})
	if err == nil {
		opOf(grads[0]).narrow = false
	}
	return grads, err
}

type selectBackward struct{ f *selectRows }

func (o *selectBackward) run(in [][]float32, dx []float32) {
	f := o.f
	clear(dx[:f.env.Batch.Len()*f.c])
	for i, r := range f.env.Needed {
		copy(dx[int(r)*f.c:(int(r)+1)*f.c], in[0][i*f.c:(i+1)*f.c])
	}
}
