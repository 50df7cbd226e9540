package ops

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"instruct/model/kernel"
)

// Linear maps rows: out (N, O) = x·Wᵀ + b, with W (O, C); with Conv1D, W is (C, O) and out = x·W + b, the layout of
// GPT-2's checkpoints. With a stream to add, out = Add + AddScale*(x·Wᵀ + b), in the same pass. What W's [Adapter]
// gives is part of the product.
//
// Backward: dx = dout·W, plus the gradient of the residual addition where x is the stream itself; dW += doutᵀ·x,
// db += column sums of dout; each where it is wanted. That of the adapter is added by it.
type Linear struct {
	Name     string
	W        *Param
	Bias     *Param // (O), or nil
	Conv1D   bool
	Read     *Stream // the stream, where x is not a norm of it but the stream itself; else nil
	Add      *Stream // residual to add, or nil
	AddScale float32 // of what is added to it; 0: 1
}

type linear struct {
	Linear
	extent
	w          *kernel.Weights
	form, back kernel.Form // of the products forward and backward
	in, out    int
	capacity   int
	gather     bool      // x is narrow, the residual is not
	rounded    bool      // x is, where products round their operands
	left       []float32 // (N, C) else, scratch of the arena: x rounded
	adapter    *adapter  // of the forward pass, or nil
}

// Apply adds the op on x (N, C).
func (o Linear) Apply(g *Graph, x *gorgonia.Node) (*gorgonia.Node, error) {
	b := &linear{Linear: o, extent: g.extentOf(x), capacity: g.Capacity}
	if o.Conv1D {
		b.form, b.back = kernel.NN, kernel.NT
		b.in, b.out = o.W.Shape[0], o.W.Shape[1]
	} else {
		b.form, b.back = kernel.NT, kernel.NN
		b.out, b.in = o.W.Shape[0], o.W.Shape[1]
	}
	b.w = o.W.Weights(b.form)
	ins := gorgonia.Nodes{x, g.leaf(x, o.W, "")}
	if o.Bias != nil {
		ins = append(ins, g.leaf(x, o.Bias, ""))
	}
	if o.W.Adapter != nil {
		b.adapter = newAdapter(g, o.W.Adapter, b.in, b.out)
		for _, p := range o.W.Adapter.params() {
			ins = append(ins, g.leaf(x, p, ""))
		}
	}
	if o.Add != nil {
		b.gather = b.narrow && !g.extentOf(o.Add.X).narrow
		ins = append(ins, o.Add.X)
	}
	n, err := g.apply(o.Name, b, tensor.Shape{g.Capacity, b.out}, ins...)
	if err == nil && o.Add != nil {
		opOf(n).diff[len(ins)-1] = false // the addition's gradient reaches the stream through its reader, see Stream
	}
	return n, err
}

func (o *linear) run(in [][]float32, out []float32) {
	p, n := o.env.Pool, o.rows()
	residual, scaled := in[len(in)-1], scales(o.AddScale)
	onto := o.Add != nil && !scaled // the product goes on top of the residual
	switch {
	case onto && o.gather:
		p.Gather(out, residual, o.env.Needed, n, o.out)
	case onto:
		p.Copy(out[:n*o.out], residual[:n*o.out])
	case o.Bias != nil:
		p.BiasRows(out, o.Bias.Value, n, o.out)
	}
	if onto && o.Bias != nil {
		p.AddBias(out, o.Bias.Value, n, o.out)
	}
	if onto = onto || o.Bias != nil; o.adapter.scales() {
		o.beforeGains(in[0], n)
		p.ScaleColumns(out, o.adapter.u, o.adapter.gains, n, o.out, onto)
	} else {
		x := o.env.left(o.left, in[0][:n*o.in], o.rounded)
		o.env.product(o.form, n, x, o.in, o.w, out, o.out, onto)
		o.adapter.add(in[0], out, n)
	}
	if scaled {
		p.AddResidual(out, residual, o.env.residualRows(o.gather), o.AddScale, n, o.out)
	}
}

// beforeGains computes the product of n rows x and what the adapter adds to it, in the place where its gains scale it,
// and the gains.
func (o *linear) beforeGains(x []float32, n int) {
	a := o.adapter
	o.env.product(o.form, n, x, o.in, o.w, a.u, o.out, false)
	a.add(x, a.u, n)
	a.measure(o.w)
}

func (o *linear) multiplies(i int) bool { return i == 0 && o.adapter == nil }

func (o *linear) operands(rounded []bool) { o.rounded = rounded[0] }

// parts is the size of left.
func (o *linear) parts() int { return o.env.room(o.capacity*o.in, o.rounded) }

func (o *linear) scratch() int { return o.parts() + o.adapter.scratch() }

func (o *linear) lend(mem []float32) {
	o.left = mem[:o.parts()]
	o.adapter.lend(mem[o.parts():])
}

