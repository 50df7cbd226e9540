package ops

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"instruct/model/kernel"
)

// Embed looks up the rows of a table: out (N, C) = W[tokens], plus P[positions] for models with learned positions,
// times Scale for models that scale the sum.
//
// Backward: dW[tokens[i]] += Scale*dout[i], dP[positions[i]] += Scale*dout[i], i ascending. The row of Pad gets
// nothing, as with padding_idx of torch.nn.Embedding, which transformers sets to pad_token_id for the Llama family:
// where that is the end-of-turn token too, its row still learns through a tied head.
type Embed struct {
	W     *Param  // (V, C)
	P     *Param  // (T, C) learned positions, or nil
	Pad   int     // token id without gradient, or -1
	Scale float32 // 0: 1
}

type embed struct {
	env *Env
	Embed
	w *kernel.Weights
	c int
}

// Apply adds the op: tokens is an int32 leaf of Capacity ids, which orders the op; the ids are read from Env.Batch.
func (o Embed) Apply(g *Graph, tokens *gorgonia.Node) (*gorgonia.Node, error) {
	c := o.W.Shape[1]
	ins := gorgonia.Nodes{tokens, g.leaf(tokens, o.W, "")}
	if o.P != nil {
		ins = append(ins, g.leaf(tokens, o.P, ""))
	}
	return g.apply("embed", &embed{g.Env, o, o.W.Weights(kernel.NT), c}, tensor.Shape{g.Capacity, c}, ins...)
}

func (o *embed) run(_ [][]float32, out []float32) {
	b := &o.env.Batch
	o.env.Pool.GatherWeights(out, o.w, b.Tokens, b.Len())
	if o.P != nil {
		o.env.Pool.GatherAdd(out, o.P.Value, b.Positions, b.Len(), o.c)
	}
	if scales(o.Scale) {
		o.env.Pool.Scale(out[:b.Len()*o.c], o.Scale)
	}
	o.env.addNoise(out, o.c)
}

func (o *embed) derive(g *Graph, in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	back := &embedBackward{f: o, pad: make([]float32, o.c)}
	return g.backward("embed", back, 0, in, gorgonia.Nodes{grad}, o.W, o.P)
}

type embedBackward struct {
	f   *embed
	pad []float32 // (C) the gradient of the row of Pad, put back after the scatter
}

func (o *embedBackward) run(in [][]float32, _ []float32) {
	f, b := o.f, &o.f.env.Batch
	if scales(f.Scale) { // in place, since nobody reads this gradient later
		f.env.Pool.Scale(in[0][:b.Len()*f.c], f.Scale)
	}
	if !f.W.Frozen {
		var row []float32
		if f.Pad >= 0 {
			row = f.W.Grad[f.Pad*f.c : (f.Pad+1)*f.c]
			copy(o.pad, row)
		}
		f.env.Pool.ScatterAdd(f.W.Grad, in[0], b.Tokens, b.Len(), f.c)
		copy(row, o.pad)
	}
	if f.P != nil && !f.P.Frozen {
		f.env.Pool.ScatterAdd(f.P.Grad, in[0], b.Positions, b.Len(), f.c)
	}
}
