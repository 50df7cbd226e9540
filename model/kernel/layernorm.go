package kernel

// LayerNorm: out = ((x-mean)·rstd)·w + b with rstd = 1/sqrt(mean((x-mean)²) + eps) (Ba, Kiros, Hinton 2016).
// out, x (n, c); w, b (c); mean, rstd (n), kept for the backward. out may be x.
func (p *Pool) LayerNorm(out, x, w, b, mean, rstd []float32, n, c int, eps float32) {
	need(n*c, out, x)
	need(c, w, b)
	need(n, mean, rstd)
	t := &p.ops.layerNorm
	*t = layerNormTask{out, x, w, b, mean, rstd, c, eps}
	p.rows(n, c, t)
}

type layerNormTask struct {
	out, x, w, b, mean, rstd []float32
	c                        int
	eps                      float32
}

func (t *layerNormTask) rows(_, lo, hi int) {
	c := t.c
	for i := lo; i < hi; i++ {
		x := t.x[i*c : i*c+c]
		m := sum(x) / float32(c)
		s := 1 / sqrt32(variance(x, m)/float32(c)+t.eps)
		t.mean[i], t.rstd[i] = m, s
		layerNorm(t.out[i*c:i*c+c], x, t.w[:c], t.b[:c], m, s)
	}
}

// LayerNormBackward: with g = dy·w and u = (x-mean)·rstd, dx = rstd·((g - mean(g)) - u·mean(g·u)) (+ dres when not
// nil), dw += Σ rows dy·u, db += Σ rows dy (both skipped when nil). dx may be dy or dres, and is skipped when nil.
func (p *Pool) LayerNormBackward(dx, dy, x, w, mean, rstd, dw, db, dres []float32, n, c int) {
	if dx != nil {
		need(n*c, dx)
	}
	need(n*c, dy, x)
	need(c, w)
	need(n, mean, rstd)
	t := &p.ops.layerNormGrad
	*t = layerNormGradTask{dx, dy, x, w, mean, rstd, dw, db, dres, n, c}
	if dres != nil {
		need(n*c, dres)
	}
	if dw != nil {
		need(c, dw)
	}
	if db != nil {
		need(c, db)
	}
	if dw != nil || db != nil { // first, because dx may overwrite dy
		p.ops.layerNormDW = layerNormDWTask(*t)
		p.columns(n, c, &p.ops.layerNormDW)
	}
	if dx != nil {
		p.rows(n, 2*c, t)
	}
}

type layerNormGradTask struct {
	dx, dy, x, w, mean, rstd, dw, db, dres []float32
	n, c                                   int
}

// layerNormDWTask is the same arguments split by column.
type layerNormDWTask layerNormGradTask

func (t *layerNormDWTask) rows(_, lo, hi int) {
	c0, c1 := lo*columnBlock, min(t.c, hi*columnBlock)
	if t.dw != nil {
		layerNormRows(t.dw[c0:c1], t.dy[c0:], t.x[c0:], t.mean, t.rstd, t.c, t.n)
	}
	if t.db != nil {
		addRows(t.db[c0:c1], t.dy[c0:], t.c, t.n)
	}
}

func (t *layerNormGradTask) rows(_, lo, hi int) {
	c := t.c
	for i := lo; i < hi; i++ {
		at, to := i*c, i*c+c
		dx, dy, x := t.dx[at:to], t.dy[at:to], t.x[at:to]
		m, s := t.mean[i], t.rstd[i]
		g, gx := layerNormSums(dy, t.w[:c], x, m, s)
		if t.dres == nil {
			layerNormGrad(dx, dy, t.w[:c], x, m, s, g/float32(c), gx/float32(c))
		} else {
			layerNormGradAdd(dx, dy, t.w[:c], x, t.dres[at:to], m, s, g/float32(c), gx/float32(c))
		}
	}
}
