package kernel

// gatedTask is one of the activation kernels; run does rows of width f.
type gatedTask struct {
	run     func(t *gatedTask, lo, hi int)
	a, b, c []float32
	f       int
}

func (t *gatedTask) rows(_, lo, hi int) { t.run(t, lo, hi) }

// SwiGLU: out = silu(gate)·up (Shazeer 2020) with silu(x) = x·sigmoid(x); gu (n, 2f) holds gate, then up, in each
// row; out (n, f).
func (p *Pool) SwiGLU(out, gu []float32, n, f int) {
	need(n*f, out)
	need(2*n*f, gu)
	p.ops.gated = gatedTask{swigluRows, out, gu, nil, f}
	p.rows(n, 4*f, &p.ops.gated)
}

func swigluRows(t *gatedTask, lo, hi int) {
	f := t.f
	for i := lo; i < hi; i++ {
		swiglu(t.a[i*f:i*f+f], t.b[2*i*f:2*i*f+f], t.b[2*i*f+f:2*i*f+2*f])
	}
}

// SwiGLUBackward: with s = sigmoid(gate), dgate = dout·up·(s + gate·s·(1-s)) and dup = dout·gate·s. dgu (n, 2f)
// may be gu; dout (n, f).
func (p *Pool) SwiGLUBackward(dgu, dout, gu []float32, n, f int) {
	need(2*n*f, dgu, gu)
	need(n*f, dout)
	p.ops.gated = gatedTask{swigluGradRows, dgu, dout, gu, f}
	p.rows(n, 6*f, &p.ops.gated)
}

func swigluGradRows(t *gatedTask, lo, hi int) {
	f := t.f
	for i := lo; i < hi; i++ {
		g, u, end := 2*i*f, 2*i*f+f, 2*i*f+2*f
		swigluGrad(t.a[g:u], t.a[u:end], t.b[i*f:i*f+f], t.c[g:u], t.c[u:end])
	}
}

// GeGLU: out = gelu(gate)·up (Shazeer 2020) with the GELU of Pool.GELU; gu (n, 2f) and out (n, f) as in SwiGLU.
func (p *Pool) GeGLU(out, gu []float32, n, f int) {
	need(n*f, out)
	need(2*n*f, gu)
	p.ops.gated = gatedTask{gegluRows, out, gu, nil, f}
	p.rows(n, 4*f, &p.ops.gated)
}

func gegluRows(t *gatedTask, lo, hi int) {
	f := t.f
	for i := lo; i < hi; i++ {
		out, gu := t.a[i*f:i*f+f], t.b[2*i*f:2*i*f+2*f]
		gelu(out, gu[:f])
		mulScale(out, out, gu[f:], 1)
	}
}

// GeGLUBackward: dgate = (dout·up)·GELU'(gate) and dup = gelu(gate)·dout. dgu (n, 2f) must not overlap gu; dout (n,
// f).
func (p *Pool) GeGLUBackward(dgu, dout, gu []float32, n, f int) {
	need(2*n*f, dgu, gu)
	need(n*f, dout)
	p.ops.gated = gatedTask{gegluGradRows, dgu, dout, gu, f}
	p.rows(n, 8*f, &p.ops.gated)
}

func gegluGradRows(t *gatedTask, lo, hi int) {
	f := t.f
	for i := lo; i < hi; i++ {
		dgu, dout, gu := t.a[2*i*f:2*i*f+2*f], t.b[i*f:i*f+f], t.c[2*i*f:2*i*f+2*f]
		dgate, dup, gate, up := dgu[:f], dgu[f:], gu[:f], gu[f:]
		mulScale(dgate, dout, up, 1)
		geluGrad(dgate, dgate, gate)
		gelu(dup, gate)
		mulScale(dup, dup, dout, 1)
	}
}

// GELU is the tanh form (Hendrycks and Gimpel 2016; gelu_new in transformers): out = x·(1 + tanh(sqrt(2/π)·(x +
// 0.044715 x³)))/2. out, x (n, f); out may be x.
func (p *Pool) GELU(out, x []float32, n, f int) {
	need(n*f, out, x)
	p.ops.gated = gatedTask{geluRows, out[:n*f], x[:n*f], nil, f}
	p.elements(n*f, &p.ops.gated)
}

func geluRows(t *gatedTask, lo, hi int) { gelu(t.a[lo:hi], t.b[lo:hi]) }

// GELUBackward: dx = dout·GELU'(x). dx may be dout or x.
func (p *Pool) GELUBackward(dx, dout, x []float32, n, f int) {
	need(n*f, dx, dout, x)
	p.ops.gated = gatedTask{geluGradRows, dx[:n*f], dout[:n*f], x[:n*f], f}
	p.elements(n*f, &p.ops.gated)
}

func geluGradRows(t *gatedTask, lo, hi int) { geluGrad(t.a[lo:hi], t.b[lo:hi], t.c[lo:hi]) }
