package ops

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// HeadNorm is the norm of queries and keys (Henry et al. 2020, arXiv:2010.04245): with weights of D, each head vector
// of q and of k is RMS-normalised, with one weight for all query heads and one for all key heads (Qwen3); with weights
// of H*D and K*D, all heads of q and all of k together (OLMo 2). v passes through. qkv and out are (N, (H+2K)*D).
type HeadNorm struct {
	Name              string
	Q, K              *Param // (D), or (H*D) and (K*D)
	Heads, KVHeads, D int
	Eps               float32
	PlusOne           bool // the weights stand for 1 + Q and 1 + K
}

type headNorm struct {
	env *Env
	HeadNorm
	gq, gk     gain
	dq, dk     int       // numbers that are normalised together
	invQ, invK []float32 // (N, H*D/dq), (N, K*D/dk) inverse root mean squares
}

// Apply adds the op on packed qkv.
func (o HeadNorm) Apply(g *Graph, qkv *gorgonia.Node) (*gorgonia.Node, error) {
	b := &headNorm{env: g.Env, HeadNorm: o, dq: o.Q.Shape[0], dk: o.K.Shape[0],
		gq: g.gainOf(o.Q, o.PlusOne), gk: g.gainOf(o.K, o.PlusOne)}
	b.invQ = buffer[float32](g, g.Capacity*b.q()/b.dq)
	b.invK = buffer[float32](g, g.Capacity*b.k()/b.dk)
	return g.apply(o.Name, b, tensor.Shape{g.Capacity, b.stride()}, qkv, g.leaf(qkv, o.Q, ""), g.leaf(qkv, o.K, ""))
}

func (o HeadNorm) q() int      { return o.Heads * o.D }
func (o HeadNorm) k() int      { return o.KVHeads * o.D }
func (o HeadNorm) stride() int { return o.q() + 2*o.k() }

func (o *headNorm) run(in [][]float32, out []float32) {
	p, n, s := o.env.Pool, o.env.Batch.Len(), o.stride()
	p.Copy(out[:n*s], in[0][:n*s])
	p.HeadRMSNorm(out, in[0], o.gq.values(), o.invQ, n, s, 0, o.q()/o.dq, o.dq, o.Eps)
	p.HeadRMSNorm(out, in[0], o.gk.values(), o.invK, n, s, o.q(), o.k()/o.dk, o.dk, o.Eps)
}

func (o *headNorm) derive(g *Graph, in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	qkv, err := g.again(in[0], grad)
	if err != nil {
		return nil, err
	}
	return g.backward(o.Name, &headNormBackward{f: o}, o.stride(), in, gorgonia.Nodes{grad, qkv}, o.Q, o.K)
}

type headNormBackward struct{ f *headNorm }

func (o *headNormBackward) run(in [][]float32, dx []float32) {
	f, p := o.f, o.f.env.Pool
	n, s := f.env.Batch.Len(), f.stride()
	dy := in[0]
	if dx != nil {
		p.Copy(dx[:n*s], dy[:n*s])
	}
	p.HeadRMSNormBackward(dx, dy, in[1], f.gq.values(), f.invQ, f.Q.Grad, n, s, 0, f.q()/f.dq, f.dq)
	p.HeadRMSNormBackward(dx, dy, in[1], f.gk.values(), f.invK, f.K.Grad, n, s, f.q(), f.k()/f.dk, f.dk)
}
