package kernel

import (
	"math"

	"instruct/model/kernel/float16"
)

// A product of bfloat16 is one of float32 whose operands are rounded to bfloat16, nearest even, and in which subnormal
// numbers are 0, with their sign: those of A, of B, of C where it is added to, and what comes out of a step. Each
// element of C remains one chain of multiply-adds over k ascending, each rounded once to float32. Where the CPU has
// AVX512-BF16 and is faster with it, two steps of a chain are one instruction, VDPBF16PS, which does exactly this (see
// dot_amd64.go); everywhere else the float32 products do it on rounded operands. So the bits are the same on every CPU.

// GemmBF16 is [Pool.Gemm] of form TN, C(m,n) = Aᵀ·B or C += Aᵀ·B, with A (k,m) and B (k,n) rounded to bfloat16:
// the gradient of weights in bfloat16.
func (p *Pool) GemmBF16(m, n, k int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int, accumulate bool) {
	g := newProduct(TN, m, n, k, a, lda, b, ldb, c, ldc, accumulate)
	g.flush = true
	if g.trivial() {
		return
	}
	if dots() {
		p.gemmPairs(g, lda)
		return
	}
	g.a, g.ap = p.rounded(0, a, k, m, lda), m
	g.b, g.bp = p.rounded(1, b, k, n, ldb), n
	p.product(g)
}

// gemmWeightsBF16 is GemmWeights with weights in bfloat16.
func (p *Pool) gemmWeightsBF16(f Form, m int, a []float32, lda int, w *Weights, c []float32, ldc int, accumulate bool) {
	n, k := w.sizes(f)
	checkMatrix(a, m, k, lda)
	checkMatrix(c, m, n, ldc)
	g := w.product(f, m, a, lda, c, ldc, accumulate)
	g.flush = true
	switch {
	case g.trivial():
	case m > packedRows && (f == NN || k%2 == 0) && dots(): // else the rows of weights begin amid pairs
		p.gemmPairs(g, lda)
	default:
		g.a, g.ai = p.rounded(0, a, m, k, lda), k
		p.expandBF16Weights(g, f, w)
	}
}

// rounded gives operand i (rows, cols), whose rows lie ld apart in x, as values of bfloat16, its rows one after the
// other. It is valid until the next product.
func (p *Pool) rounded(i int, x []float32, rows, cols, ld int) []float32 {
	dst := p.operandScratch(i, rows*cols)
	p.lowp.operand = operandTask{dst: dst, x: x, cols: cols, ld: ld}
	if cols == ld {
		p.elements(rows*cols, &p.lowp.operand)
	} else {
		p.rows(rows, cols, &p.lowp.operand)
	}
	return dst
}

// operandScratch gives n floats for operand i.
func (p *Pool) operandScratch(i, n int) []float32 {
	s := &p.lowp.operands[i]
	if len(*s) < n {
		*s = make([]float32, n)
	}
	return (*s)[:n]
}

// operandTask rounds rows of a matrix, or values of it, where nothing lies between its rows.
type operandTask struct {
	dst, x   []float32
	cols, ld int
}

func (t *operandTask) rows(_, lo, hi int) {
	if t.cols == t.ld {
		roundValues(t.dst[lo:hi], t.x[lo:])
		return
	}
	for i := lo; i < hi; i++ {
		roundValues(t.dst[i*t.cols:][:t.cols], t.x[i*t.ld:])
	}
}

// roundValuesGeneric does dst = src rounded to bfloat16 as an operand is: a subnormal number becomes 0 first.
func roundValuesGeneric(dst, src []float32) {
	for i := range dst {
		dst[i] = float16.FromBF16(float16.ToBF16(flushed(src[i])))
	}
}

// flushValues makes subnormal values 0.
func flushValues(x []float32) {
	for i, v := range x {
		x[i] = flushed(v)
	}
}

// flushed is x, or 0 with its sign where it is subnormal.
func flushed(x float32) float32 {
	if u := math.Float32bits(x); u&0x7f800000 == 0 {
		return math.Float32frombits(u & 0x80000000)
	}
	return x
}

// flushedFMA is a·b + c with one rounding, a, b and c not subnormal, and 0 with its sign where that is subnormal. What
// rounds to 2^-126 only because subnormal numbers have fewer digits is 0 too: CPUs look at the result as if its exponent
// had no bound. The float64 sum is exact about that limit, where a and b have 8 digits.
func flushedFMA(a, b, c float32) float32 {
	s := float64(float64(a)*float64(b)) + float64(c)
	if math.Abs(s) < 0x1p-126-0x1p-151 {
		return float32(math.Copysign(0, s))
	}
	return fma32(a, b, c)
}