func (o *linear) derive(g *Graph, in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	if o.Add != nil {
		o.Add.grad = grad
	}
	inputs := gorgonia.Nodes{grad}
	if !o.W.Frozen || o.W.Adapter != nil {
		x, err := g.again(in[0], grad)
		if err != nil {
			return nil, err
		}
		inputs = append(inputs, x)
	}
	back := &linearBackward{f: o, residualGrad: o.Read.gradFor(g, in[0])}
	params := []*Param{o.W, o.Bias}
	if o.W.Adapter != nil {
		back.adapter = newAdapter(g, o.W.Adapter, o.in, o.out)
		back.adapter.backward = true
		params = append(params, o.W.Adapter.params()...)
	}
	var run body = back
	if scales(o.AddScale) {
		run = &scaledGrad{of: back, scale: o.AddScale, n: g.Capacity * o.out}
	}
	return g.backward(o.Name, run, o.in, in, back.inputs(inputs...), params...)
}

type linearBackward struct {
	f       *linear
	rounded [2]bool   // dy and x are, where products round their operands
	dy, x   []float32 // (N, O), (N, C) else, scratch of the arena: those rounded; x for Conv1D alone
	adapter *adapter  // of the backward pass, or nil
	residualGrad
}

func (o *linearBackward) multiplies(i int) bool {
	return o.adapter == nil && (i == 0 && (o.f.Bias == nil || o.f.Bias.Frozen) || i == 1 && !o.f.W.Frozen)
}

func (o *linearBackward) operands(rounded []bool) { copy(o.rounded[:], rounded) }

func (o *linearBackward) parts() (dy, x int) {
	f := o.f
	if f.Conv1D && !f.W.Frozen {
		x = f.env.room(f.capacity*f.in, o.rounded[1])
	}
	return f.env.room(f.capacity*f.out, o.rounded[0]), x
}

func (o *linearBackward) scratch() int {
	dy, x := o.parts()
	return dy + x + o.adapter.scratch()
}

func (o *linearBackward) lend(mem []float32) {
	dy, x := o.parts()
	o.dy, o.x = mem[:dy], mem[dy:dy+x]
	o.adapter.lend(mem[dy+x:])
}

func (o *linearBackward) run(in [][]float32, dx []float32) {
	f, p, n := o.f, o.f.env.Pool, o.f.rows()
	dy, residual := in[0], in[len(in)-1]
	du := dy // the gradient of the product alone
	if a := o.adapter; a.scales() {
		f.env.product(f.form, n, in[1], f.in, f.w, a.u, f.out, false)
		a.add(in[1], a.u, n)
		du = a.deriveGains(dy, f.w, n)
	}
	if o.dense() {
		p.Copy(dx[:n*f.in], residual[:n*f.in])
	}
	left := f.env.left(o.dy, du[:n*f.out], o.rounded[0])
	if dx != nil {
		f.env.product(f.back, n, left, f.out, f.w, dx, f.in, o.dense())
	}
	if o.adapter != nil {
		o.adapter.derive(in[1], du, dx, n)
	}
	if o.scatter {
		p.ScatterAdd(dx, residual, f.env.Needed, len(f.env.Needed), f.in)
	}
	switch {
	case f.W.Frozen:
	case f.Conv1D:
		x := f.env.left(o.x, in[1][:n*f.in], o.rounded[1])
		f.env.weightGradient(f.in, f.out, n, x, left, f.W.Grad, true)
	default:
		f.env.weightGradient(f.out, f.in, n, left, in[1], f.W.Grad, o.rounded[1])
	}
	if f.Bias != nil && !f.Bias.Frozen {
		p.ColumnSum(f.Bias.Grad, dy, n, f.out)
	}
}

// scaledGrad is the backward op of a linear whose output is scaled: it runs on the scaled gradient. The gradient itself
// is the stream's too.
type scaledGrad struct {
	of    *linearBackward
	scale float32
	n     int
	dy    []float32 // (N, O), scratch of the arena
}

func (o *scaledGrad) multiplies(i int) bool { return i > 0 && o.of.multiplies(i) }

func (o *scaledGrad) operands(rounded []bool) { o.of.operands(rounded) }

func (o *scaledGrad) scratch() int { return kernel.Lines(o.n) + o.of.scratch() }

func (o *scaledGrad) lend(mem []float32) {
	own := kernel.Lines(o.n)
	o.dy = mem[:own]
	o.of.lend(mem[own:])
}

func (o *scaledGrad) run(in [][]float32, dx []float32) {
	p, dy := o.of.f.env.Pool, o.dy[:o.of.f.rows()*o.of.f.out]
	p.Copy(dy, in[0])
	p.Scale(dy, o.scale)
	in[0] = dy
	o.of.run(in, dx)
}
