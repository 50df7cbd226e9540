package kernel

import "math"

// AdamWArgs are the arguments of one step of AdamW. Step counts from 1.
type AdamWArgs struct {
	LR, Beta1, Beta2, Eps, WeightDecay, GradScale float32
	Step                                          int
}

// adamwConsts is AdamWArgs as the inner loop wants it (the assembly knows this order).
type adamwConsts struct {
	gradScale, beta1, oneBeta1, beta2, oneBeta2, rootBC2, eps, decay, step float32
}

// AdamW is one step of Loshchilov and Hutter 2019, as in PyTorch: with x = g·GradScale,
//
//	m = Beta1·m + (1-Beta1)·x,  v = Beta2·v + (1-Beta2)·x²
//	w = w·(1 - LR·WeightDecay) - LR/(1-Beta1^Step)·m / (sqrt(v)/sqrt(1-Beta2^Step) + Eps)
//
// and g = 0, in one pass. The four slices have one length.
func (p *Pool) AdamW(w, g, m, v []float32, a AdamWArgs) {
	need(len(w), g, m, v)
	b1, b2 := float64(a.Beta1), float64(a.Beta2)
	p.ops.adamw = adamwTask{w, g, m, v, adamwConsts{
		gradScale: a.GradScale,
		beta1:     a.Beta1, oneBeta1: float32(1 - b1),
		beta2: a.Beta2, oneBeta2: float32(1 - b2),
		rootBC2: float32(math.Sqrt(1 - float64(power(b2, a.Step)))),
		eps:     a.Eps,
		decay:   float32(1 - float64(float64(a.LR)*float64(a.WeightDecay))),
		step:    float32(float64(a.LR) / (1 - float64(power(b1, a.Step)))),
	}}
	p.elements(len(w), &p.ops.adamw)
}

// power is b^n by squaring (math.Pow is assembly on some CPUs).
func power(b float64, n int) float64 {
	r := 1.0
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			r *= b
		}
		b *= b
	}
	return r
}

type adamwTask struct {
	w, g, m, v []float32
	k          adamwConsts
}

func (t *adamwTask) rows(_, lo, hi int) {
	adamw(t.w[lo:hi], t.g[lo:hi], t.m[lo:hi], t.v[lo:hi], &t.k)
}
