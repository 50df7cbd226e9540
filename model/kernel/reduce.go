package kernel

import "sync/atomic"

// SumSquares is Σ x²: blocks of 4096 elements in float32 (16 lanes and a tree), their sums added in float64 in order.
func (p *Pool) SumSquares(x []float32) float64 {
	n := (len(x) + squaresBlock - 1) / squaresBlock
	t := &p.ops.squares
	if cap(t.sums) < n {
		t.sums = make([]float32, n)
	}
	t.x, t.sums = x, t.sums[:n]
	p.rows(n, squaresBlock, t)
	var s float64
	for _, b := range t.sums {
		s += float64(b)
	}
	return s
}

const squaresBlock = 4096

// AllFinite says whether x has no Inf and no NaN.
func (p *Pool) AllFinite(x []float32) bool {
	t := &p.ops.finite
	t.x = x
	t.found.Store(false)
	p.elements(len(x), t)
	return !t.found.Load()
}

type finiteTask struct {
	x     []float32
	found atomic.Bool
}

func (t *finiteTask) rows(_, lo, hi int) {
	if !t.found.Load() && !finite(t.x[lo:hi]) {
		t.found.Store(true)
	}
}

type squaresTask struct {
	x, sums []float32
}

func (t *squaresTask) rows(_, lo, hi int) {
	for i := lo; i < hi; i++ {
		x := t.x[i*squaresBlock : min(len(t.x), (i+1)*squaresBlock)]
		t.sums[i] = dot(x, x)
	}
}

// expBlock is how many exponentials are added up in float32; the sums of such blocks are added in float64. In one
// float32 sum over a vocabulary of 50,000 the many small ones are lost beside the largest, and log-probabilities are
// too high: 7e-6 in the mean with SmolLM2.
const expBlock = 1024

// expSumLong does x = exp(x-m) and gives Σ x: float64 sums of the float32 sums over blocks.
func expSumLong(x []float32, m float32) (sum float64) {
	for len(x) > 0 {
		b := x[:min(expBlock, len(x))]
		sum += float64(expSum(b, b, m))
		x = x[len(b):]
	}
	return sum
}

// sumExpLong is the sum of expSumLong.
func sumExpLong(x []float32, m float32) (sum float64) {
	for len(x) > 0 {
		b := x[:min(expBlock, len(x))]
		sum += float64(sumExp(b, m))
		x = x[len(b):]
	}
	return sum
}

// ScaledExp does dst = exp(x·s - top), where top is the largest x·s, and gives top and Σ dst.
func ScaledExp(dst, x []float32, s float32) (top float32, sum float64) {
	dst = dst[:len(x)]
	copy(dst, x)
	top = maxScale(dst, s)
	return top, expSumLong(dst, top)
}
