package kernel

// RMSNorm: out = w·(x·inv) with inv[i] = 1/sqrt(mean(x[i]²) + eps) (Zhang and Sennrich 2019; order of products as in
// transformers' LlamaRMSNorm). out, x (n, c); w (c); inv (n), kept for the backward. out may be x.
func (p *Pool) RMSNorm(out, x, w, inv []float32, n, c int, eps float32) {
	p.HeadRMSNorm(out, x, w, inv, n, c, 0, 1, c, eps)
}

// RMSNormAdd is RMSNorm of a sublayer's output with the residual added in the same pass: out[i] = w·(x[i]·inv) +
// res[i], or + res[ids[i]] where ids is not nil. res has rows of width c. out must not overlap x or res.
func (p *Pool) RMSNormAdd(out, x, res []float32, ids []int32, w, inv []float32, n, c int, eps float32) {
	if ids == nil {
		need(n*c, res)
	}
	p.rmsNorm(rmsNormTask{headShape{n, c, 0, 1, c}, out, x, w, inv, eps, residual{res, ids}})
}

// HeadRMSNorm is RMSNorm on heads vectors of size d inside each row: vector (i, h) lies at x[i·stride+offset+h·d],
// likewise in out; w (d), inv (n·heads). It is the q/k norm of Qwen3. out may be x.
func (p *Pool) HeadRMSNorm(out, x, w, inv []float32, n, stride, offset, heads, d int, eps float32) {
	p.rmsNorm(rmsNormTask{headShape{n, stride, offset, heads, d}, out, x, w, inv, eps, residual{}})
}

func (p *Pool) rmsNorm(t rmsNormTask) {
	t.check(t.x)
	t.check(t.out)
	need(t.d, t.w)
	need(t.n*t.heads, t.inv)
	p.ops.rmsNorm = t
	p.rows(t.n, t.heads*t.d, &p.ops.rmsNorm)
}

// headShape is a set of vectors: in each of n rows, stride floats apart, heads vectors of size d from offset on.
type headShape struct{ n, stride, offset, heads, d int }

func (s headShape) check(x []float32) {
	if s.n < 0 || s.heads < 0 || s.d < 0 || s.offset < 0 || s.offset+s.heads*s.d > s.stride {
		panic("kernel: heads do not fit the row")
	}
	if s.n > 0 {
		need((s.n-1)*s.stride+s.offset+s.heads*s.d, x)
	}
}

type rmsNormTask struct {
	headShape
	out, x, w, inv []float32
	eps            float32
	res            residual // added where there is one
}

func (t *rmsNormTask) rows(_, lo, hi int) {
	w := t.w[:t.d]
	for i := lo; i < hi; i++ {
		for h := range t.heads {
			at := i*t.stride + t.offset + h*t.d
			x := t.x[at : at+t.d]
			s := 1 / sqrt32(dot(x, x)/float32(t.d)+t.eps)
			t.inv[i*t.heads+h] = s
			out := t.out[at : at+t.d]
			mulScale(out, x, w, s)
			if t.res.x != nil {
				add(out, out, t.res.row(i, t.d))
			}
		}
	}
}

// RMSNormBackward: with g = dy·w and u = x·inv, dx = inv·(g - u·mean(g·u)) (+ dres when not nil) and dw += Σ rows
// dy·u (skipped when dw is nil). dx may be dy or dres, and is skipped when nil.
func (p *Pool) RMSNormBackward(dx, dy, x, w, inv, dw, dres []float32, n, c int) {
	p.headRMSNormBackward(dx, dy, x, w, inv, dw, dres, n, c, 0, 1, c)
}

// HeadRMSNormBackward is the backward of HeadRMSNorm; dx, dy and x have one stride. dx may be dy, and is skipped when
// nil.
func (p *Pool) HeadRMSNormBackward(dx, dy, x, w, inv, dw []float32, n, stride, offset, heads, d int) {
	p.headRMSNormBackward(dx, dy, x, w, inv, dw, nil, n, stride, offset, heads, d)
}

type rmsNormGradTask struct {
	headShape
	dx, dy, x, w, inv, dw, dres []float32
}

// rmsNormDWTask is the same arguments split by column.
type rmsNormDWTask rmsNormGradTask

func (p *Pool) headRMSNormBackward(dx, dy, x, w, inv, dw, dres []float32, n, stride, offset, heads, d int) {
	t := &p.ops.rmsNormGrad
	*t = rmsNormGradTask{headShape{n, stride, offset, heads, d}, dx, dy, x, w, inv, dw, dres}
	t.check(dy)
	t.check(x)
	need(d, w)
	need(n*heads, inv)
	if dx != nil {
		t.check(dx)
	}
	if dres != nil {
		t.check(dres)
	}
	if dw != nil { // first, because dx may overwrite dy
		need(d, dw)
		p.ops.rmsNormDW = rmsNormDWTask(*t)
		p.columns(n*heads, d, &p.ops.rmsNormDW)
	}
	if dx != nil {
		p.rows(n, 2*heads*d, t)
	}
}

func (t *rmsNormDWTask) rows(_, lo, hi int) {
	c0, c1 := lo*columnBlock, min(t.d, hi*columnBlock)
	dw := t.dw[c0:c1]
	if t.heads == 1 {
		mulAddRows(dw, t.dy[t.offset+c0:], t.x[t.offset+c0:], t.inv, t.stride, t.n)
		return
	}
	for i := range t.n {
		at := i*t.stride + t.offset + c0
		mulAddRows(dw, t.dy[at:], t.x[at:], t.inv[i*t.heads:], t.d, t.heads)
	}
}

func (t *rmsNormGradTask) rows(_, lo, hi int) {
	w := t.w[:t.d]
	for i := lo; i < hi; i++ {
		for h := range t.heads {
			at := i*t.stride + t.offset + h*t.d
			to := at + t.d
			s := t.inv[i*t.heads+h]
			c := dot3(t.dy[at:to], w, t.x[at:to], s) / float32(t.d)
			if t.dres == nil {
				rmsGrad(t.dx[at:to], t.dy[at:to], w, t.x[at:to], s, c)
			} else {
				rmsGradAdd(t.dx[at:to], t.dy[at:to], w, t.x[at:to], t.dres[at:to], s, c)
			}
		}
	}
}
