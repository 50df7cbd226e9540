package ops

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Embed looks up the rows of a table: out (N, C) = W[tokens], plus P[positions] for models with learned positions.
//
// Backward: dW[tokens[i]] += dout[i], dP[positions[i]] += dout[i], i ascending.
type Embed struct {
	W *Param // (V, C)
	P *Param // (T, C) learned positions, or nil
}

type embed struct {
	env *Env
	Embed
	c int
}

// Apply adds the op: tokens is an int32 leaf of Capacity ids, which orders the op; the ids are read from Env.Batch.
func (o Embed) Apply(e *Env, tokens *gorgonia.Node) (*gorgonia.Node, error) {
	c := o.W.Shape[1]
	ins := gorgonia.Nodes{tokens, o.W.Leaf(tokens.Graph(), "")}
	diff := []bool{false, true}
	if o.P != nil {
		ins = append(ins, o.P.Leaf(tokens.Graph(), ""))
		diff = append(diff, true)
	}
	n, _, err := e.apply("embed", &embed{e, o, c}, tensor.Shape{e.Capacity, c}, diff, ins...)
	return n, err
}

func (o *embed) run(_ [][]float32, out []float32) {
	b := &o.env.Batch
	o.env.Pool.Gather(out, o.W.Value, b.Tokens, b.Len(), o.c)
	if o.P != nil {
		o.env.Pool.GatherAdd(out, o.P.Value, b.Positions, b.Len(), o.c)
	}
}

func (o *embed) derive(in gorgonia.Nodes, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	back, op, err := o.env.apply("embed.backward", &embedBackward{f: o}, tensor.Shape{1}, []bool{false}, grad)
	if err != nil {
		return nil, err
	}
	op.Place(make([]float32, 1))
	params := []*Param{nil, o.W}
	if o.P != nil {
		params = append(params, o.P)
	}
	return o.env.gradNodes(back, params...)
}

type embedBackward struct {
	noDerive
	f *embed
}

func (o *embedBackward) run(in [][]float32, _ []float32) {
	f, b := o.f, &o.f.env.Batch
	f.env.Pool.ScatterAdd(f.W.Grad, in[0], b.Tokens, b.Len(), f.c)
	if f.P != nil {
		f.env.Pool.ScatterAdd(f.P.Grad, in[0], b.Positions, b.Len(), f.c)
	}
}
