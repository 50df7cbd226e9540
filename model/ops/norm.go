package ops

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Norm normalises each row of the residual stream x (N, C), or with Add each row x of a sublayer's output.
//
// RMSNorm (Bias nil): out = w * (x * r), r = 1/sqrt(mean(x²) + eps); Zhang and Sennrich 2019, arXiv:1910.07467.
// LayerNorm (Bias set): out = (x - mean) * r * w + b; Ba et al. 2016, arXiv:1607.06450.
// With a stream to add (RMSNorm only), out = Add + w * (x * r), in the same pass.
// Backward: dx of the norm plus the gradient of the residual addition, dw and db accumulated.
type Norm struct {
	Name string
	W    *Param // (C)
	Bias *Param // (C), nil for RMSNorm
	Eps  float32
	Add  *Stream // residual to add, or nil

	PlusOne bool    // the weights stand for 1 + W (RMSNorm only)
	Beside  *Beside // set where another norm reads the same rows
}

// Beside is for the second of two sublayers that read the same stream x and are both added to it: Sum is x plus the
// output of the first one, to which that of the second will be added. The second norm has Sum as an input, so that it
// is differentiated before the first one; it passes on the gradient of the sum, which is that of the whole, and leaves
// its own to the first norm in place of x's gradient: so nobody needs to add gradients.
type Beside struct {
	First, Sum *Stream // as the first norm read x, and as the second sublayer adds to
}

type norm struct {
	Norm
	extent
	gain       gain
	stream     *Stream
	c          int
	mean, rstd []float32 // (N) of the forward pass, for the backward pass
	gather     bool      // x is narrow, the residual is not
}

// Apply adds the op on the stream s and returns the normalised rows (N, C), which are not kept for the backward pass;
// or, with Add, the stream behind the sublayer, which is.
func (o Norm) Apply(g *Graph, s *Stream) (*gorgonia.Node, error) {
	b := &norm{Norm: o, extent: g.extentOf(s.X), gain: g.gainOf(o.W, o.PlusOne), stream: s, c: o.W.Shape[0],
		rstd: buffer[float32](g, g.Capacity)}
	ins := gorgonia.Nodes{s.X, g.leaf(s.X, o.W, "")}
	if o.Bias != nil {
		b.mean = buffer[float32](g, g.Capacity)
		ins = append(ins, g.leaf(s.X, o.Bias, ""))
	}
	if o.Add != nil {
		if o.Bias != nil {
			return nil, fmt.Errorf("ops: %s: a LayerNorm cannot add to the stream", o.Name)
		}
		b.gather = b.narrow && !g.extentOf(o.Add.X).narrow
		ins = append(ins, o.Add.X)
	}
	if o.Beside != nil {
		ins = append(ins, o.Beside.Sum.X)
	}
	n, err := g.apply(o.Name, b, tensor.Shape{g.Capacity, b.c}, ins...)
	if err != nil {
		return nil, err
	}
	if o.Beside != nil {
		opOf(n).diff[0] = false
		return n, nil // kept: to run it again, the sum would have to be
	}
	if o.Add != nil {
		opOf(n).diff[len(ins)-1] = false // the addition's gradient reaches the stream through its reader, see Stream
	} else {
		g.Forget(n)
	}
	return n, nil
}

func (o *norm) byRows() bool { return o.Add == nil }

func (o *norm) run(in [][]float32, out []float32) {
	p, n := o.env.Pool, o.rows()
	switch {
	case o.Bias != nil:
		p.LayerNorm(out, in[0], o.W.Value, o.Bias.Value, o.mean, o.rstd, n, o.c, o.Eps)
	case o.Add != nil:
		p.RMSNormAdd(out, in[0], in[2], o.env.residualRows(o.gather), o.gain.values(), o.rstd, n, o.c, o.Eps)
	default:
		p.RMSNorm(out, in[0], o.gain.values(), o.rstd, n, o.c, o.Eps)
	}
}

func (o *norm) derive(g *Graph, in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	if o.Add != nil {
		o.Add.grad = grad
	}
	x, err := g.again(in[0], grad)
	if err != nil {
		return nil, err
	}
	stream := o.stream
	if o.Beside != nil {
		stream = o.Beside.Sum
	}
	back := &normBackward{f: o, residualGrad: stream.gradFor(g, in[0])}
	grads, err := g.backward(o.Name, back, o.c, in, back.inputs(grad, x), o.W, o.Bias)
	if err == nil && o.Beside != nil {
		o.Beside.First.grad, grads[0] = grads[0], nil
		grads[len(grads)-1] = stream.grad
	}
	return grads, err
}

type normBackward struct {
	f *norm
	residualGrad
}

func (o *normBackward) run(in [][]float32, dx []float32) {
	f, p, n := o.f, o.f.env.Pool, o.f.rows()
	var residual []float32
	if o.dense() {
		residual = in[2]
	}
	if f.Bias != nil {
		p.LayerNormBackward(dx, in[0], in[1], f.W.Value, f.mean, f.rstd, f.W.Grad, f.Bias.Grad, residual, n, f.c)
	} else {
		p.RMSNormBackward(dx, in[0], in[1], f.gain.values(), f.rstd, f.W.Grad, residual, n, f.c)
	}
	if o.scatter {
		p.ScatterAdd(dx, in[2], f.env.Needed, len(f.env.Needed), f.c)
	}
}
