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
//
// A is rounded first, as a whole; B while it is packed.

// Rounded gives x as values of bfloat16 for several products that have it as their A: products take it as it is. Where
// VDPBF16PS needs pairs it is x itself. It is valid until a product with another A.
func (p *Pool) Rounded(x []float32) []float32 {
	if dots() || len(x) == 0 {
		return x
	}
	return p.rounded(NN, 1, len(x), x, len(x))
}

// GemmBF16 is [Pool.Gemm] with A and B rounded to bfloat16.
func (p *Pool) GemmBF16(f Form, m, n, k int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int,
	accumulate bool) {
	g := newProduct(f, m, n, k, a, lda, b, ldb, c, ldc, accumulate)
	g.rounds = true
	if g.trivial() {
		return
	}
	if dots() {
		g = p.pairs(g, lda)
	} else {
		g.a = p.rounded(f, m, k, a, lda)
		g.ai, g.ap = k, 1
		if f == TN {
			g.ai, g.ap = 1, m
		}
		if !g.vectors() {
			g.b = p.operand(1, len(b))
			roundValuesGeneric(g.b, b)
		}
	}
	p.product(g)
}

// GemmRounded is [Pool.GemmWeights] with float32 weights and both operands rounded to bfloat16.
func (p *Pool) GemmRounded(f Form, m int, a []float32, lda int, w *Weights, c []float32, ldc int, accumulate bool) {
	n, k := w.Rows, w.Cols
	if f == NN {
		n, k = k, n
	}
	p.GemmBF16(f, m, n, k, a, lda, w.f32, w.Cols, c, ldc, accumulate)
}

// rounded gives A of a product of form f as values of bfloat16, its rows one after the other; what Rounded gave as it
// is.
func (p *Pool) rounded(f Form, rows, cols int, x []float32, ld int) []float32 {
	if f == TN {
		rows, cols = cols, rows
	}
	if s := p.lowp.operands[0]; len(s) > 0 && &s[0] == &x[0] && ld == cols {
		return x
	}
	dst := p.operand(0, rows*cols)
	p.lowp.operand = operandTask{dst, x, cols, ld}
	if cols == ld {
		p.elements(rows*cols, &p.lowp.operand)
	} else {
		p.rows(rows, cols, &p.lowp.operand)
	}
	return dst
}

// operand gives room for A (0) or B (1).
func (p *Pool) operand(i, floats int) []float32 {
	s := &p.lowp.operands[i]
	if len(*s) < floats {
		*s = make([]float32, floats)
	}
	return (*s)[:floats]
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

// flushed is x, or 0 with its sign where it is subnormal.
func flushed(x float32) float32 {
	if u := math.Float32bits(x); u&0x7f800000 == 0 {
		return math.Float32frombits(u & 0x80000000)
	}
	return x
}

// flushedFMA is a·b + c with one rounding, a, b and c not subnormal, and 0 with its sign where that is subnormal. What
// rounds to 2^-126 only because subnormal numbers have fewer digits is 0 too: CPUs look at the result as if its
// exponent had no bound. The float64 sum is exact about that limit, where a and b have 8 digits.
func flushedFMA(a, b, c float32) float32 {
	s := float64(float64(a)*float64(b)) + float64(c)
	if math.Abs(s) < 0x1p-126-0x1p-151 {
		return float32(math.Copysign(0, s))
	}
	return fma32(a, b, c)
}
