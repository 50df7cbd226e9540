//go:build amd64 && !purego

package kernel

import (
	"math"
	"unsafe"

	"instruct/model/kernel/float16"
)

// Products of bfloat16 by AVX512-BF16. VDPBF16PS multiplies pairs: sixteen lanes of two bfloat16, of which the odd half
// (the upper 16 bits) is multiplied and added first and the even half next, each step rounded once to nearest even with
// subnormal numbers as 0. (The manual gives this order; TestDotIsTwoSteps holds the CPU at hand to it.) A matrix of
// pairs has half as many steps of k: pair p has step 2p in its odd half and step 2p+1 in its even half. It is moved,
// packed and transposed as a matrix of float32 is, and the blocked product is the same with another micro-kernel.
// Where k is odd the last even halves are -0 in A and 0 in B, whose product, -0, changes no sum.

// gemmPairs runs g, a product of bfloat16, of at least one step: A is float32 and becomes pairs, and so does B where it
// is float32. lda is A's leading dimension.
func (p *Pool) gemmPairs(g product, lda int) {
	if g.ap == 1 {
		g.a, g.ai = p.pairs(0, pairTask{x: g.a, ld: lda, m: g.m, n: g.k, pad: negativeZero})
	} else {
		g.a, g.ap = p.pairs(0, pairTask{x: g.a, ld: lda, m: g.k, n: g.m, across: true, pad: negativeZero})
	}
	if g.b16 == nil {
		g.b, g.bp = p.pairs(1, pairTask{x: g.b, ld: g.bp, m: g.k, n: g.n, across: true})
	}
	g.k, g.kb, g.dot = (g.k+1)/2, g.k, true
	p.product(g)
}

const negativeZero = 0x8000

// pairTask makes pairs of a matrix x (m, n) of float32 whose rows lie ld apart: of neighbours in its rows or, across,
// of rows that lie below each other. The rows of pairs lie to apart in dst; pad is the missing even half of the last
// ones.
type pairTask struct {
	dst, x       []float32
	m, n, ld, to int
	across       bool
	pad          uint32
}

// pairs gives operand i as pairs, and its leading dimension. It is valid until the next product.
func (p *Pool) pairs(i int, t pairTask) ([]float32, int) {
	rows, cols := t.m, (t.n+1)/2
	if t.across {
		rows, cols = (t.m+1)/2, t.n
	}
	t.to = (cols + 15) &^ 15
	if t.to%512 == 0 { // rows would push each other out of the caches
		t.to += 16
	}
	t.dst = p.operandScratch(i, rows*t.to)
	p.lowp.pairs = t
	p.rows(rows, 2*cols, &p.lowp.pairs)
	return t.dst, t.to
}

func (t *pairTask) rows(_, lo, hi int) {
	if t.across {
		t.below(lo, hi)
	} else {
		t.beside(lo, hi)
	}
}

// beside makes rows [lo, hi) of pairs of neighbours.
func (t *pairTask) beside(lo, hi int) {
	vectors := t.n / 32
	if vectors > 0 {
		pairsAlong(hi-lo, vectors, &t.dst[lo*t.to], t.to*float, &t.x[lo*t.ld], t.ld*float)
	}
	for i := lo; i < hi && 32*vectors < t.n; i++ {
		row := t.x[i*t.ld:][:t.n]
		for j := 32 * vectors; j < t.n; j += 2 {
			even := t.pad
			if j+1 < t.n {
				even = bf16Bits(row[j+1])
			}
			t.dst[i*t.to+j/2] = pair(bf16Bits(row[j]), even)
		}
	}
}

// below makes rows [lo, hi) of pairs of a row and the next.
func (t *pairTask) below(lo, hi int) {
	whole, vectors := min(hi, t.m/2), t.n/16
	if vectors > 0 && whole > lo {
		pairsAcross(whole-lo, vectors, &t.dst[lo*t.to], t.to*float, &t.x[2*lo*t.ld], t.ld*float)
	}
	for p := lo; p < hi; p++ {
		row, j := t.x[2*p*t.ld:], 16*vectors
		if p == whole { // there is no next row
			j = 0
		}
		for ; j < t.n; j++ {
			even := t.pad
			if p < whole {
				even = bf16Bits(row[t.ld+j])
			}
			t.dst[p*t.to+j] = pair(bf16Bits(row[j]), even)
		}
	}
}

// pair makes a pair of two bfloat16.
func pair(odd, even uint32) float32 { return math.Float32frombits(odd<<16 | even) }

// bf16Bits is x as an operand is rounded.
func bf16Bits(x float32) uint32 { return uint32(float16.ToBF16(flushed(x))) }

// packPairs is packB for B in bfloat16: k pairs of n columns.
func (g *product) packPairs(s []float32, nr, j, n, p0, k int) *float32 {
	src := g.b16[2*p0*g.bp+j*g.bj:]
	if g.bj != 1 { // neighbours, which lie in memory as pairs with their halves swapped
		transposePanel(s, nr, asPairs(src), g.bj/2, n, k)
		swapWords((k*nr+15)/16, &s[0])
		return &s[0]
	}
	whole := min(k, (g.kb-2*p0)/2) // pairs with a second row
	if n >= 16 && whole > 0 {
		pairRows(whole, n/16, &s[0], nr*float, &src[0], 2*g.bp)
	}
	for p := range k {
		row, c := src[2*p*g.bp:], n&^15
		if p == whole {
			c = 0
		}
		for ; c < n; c++ {
			even := uint32(0)
			if p < whole {
				even = uint32(row[g.bp+c])
			}
			s[p*nr+c] = pair(uint32(row[c]), even)
		}
	}
	return &s[0]
}

// asPairs is x as its memory is, two values in one.
func asPairs(x []uint16) []float32 {
	return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(x))), len(x)/2)
}
