package ops

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"instruct/model/kernel"
)

// ShortConv is the gated short convolution that stands in the place of attention in layers of LFM2 (Liquid AI 2025;
// reference: transformers models/lfm2/modeling_lfm2.py, Lfm2ShortConv).
//
// bcx (N, 3C) holds b, g and x of each token side by side; with u = b·x and the taps W (C, 1, L) of each column,
// out (N, C) = g · Σ_k W[L-1-k]·u[t-k], where positions before the beginning of an example count as zero. A prefix
// that examples share comes before each of them. Backward gives dbcx and adds to dW.
//
// With Env.Cache set, u of every position goes into the cache, from which those before are read.
type ShortConv struct {
	Name  string
	Layer int
	W     *Param // (C, 1, L)
}

type shortConv struct {
	env *Env
	ShortConv
	c, taps int
	at      []int32 // (N, L), see kernel.ShortConv
}

// Apply adds the op.
func (o ShortConv) Apply(g *Graph, bcx *gorgonia.Node) (*gorgonia.Node, error) {
	c, taps := o.W.Shape[0], o.W.Shape[2]
	b := &shortConv{env: g.Env, ShortConv: o, c: c, taps: taps, at: buffer[int32](g, g.Capacity*taps)}
	return g.apply(o.Name, b, tensor.Shape{g.Capacity, c}, bcx, g.leaf(bcx, o.W, ""))
}

func (o *shortConv) run(in [][]float32, out []float32) {
	p, n := o.env.Pool, o.env.Batch.Len()
	if o.env.Cache != nil {
		o.findCached()
		p.ShortConvCached(out, in[0], o.W.Value, o.env.Cache.k[o.Layer].x, o.at, n, o.c, o.taps)
		return
	}
	o.find(o.env.Batch.Segments)
	p.ShortConv(out, in[0], o.W.Value, o.at, n, o.c, o.taps)
}

// find tells for every row of the batch which rows hold the positions before it.
func (o *shortConv) find(segs []kernel.Segment) {
	for i := range o.env.Batch.Len() {
		at := o.at[i*o.taps : (i+1)*o.taps]
		at[0] = int32(i)
		for k := 1; k < o.taps; k++ {
			at[k] = -1
		}
	}
	for n, s := range segs {
		for i := s.Start; i < s.End; i++ {
			for k := 1; k < o.taps; k++ {
				row, in := i-k, n // the segment in which it lies
				for in >= 0 && row < segs[in].Start {
					row += segs[in].PrefixEnd - segs[in].Start
					in = kernel.Parent(segs, in)
				}
				if in < 0 {
					break
				}
				o.at[i*o.taps+k] = int32(row)
			}
		}
	}
}

// findCached is find for rows of the cache.
func (o *shortConv) findCached() {
	for i := range o.env.Spans {
		s := &o.env.Spans[i]
		for r := s.Lo; r < s.Hi; r++ {
			for k := range o.taps {
				o.at[r*o.taps+k] = s.Row(s.Len() - (s.Hi - r) - k)
			}
		}
	}
}

func (o *shortConv) derive(g *Graph, in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	bcx, err := g.again(in[0], grad)
	if err != nil {
		return nil, err
	}
	return g.backward(o.Name, &shortConvBackward{f: o}, 3*o.c, in, gorgonia.Nodes{grad, bcx}, o.W)
}

type shortConvBackward struct{ f *shortConv }

func (o *shortConvBackward) run(in [][]float32, dbcx []float32) {
	f := o.f // whose at is that of the batch at hand
	f.env.Pool.ShortConvBackward(dbcx, f.W.Grad, in[0], in[1], f.W.Value, f.at, f.env.Batch.Len(), f.c, f.taps)
}
