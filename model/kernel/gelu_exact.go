package kernel

import "instruct/model/kernel/exact"

// ExactGELU: out = x·Φ(x) with the normal distribution function (Hendrycks and Gimpel 2016, arXiv:1606.08415; "gelu"
// in transformers). out, x (n, f); out may be x.
func (p *Pool) ExactGELU(out, x []float32, n, f int) {
	need(n*f, out, x)
	p.ops.gated = gatedTask{exactGELURows, out[:n*f], x[:n*f], nil, f}
	p.elements(n*f, &p.ops.gated)
}

func exactGELURows(t *gatedTask, lo, hi int) {
	out, x := t.a[lo:hi], t.b[lo:hi]
	for i, v := range x {
		cdf, _ := exact.Normal(float64(v))
		out[i] = float32(float64(v) * cdf)
	}
}

// ExactGELUBackward: dx = dout·(Φ(x) + x·φ(x)). dx may be dout or x.
func (p *Pool) ExactGELUBackward(dx, dout, x []float32, n, f int) {
	need(n*f, dx, dout, x)
	p.ops.gated = gatedTask{exactGELUGradRows, dx[:n*f], dout[:n*f], x[:n*f], f}
	p.elements(n*f, &p.ops.gated)
}

func exactGELUGradRows(t *gatedTask, lo, hi int) {
	dx, dout, x := t.a[lo:hi], t.b[lo:hi], t.c[lo:hi]
	for i, v := range x {
		cdf, density := exact.Normal(float64(v))
		dx[i] = float32(float64(dout[i]) * (cdf + float64(float64(v)*density)))
	}
}
