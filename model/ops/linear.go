package ops

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"instruct/model/kernel"
)

// Linear maps rows: out (N, O) = x·Wᵀ + b, with W (O, C); with Conv1D, W is (C, O) and out = x·W + b, the layout of
// GPT-2's checkpoints. With a stream, the residual is added too: out = stream + x·Wᵀ + b, in the same pass.
//
// Backward: dx = dout·W, dW += doutᵀ·x, db += column sums of dout.
type Linear struct {
	Name   string
	W      *Param
	Bias   *Param // (O), or nil
	Conv1D bool
	Add    *Stream // residual to add, or nil
}

type linear struct {
	env *Env
	Linear
	rows
	w       *kernel.Weights
	form    kernel.Form
	in, out int
	gather  bool // the residual has all rows, x the needed ones
}

// Apply adds the op on x (N, C).
func (o Linear) Apply(e *Env, x *gorgonia.Node) (*gorgonia.Node, error) {
	g := x.Graph()
	b := &linear{env: e, Linear: o, rows: e.rowsOf(x), out: o.W.Shape[0], in: o.W.Shape[1]}
	if o.Conv1D {
		b.in, b.out, b.form = b.out, b.in, kernel.NN
	}
	b.w = o.W.Weights(b.form)
	ins := gorgonia.Nodes{x, o.W.Leaf(g, "")}
	diff := []bool{true, true}
	if o.Bias != nil {
		ins = append(ins, o.Bias.Leaf(g, ""))
		diff = append(diff, true)
	}
	if o.Add != nil {
		b.gather = b.needed && !e.rowsOf(o.Add.X).needed
		ins = append(ins, o.Add.X)
		diff = append(diff, false) // its gradient reaches the stream through the norm, see Stream
	}
	n, _, err := e.apply(o.Name, b, tensor.Shape{e.Capacity, b.out}, diff, ins...)
	return n, err
}

func (o *linear) run(in [][]float32, out []float32) {
	p, n := o.env.Pool, o.len()
	if o.Add != nil {
		if o.gather {
			p.Gather(out, in[len(in)-1], o.env.Needed, n, o.out)
		} else {
			p.Copy(out[:n*o.out], in[len(in)-1][:n*o.out])
		}
		if o.Bias != nil {
			p.AddBias(out, o.Bias.Value, n, o.out)
		}
	} else if o.Bias != nil {
		p.BiasRows(out, o.Bias.Value, n, o.out)
	}
	p.GemmWeights(o.form, n, in[0], o.in, o.w, out, o.out, o.Add != nil || o.Bias != nil)
}

func (o *linear) derive(in gorgonia.Nodes, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	if o.Add != nil {
		o.Add.grad = grad
	}
	x, err := o.env.again(in[0], grad)
	if err != nil {
		return nil, err
	}
	dx, _, err := o.env.apply(o.Name+".backward", &linearBackward{f: o}, tensor.Shape{o.env.Capacity, o.in},
		[]bool{false, false}, grad, x)
	if err != nil {
		return nil, err
	}
	params := []*Param{nil, o.W}
	if o.Bias != nil {
		params = append(params, o.Bias)
	}
	if o.Add != nil {
		params = append(params, nil)
	}
	grads, err := o.env.gradNodes(dx, params...)
	if err != nil {
		return nil, err
	}
	grads[0] = dx
	return grads, nil
}

type linearBackward struct {
	noDerive
	f *linear
}

func (o *linearBackward) run(in [][]float32, dx []float32) {
	f, p, n := o.f, o.f.env.Pool, o.f.len()
	dy, x, dw := in[0], in[1], f.W.Grad
	if f.Conv1D {
		p.GemmWeights(kernel.NT, n, dy, f.out, f.w, dx, f.in, false)
		p.Gemm(kernel.TN, f.in, f.out, n, x, f.in, dy, f.out, dw, f.out, true)
	} else {
		p.GemmWeights(kernel.NN, n, dy, f.out, f.w, dx, f.in, false)
		p.Gemm(kernel.TN, f.out, f.in, n, dy, f.out, x, f.in, dw, f.in, true)
	}
	if f.Bias != nil {
		p.ColumnSum(f.Bias.Grad, dy, n, f.out)
	}
}
