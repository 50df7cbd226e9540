package kernel

import "math"

// Low is a product of two narrow matrices that is added to weights: Scale*high·low, with low (Rank, in) and high
// (rows, Rank).
type Low struct {
	High, Low []float32
	Rank      int
	Scale     float32
}

// normTask is RowNorms.
type normTask struct {
	p          *Pool
	norms      []float32
	w          *Weights
	low        Low
	from, rows int
	in         int
	scratch    [][]float32 // by worker
}

// normRows is how many outputs a worker takes at one time.
const normRows = 16

// RowNorms: norms[j] = |W_j + Scale*(high·low)_j|, the Euclidean norm of the weights of output from+j with the product
// added to them, for rows outputs.
func (p *Pool) RowNorms(norms []float32, w *Weights, from, rows int, low Low) {
	in := w.Cols
	if w.Form == NN {
		in = w.Rows
	}
	need(rows, norms)
	need(rows*low.Rank, low.High)
	need(low.Rank*in, low.Low)
	t := &p.ops.norms
	if len(t.scratch) < len(p.workers) || len(t.scratch[0]) < 2*normRows*in {
		t.scratch = make([][]float32, len(p.workers))
		for i := range t.scratch {
			t.scratch[i] = make([]float32, 2*normRows*in)
		}
	}
	t.p, t.norms, t.w, t.low, t.from, t.rows, t.in = p, norms, w, low, from, rows, in
	p.Do((rows+normRows-1)/normRows, t)
}

// Run does some outputs.
func (t *normTask) Run(worker, i int) {
	first := i * normRows
	n := min(normRows, t.rows-first)
	delta, values := t.scratch[worker][:n*t.in], t.scratch[worker][normRows*t.in:][:n*t.in]
	r := t.low.Rank
	t.p.GemmSerial(worker, NN, n, t.in, r, t.low.High[first*r:], r, t.low.Low, t.in, delta, t.in, false)
	t.w.outputs(values, t.from+first, n)
	scale(delta, t.low.Scale)
	add(values, values, delta)
	for j := range n {
		x := values[j*t.in:][:t.in]
		t.norms[first+j] = float32(math.Sqrt(float64(dot(x, x))))
	}
}

// outputs writes the weights of outputs [from, from+n) to dst (n, in).
func (w *Weights) outputs(dst []float32, from, n int) {
	switch {
	case w.DType.InBlocks():
		w.q.expand(dst, from, n, 0, w.q.in)
	case w.Form == NT && w.DType == F32:
		copy(dst[:n*w.Cols], w.f32[from*w.Cols:])
	case w.Form == NT:
		w.expand(dst, from, n, 0, w.Cols)
	default: // the columns of (in, out)
		for i := range w.Rows {
			for j := range n {
				at := i*w.Cols + from + j
				if w.DType == F32 {
					dst[j*w.Rows+i] = w.f32[at]
				} else {
					expandBF16(dst[j*w.Rows+i:][:1], w.bf16[at:])
				}
			}
		}
	}
}

type gainTask struct {
	out, x, gains []float32
	c             int
	add           bool
}

// ScaleColumns: x[i][j] *= gains[j] for n rows of width c, and where out is not nil out = x, or out += x where add is
// set.
func (p *Pool) ScaleColumns(out, x, gains []float32, n, c int, add bool) {
	need(n*c, x)
	need(c, gains)
	if out != nil {
		need(n*c, out)
	}
	p.ops.gains = gainTask{out, x, gains[:c], c, add}
	p.rows(n, 2*c, &p.ops.gains)
}

func (t *gainTask) rows(_, lo, hi int) {
	for i := lo; i < hi; i++ {
		x := t.x[i*t.c:][:t.c]
		mulScale(x, x, t.gains, 1)
		switch {
		case t.out == nil:
		case t.add:
			add(t.out[i*t.c:][:t.c], t.out[i*t.c:][:t.c], x)
		default:
			copy(t.out[i*t.c:][:t.c], x)
		}
	}
}

type columnDotTask struct {
	dst, x, y, ones []float32
	n, c            int
}

// ColumnDot: dst[j] += Σ x[i][j]·y[i][j] over n rows of width c, in the order of the rows.
func (p *Pool) ColumnDot(dst, x, y []float32, n, c int) {
	need(c, dst)
	need(n*c, x, y)
	t := &p.ops.columnDot
	for len(t.ones) < n {
		t.ones = append(t.ones, 1)
	}
	t.dst, t.x, t.y, t.n, t.c = dst, x, y, n, c
	p.columns(n, c, t)
}

func (t *columnDotTask) rows(_, lo, hi int) {
	c0, c1 := lo*columnBlock, min(t.c, hi*columnBlock)
	mulAddRows(t.dst[c0:c1], t.x[c0:], t.y[c0:], t.ones, t.c, t.n)
}
