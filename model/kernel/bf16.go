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
// Values are rounded where they are written, by [Pool.Rounding], or by [Pool.Round]; B while it is packed, too.

// Pairs says whether products of bfloat16 run on VDPBF16PS, and so round their operands themselves, into pairs of their
// own: rounding before is in vain there.
func Pairs() bool { return dots() }

// PairBytes is the memory in which a Pool keeps A as pairs, n values of at most rows rows.
func PairBytes(rows, n int) int { return 2*n + 128*rows }

// Round does dst = x rounded to bfloat16 as an operand is. dst may be x.
func (p *Pool) Round(dst, x []float32) {
	need(len(x), dst)
	p.lowp.values = valuesTask{dst, x}
	p.elements(len(x), &p.lowp.values)
}

type valuesTask struct{ dst, x []float32 }

func (t *valuesTask) rows(_, lo, hi int) { roundValues(t.dst[lo:hi], t.x[lo:]) }

// Rounding has the next kernel that is split by rows of out, or by its values, round them as Round does, while they are
// in the caches. The kernel must write the whole of out, and nothing else that is split.
func (p *Pool) Rounding(out []float32) { p.rounding = out }

// roundingTask is t with its rows of out rounded.
type roundingTask struct {
	t     rowTask
	out   []float32
	width int
}

func (r *roundingTask) rows(w, lo, hi int) {
	const floats = 4096 // of the first cache
	for step := max(1, floats/r.width); lo < hi; lo += step {
		end := min(hi, lo+step)
		r.t.rows(w, lo, end)
		x := r.out[lo*r.width : end*r.width]
		roundValues(x, x)
	}
}

// GemmBF16 is [Pool.Gemm] with A and B rounded to bfloat16. A is rounded already, except where Pairs; so is B where
// rounded.
func (p *Pool) GemmBF16(f Form, m, n, k int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int,
	accumulate, rounded bool) {
	g := newProduct(f, m, n, k, a, lda, b, ldb, c, ldc, accumulate)
	g.flush, g.roundB = true, !rounded
	switch {
	case g.trivial():
		return
	case dots():
		g = p.pairs(g)
	case g.roundB && !g.vectors():
		g.b = p.operand(len(b))
		roundValuesGeneric(g.b, b)
	}
	p.product(g)
}

// GemmRounded is [Pool.GemmWeights] with float32 weights and both operands rounded to bfloat16: A already, as in
// GemmBF16.
func (p *Pool) GemmRounded(f Form, m int, a []float32, lda int, w *Weights, c []float32, ldc int, accumulate bool) {
	n, k := w.Rows, w.Cols
	if f == NN {
		n, k = k, n
	}
	p.GemmBF16(f, m, n, k, a, lda, w.f32, w.Cols, c, ldc, accumulate, false)
}

// operand gives room for an operand.
func (p *Pool) operand(floats int) []float32 {
	s := &p.lowp.operand
	if len(*s) < floats {
		*s = make([]float32, floats)
	}
	return (*s)[:floats]
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
