//go:build amd64 && !purego

package kernel

import (
	"math"

	"instruct/model/kernel/float16"
)

// Products of bfloat16 by AVX512-BF16. VDPBF16PS multiplies pairs: sixteen lanes of two bfloat16, of which the odd half
// (the upper 16 bits) is multiplied and added first and the even half next, each step rounded once to nearest even with
// subnormal numbers as 0. (The manual gives this order; TestDotIsTwoSteps holds the CPU at hand to it.) A matrix of
// pairs has half as many steps of k: pair p has step 2p in its odd half and step 2p+1 in its even half. It is moved,
// packed and transposed as a matrix of float32 is, and the blocked product is the same with another micro-kernel.
// Where k is odd the last even halves are -0 in A and 0 in B, whose product, -0, changes no sum.

// pairs gives g, a product of bfloat16 of at least one step, with A as pairs; packing makes pairs of B.
func (p *Pool) pairs(g product) product {
	t := pairTask{x: g.a, ld: g.ai * g.ap, m: g.m, n: g.k}
	rows, cols := g.m, (g.k+1)/2
	if t.across = g.ap != 1; t.across {
		t.m, t.n = g.k, g.m
		rows, cols = cols, rows
	}
	t.to = (cols + 15) &^ 15
	if t.to%512 == 0 { // rows would push each other out of the caches
		t.to += 16
	}
	t.dst = p.operand(rows * t.to)
	p.lowp.pairs = t
	p.rows(rows, 2*cols, &p.lowp.pairs)
	if g.a = t.dst; t.across {
		g.ap = t.to
	} else {
		g.ai = t.to
	}
	g.k, g.steps = (g.k+1)/2, g.k
	return g
}

// pairTask makes pairs of A, a matrix x (m, n) whose rows lie ld apart: of neighbours in its rows or, across, of rows
// that lie below each other. The rows of pairs lie to apart in dst.
type pairTask struct {
	dst, x       []float32
	m, n, ld, to int
	across       bool
}

func (t *pairTask) rows(_, lo, hi int) {
	dst, to := t.dst[lo*t.to:], t.to
	if t.across {
		x := t.x[2*lo*t.ld:]
		pairBelow(dst, to, x, t.ld, min(2*hi, t.m)-2*lo, t.n, negativeZero)
	} else {
		pairBeside(dst, to, t.x[lo*t.ld:], t.ld, hi-lo, t.n, negativeZero)
	}
}

const negativeZero = 0x8000 // as bfloat16

// packPairs is packB for a product of pairs: rows [p0, p0+k) of pairs and columns [j, j+n) of B. The second half of s
// is scratch.
func (g *product) packPairs(s []float32, nr, j, n, p0, k int) *float32 {
	src, steps := g.b[2*p0*g.bp+j*g.bj:], min(2*k, g.steps-2*p0)
	if g.bj == 1 {
		pairBelow(s, nr, src, g.bp, steps, n, 0)
		return &s[0]
	}
	rows := s[len(s)/2:]
	pairBeside(rows, k, src, g.bj, n, steps, 0)
	transposePanel(s, nr, rows, k, n, k)
	return &s[0]
}

// pairBeside makes pairs of neighbours in m rows of n values of x; pad is the missing even half of the last ones.
func pairBeside(dst []float32, to int, x []float32, ld, m, n int, pad uint32) {
	vectors := n / 32
	if vectors > 0 {
		pairsAlong(m, vectors, &dst[0], to*float, &x[0], ld*float)
	}
	for i := 0; i < m && 32*vectors < n; i++ {
		row := x[i*ld:][:n]
		for j := 32 * vectors; j < n; j += 2 {
			even := pad
			if j+1 < n {
				even = bf16Bits(row[j+1])
			}
			dst[i*to+j/2] = pair(bf16Bits(row[j]), even)
		}
	}
}

// pairBelow makes pairs of the values of two rows each of x, m rows of n values; pad is the even half where the last
// row has none below it.
func pairBelow(dst []float32, to int, x []float32, ld, m, n int, pad uint32) {
	vectors := n / 16
	if vectors > 0 && m > 1 {
		pairsAcross(m/2, vectors, &dst[0], to*float, &x[0], ld*float)
	}
	for p := range (m + 1) / 2 {
		row, j := x[2*p*ld:], 16*vectors
		if 2*p+1 == m {
			j = 0
		}
		for ; j < n; j++ {
			even := pad
			if 2*p+1 < m {
				even = bf16Bits(row[ld+j])
			}
			dst[p*to+j] = pair(bf16Bits(row[j]), even)
		}
	}
}

// pair makes a pair of two bfloat16.
func pair(odd, even uint32) float32 { return math.Float32frombits(odd<<16 | even) }

// bf16Bits is x as an operand is rounded.
func bf16Bits(x float32) uint32 { return uint32(float16.ToBF16(flushed(x))) }
