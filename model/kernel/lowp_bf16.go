package kernel

import (
	"math"
	"sync/atomic"
)

// roundBF16Generic is the specification: dst = src rounded to bfloat16, nearest even; a NaN stays a quiet NaN.
func roundBF16Generic(dst []uint16, src []float32) {
	for i := range dst {
		u := math.Float32bits(src[i])
		if u&0x7fffffff > 0x7f800000 {
			dst[i] = uint16(u>>16) | 0x40
		} else {
			dst[i] = uint16((u + 0x7fff + u>>16&1) >> 16)
		}
	}
}

// expandBF16Generic is the specification: dst = src as float32, which is exact.
func expandBF16Generic(dst []float32, src []uint16) {
	src = src[:len(dst)]
	for i, u := range src {
		dst[i] = math.Float32frombits(uint32(u) << 16)
	}
}

type roundTask struct {
	dst []uint16
	src []float32
}

// RoundBF16: dst = src rounded to bfloat16.
func (p *Pool) RoundBF16(dst []uint16, src []float32) {
	need(src, len(dst))
	p.lowp.round = roundTask{dst, src}
	p.elements(len(dst), &p.lowp.round)
}

func (t *roundTask) rows(_, lo, hi int) { roundBF16(t.dst[lo:hi], t.src[lo:hi]) }

// bf16Task is a product with BF16 weights: C in strips of columns. A strip's weights are expanded to float32, a piece of k at a time, and meet all rows of A in the float32
// product, so the bits are those of that product: one chain of fused multiply-adds over k ascending.
type bf16Task struct {
	p          *Pool
	f          Form
	m, n, k    int
	a, c       []float32
	b          []uint16
	lda, ldb   int
	ldc        int
	accumulate bool
	nc, kc     int // columns of a strip, and the piece of k
}

const (
	bf16Strip = 96
	bf16Piece = 512
)

func (p *Pool) gemmBF16(f Form, m, n, k int, a []float32, lda int, w *Weights, c []float32, ldc int, accumulate bool) {
	if m == 0 || n == 0 {
		return
	}
	nc := max(16, min(bf16Strip, n/(4*len(p.workers))&^15))
	switch {
	case m == 1 && f == NT: // one sweep over the weights
		nc = max(64, n/(8*len(p.workers))&^15)
	case m <= 4 && f == NT: // the strip stays in the first cache
		nc = 16
	}
	p.lowp.bf16 = bf16Task{p, f, m, n, k, a, c, w.bf16, lda, w.Cols, ldc, accumulate, nc, bf16Piece}
	for len(p.lowp.strips) < len(p.workers) {
		p.lowp.strips = append(p.lowp.strips, make([]float32, bf16Strip*bf16Piece+16))
	}
	p.Do((n+nc-1)/nc, &p.lowp.bf16)
}

func (t *bf16Task) Run(w, i int) {
	j := i * t.nc
	nc := min(t.nc, t.n-j)
	if t.f == NT && t.m == 1 {
		done := vectorBF16(t.k, nc, t.a, t.b[j*t.ldb:], t.ldb, t.c[j:], t.accumulate)
		j, nc = j+done, nc-done
	}
	for ; nc > 0; j, nc = j+bf16Strip, nc-bf16Strip {
		t.strip(w, j, min(nc, bf16Strip))
	}
}

// strip computes nc columns of C from column j on.
func (t *bf16Task) strip(w, j, nc int) {
	s := t.p.lowp.strips[w]
	for k := 0; k < t.k; k += t.kc {
		kc, ld := min(t.kc, t.k-k), nc
		if t.f == NT {
			ld = kc
			for r := range nc {
				expandBF16(s[r*ld:][:ld], t.b[(j+r)*t.ldb+k:])
			}
		} else {
			for r := range kc {
				expandBF16(s[r*ld:][:ld], t.b[(k+r)*t.ldb+j:])
			}
		}
		t.p.GemmSerial(w, t.f, t.m, nc, kc, t.a[k:], t.lda, s, ld, t.c[j:], t.ldc, t.accumulate || k > 0)
	}
}

// lowpTasks keeps arguments and scratch of the products with BF16 and Q8_0 weights.
type lowpTasks struct {
	round    roundTask
	bf16     bf16Task
	strips   [][]float32 // by worker
	q8       q8Task
	quantize quantizeTask
	weights  packTask
	bad      atomic.Bool // a value that Q8_0 cannot hold
	rows     []byte      // activations as Q8_0
}
