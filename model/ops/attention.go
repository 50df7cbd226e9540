package ops

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"instruct/model/kernel"
)

// Attention is causal, grouped-query, block-diagonal over the batch's segments, with rotary positions inside. With a
// window it is local (Beltagy et al. 2020, arXiv:2004.05150): the query at position q sees positions q-Window+1 to q.
//
// qkv (N, (H+2K)*D) holds the query, key and value heads of each token side by side; out is (N, H*D). Queries and keys
// are rotated in place first (Su et al. 2021, arXiv:2104.09864, in the half-split form of Hugging Face): nobody else
// reads qkv. Backward gives packed dqkv, rotated back. The probabilities are recomputed from the log-sum-exp of each
// row (Dao et al. 2022, arXiv:2205.14135).
//
// With Env.Cache set, the batch is rows of several sequences, Env.Spans, each of which continues what the cache holds
// of it: the keys and values go into the last rows of the span, and its queries attend to all of them.
type Attention struct {
	Name              string
	Layer             int
	Heads, KVHeads, D int
	Scale             float32      // of the scores
	Window            int          // positions that a query sees, its own included; 0: all before it
	Rope              *kernel.Rope // tables of the positions, which layers may share; nil: no rotary positions
}

type attention struct {
	env *Env
	Attention
	kernel *kernel.Attention
	lse    []float32 // (N, H)
}

// Apply adds the op on packed qkv.
func (o Attention) Apply(g *Graph, qkv *gorgonia.Node) (*gorgonia.Node, error) {
	shape := kernel.Attention{Heads: o.Heads, KVHeads: o.KVHeads, D: o.D, Scale: o.Scale, Window: o.Window}
	b := &attention{env: g.Env, Attention: o, lse: buffer[float32](g, g.Capacity*o.Heads),
		kernel: g.Env.attentionKernel(shape)}
	return g.apply(o.Name, b, tensor.Shape{g.Capacity, o.Heads * o.D}, qkv)
}

func (o *Attention) stride() int { return (o.Heads + 2*o.KVHeads) * o.D }

func (o *attention) rotate(qkv []float32, inverse bool) {
	if o.Rope == nil {
		return
	}
	b := &o.env.Batch
	o.env.Pool.Rotate(qkv, b.Positions, o.Rope, b.Len(), o.stride(), 0, o.Heads+o.KVHeads, o.D, inverse)
	o.env.Pool.ScaleQueries(qkv, b.Positions, o.Rope, b.Len(), o.stride(), o.Heads*o.D)
}

func (o *attention) run(in [][]float32, out []float32) {
	qkv, b := in[0], &o.env.Batch
	o.rotate(qkv, false)
	if o.env.Cache != nil {
		o.decode(out, qkv)
		return
	}
	o.kernel.Forward(o.env.Pool, out, qkv, o.lse, b.Segments)
}

func (o *attention) decode(out, qkv []float32) {
	c, width, kv := o.env.Cache, o.stride(), o.KVHeads*o.D
	k, v := c.k[o.Layer].x, c.v[o.Layer].x
	for i := range o.env.Spans {
		s := &o.env.Spans[i]
		last := s.Keys[len(s.Keys)-1]
		to := last.Start + last.Len - s.Hi // of row 0 of the batch
		for r := s.Lo; r < s.Hi; r++ {
			row := qkv[r*width+o.Heads*o.D : (r+1)*width]
			copy(k[(to+r)*kv:], row[:kv])
			copy(v[(to+r)*kv:], row[kv:])
		}
	}
	o.kernel.Decode(o.env.Pool, out, qkv, width, o.env.Spans, k, v)
}

func (o *attention) derive(g *Graph, in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	// The forward output is an input of the backward op: delta = rowsum(dout * out).
	out, err := g.again(out, grad)
	if err != nil {
		return nil, err
	}
	qkv, err := g.again(in[0], grad)
	if err != nil {
		return nil, err
	}
	return g.backward(o.Name, &attentionBackward{f: o}, o.stride(), in, gorgonia.Nodes{grad, out, qkv})
}

type attentionBackward struct{ f *attention }

func (o *attentionBackward) run(in [][]float32, dqkv []float32) {
	f := o.f
	f.kernel.Backward(f.env.Pool, dqkv, in[0], in[1], in[2], f.lse, f.env.Batch.Segments)
	f.rotate(dqkv, true)
}
