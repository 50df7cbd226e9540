package kernel

// AddResidual: out[i] = s·out[i] + res[i], or + res[ids[i]] where ids is not nil, for n rows of width c. It is the
// residual addition of models that scale what a sublayer adds to the stream. out must not overlap res.
func (p *Pool) AddResidual(out, res []float32, ids []int32, s float32, n, c int) {
	need(n*c, out)
	if ids == nil {
		need(n*c, res)
	}
	p.ops.residual = residualTask{out, residual{res, ids}, s, c}
	p.rows(n, 2*c, &p.ops.residual)
}

// residual is rows that are added to others: x[i] to row i, or x[ids[i]] where ids is not nil.
type residual struct {
	x   []float32
	ids []int32
}

func (r residual) row(i, c int) []float32 {
	if r.ids != nil {
		i = int(r.ids[i])
	}
	return r.x[i*c : i*c+c]
}

type residualTask struct {
	out []float32
	res residual
	s   float32
	c   int
}

func (t *residualTask) rows(_, lo, hi int) {
	for i := lo; i < hi; i++ {
		row := t.out[i*t.c : i*t.c+t.c]
		scale(row, t.s)
		add(row, row, t.res.row(i, t.c))
	}
}
