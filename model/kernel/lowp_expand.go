package kernel

// expandTask is a product with weights that are expanded to float32 on the way: C in strips of columns. A strip's
// weights are expanded a piece of k at a time and meet all rows of A in the float32 product, so the bits are those of
// that product: one chain of fused multiply-adds over k ascending. Scratch is one piece a worker.
type expandTask struct {
	p          *Pool
	f          Form // NN or NT, with the weights as they are stored on the right
	m, n, k    int
	a, c       []float32
	w          *Weights
	lda, ldc   int
	accumulate bool
	strip      int // columns
}

const (
	expandStrip = 96  // columns at most
	expandPiece = 512 // of k
	packedRows  = 16  // of A: with more of them packing expands bfloat16, see packBF16
)

// GemmDequantized is the product of [Pool.GemmWeights] with the float32 values that the weights stand for, whatever
// their format: its bits are those of [Pool.Gemm] with the matrix of these values, for any number of threads. In blocks
// it serves both forms and does not round the rows of A, so it is the forward product whose input gradient (of the
// other form) is the product with the same weights: what training through frozen weights needs. For F32 and BF16 it is
// GemmWeights.
func (p *Pool) GemmDequantized(f Form, m int, a []float32, lda int, w *Weights, c []float32, ldc int, accumulate bool) {
	n, k := w.Rows, w.Cols
	if f == NN {
		n, k = k, n
	}
	checkMatrix(a, m, k, lda)
	checkMatrix(c, m, n, ldc)
	switch {
	case m == 0 || n == 0:
		return
	case k == 0 || w.DType == F32:
		p.Gemm(f, m, n, k, a, lda, w.f32, w.Cols, c, ldc, accumulate)
		return
	case w.DType == BF16 && packsBF16 && path != generic && m > packedRows:
		p.gemm.product = product{m: m, n: n, k: k, a: a, b16: w.bf16, c: c, ai: lda, ap: 1, bp: 1, bj: w.Cols, ldc: ldc,
			accumulate: accumulate}
		if f == NN {
			p.gemm.bp, p.gemm.bj = w.Cols, 1
		}
		p.gemmVector()
		return
	}
	t := expandTask{p: p, f: f, m: m, n: n, k: k, a: a, c: c, w: w, lda: lda, ldc: ldc, accumulate: accumulate}
	if w.DType.InBlocks() { // stored as (out, in), and so on the right of its own product as in NT
		t.f = NN
		if f == w.Form {
			t.f = NT
		}
	}
	t.strip = max(32, min(expandStrip, n/(4*len(p.workers))&^31))
	if t.f == NT && w.DType == BF16 {
		switch {
		case m == 1: // one sweep over the weights
			t.strip = max(64, n/(8*len(p.workers))&^15)
		case m <= 4: // the strip stays in the first cache
			t.strip = 16
		}
	}
	for len(p.lowp.strips) < len(p.workers) {
		p.lowp.strips = append(p.lowp.strips, make([]float32, expandStrip*expandPiece+16))
	}
	p.lowp.expand = t
	p.Do((n+t.strip-1)/t.strip, &p.lowp.expand)
}

func (t *expandTask) Run(worker, i int) {
	j := i * t.strip
	n := min(t.strip, t.n-j)
	if t.f == NT && t.m == 1 && t.w.DType == BF16 {
		done := vectorBF16(t.k, n, t.a, t.w.bf16[j*t.w.Cols:], t.w.Cols, t.c[j:], t.accumulate)
		j += done
		n -= done
	}
	for ; n > 0; n -= expandStrip {
		t.columns(worker, j, min(n, expandStrip))
		j += expandStrip
	}
}

// columns computes n columns of C from column j on.
func (t *expandTask) columns(worker, j, n int) {
	s := t.p.lowp.strips[worker]
	for at := 0; at < t.k; at += expandPiece {
		k, ld := min(expandPiece, t.k-at), n
		if t.f == NT {
			ld = k
			t.w.expand(s, j, n, at, k)
		} else {
			t.w.expand(s, at, k, j, n)
		}
		t.p.GemmSerial(worker, t.f, t.m, n, k, t.a[at:], t.lda, s, ld, t.c[j:], t.ldc, t.accumulate || at > 0)
	}
}

// expand writes rows [row, row+rows) and columns [col, col+cols) of the stored matrix to dst (rows, cols). In blocks
// it is (out, in) whatever the form.
func (w *Weights) expand(dst []float32, row, rows, col, cols int) {
	if w.DType.InBlocks() {
		w.q.expand(dst, row, rows, col, cols)
		return
	}
	for r := range rows {
		expandBF16(dst[r*cols:][:cols], w.bf16[(row+r)*w.Cols+col:])
	}
}
