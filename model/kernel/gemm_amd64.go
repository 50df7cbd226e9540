//go:build amd64 && !purego

package kernel

import "unsafe"

// blocking gives the sizes of the path i; see gemm_blocks.go.
func (i isa) blocking() blocking {
	switch {
	case i == avx512 && largeL2: // 24 accumulators of 16 columns
		return blocking{mr: 8, nr: 48, lanes: 16, kc: 576, mc: 512}
	case i == avx512:
		return blocking{mr: 8, nr: 48, lanes: 16, kc: 256, mc: 1024}
	}
	return blocking{mr: 6, nr: 16, lanes: 8, kc: 288, mc: 1026} // twelve of eight
}

// largeL2 says whether B's piece may lie in the second cache beside A's, so that C is read and written less often.
// Tests replace it.
var largeL2 = cacheL2() >= 2048

const (
	packsBF16 = true // packing reads B in bfloat16 too
	flushes   = true // a product can take subnormal numbers for 0, and its packing rounds B

	float    = 4  // bytes
	panelPad = 24 // floats between panels of A, which keeps them from lying a power of two apart
)

// packing gives the scratch of a worker, aligned to cache lines.
func (p *Pool) packing(w int) []float32 {
	s := &p.workers[w].pack
	d := path.blocking()
	size := 2*d.kc*d.nr + (d.mc+d.mr)*(d.kc+panelPad) + 64
	if len(*s) < size {
		*s = make([]float32, size+16)
		at := uintptr(unsafe.Pointer(&(*s)[0])) % 64 / float
		*s = (*s)[(16-at)%16:]
	}
	return *s
}

// block computes rows [r0, r1) and columns [c0, c1) of C, r1-r0 <= mc.
func (g *product) block(s []float32, r0, r1, c0, c1 int) {
	d := path.blocking()
	m := r1 - r0
	if m == 1 && g.bj != 1 && g.ap == 1 && g.k >= d.lanes && g.b16 == nil && !g.flush {
		groups := (c1 - c0) / 16
		if groups > 0 {
			g.vector(s, r0, c0, groups)
			c0 += groups * 16
		}
		if c0 == c1 {
			return
		}
	}
	multiply := tiles
	if g.steps > 0 {
		multiply = gemmDotAVX512
	}
	panel := d.kc * d.nr
	pieces := (g.k + d.kc - 1) / d.kc
	kc := ((g.k+pieces-1)/pieces + 7) &^ 7
	for p0 := 0; p0 < g.k; p0 += kc {
		k := min(kc, g.k-p0)
		a, next := &g.a[r0*g.ai+p0*g.ap], d.mr*g.ai
		ai, ap := g.ai, g.ap
		if g.ap != 1 && (k*m > 64*64 || c1-c0 > 64) && m > d.mr || g.ai*float%4096 == 0 && c1-c0 > 128 && m > 2*d.mr {
			a, ai, ap, next = g.packA(s[2*panel:], d.mr, r0, m, p0, k)
		}
		load := flags(g.accumulate || p0 > 0, g.flush)
		n := 0
		for j := c0; j < c1; j += n {
			n = min(d.nr, c1-j)
			rest := c1 - j - n
			if rest > 0 && rest <= 16 && d.nr == 48 { // two panels of 32 beat one of 48 and a narrow one
				n = 32
			}
			var b *float32
			bp := d.nr
			switch {
			case g.steps > 0:
				b = g.packPairs(s[:2*panel], d.nr, j, n, p0, k)
			case g.b16 != nil:
				b = g.packBF16(s[:2*panel], d.nr, j, n, p0, k)
			case g.bj != 1 || m > 2*d.mr || g.roundB:
				b = g.packB(s[:panel], d.nr, j, n, p0, k)
				if g.roundB {
					roundValues(s[:k*d.nr], s)
				}
			default:
				b, bp = &g.b[p0*g.bp+j*g.bj], g.bp
			}
			ahead, aheadNext := b, 0
			if rest > 0 && g.bj != 1 && g.b16 == nil && g.steps == 0 { // what is packed next lies far away
				ahead, aheadNext = &g.b[p0*g.bp+(j+n)*g.bj], g.bj*float
			}
			multiply(m, n, k, a, ai*float, ap*float, next*float, b, bp*float, &g.c[r0*g.ldc+j], g.ldc*float, load,
				ahead, aheadNext)
		}
	}
}

// vector computes groups times 16 elements of row r of C from column c on, where B is transposed.
func (g *product) vector(s []float32, r, c, groups int) {
	load := flags(g.accumulate, false)
	y, x, b := g.c[r*g.ldc+c:], g.a[r*g.ai:], g.b[c*g.bj:]
	k := g.k &^ 7
	if path == avx512 {
		k = g.k &^ 15
		gemv16AVX512(k/16, groups, &x[0], &b[0], g.bj*float, &y[0], load)
	} else {
		gemv16AVX2(k/8, groups, &x[0], &b[0], g.bj*float, &y[0], load)
	}
	if k < g.k {
		for i := range groups {
			panel := g.packB(s, 16, c+i*16, 16, k, g.k-k)
			tiles(1, 16, g.k-k, &x[k], 0, float, 0, panel, 16*float, &y[i*16], 0, accumulateFlag, panel, 0)
		}
	}
}

// packA copies rows [r0, r0+m) and columns [p0, p0+k) of A: row by row, or in panels of mr columns where A lies
// transposed.
func (g *product) packA(s []float32, mr, r0, m, p0, k int) (a *float32, ai, ap, next int) {
	if g.ap != 1 {
		next = k*mr + panelPad
		spread(k, m, &s[0], next*float, &g.a[p0*g.ap+r0], g.ap*float, mr)
		return &s[0], 1, mr, next
	}
	ld := (k+15)&^15 + 8
	copyRows(m, k, &s[0], ld*float, &g.a[r0*g.ai+p0], g.ai*float)
	return &s[0], ld, 1, mr * ld
}

// packB copies rows [p0, p0+k) and columns [j, j+n) of B as rows of nr.
func (g *product) packB(s []float32, nr, j, n, p0, k int) *float32 {
	if g.bj == 1 {
		src := &g.b[p0*g.bp+j]
		copyPanel(k, n, &s[0], src, g.bp*float)
		return &s[0]
	}
	transposePanel(s, nr, g.b[j*g.bj+p0:], g.bj, n, k)
	return &s[0]
}

// packBF16 is packB for B in bfloat16, which becomes float32 on the way. The second half of s is scratch.
func (g *product) packBF16(s []float32, nr, j, n, p0, k int) *float32 {
	src := g.b16[p0*g.bp+j*g.bj:]
	if g.bj == 1 {
		expandRows(s, nr, src, g.bp, k, n)
		return &s[0]
	}
	rows := s[len(s)/2:]
	expandRows(rows, k, src, g.bj, n, k)
	transposePanel(s, nr, rows, k, n, k)
	return &s[0]
}

// expandRows writes the first n values of each of rows rows of src as float32 to rows of dst. Strides are values.
func expandRows(dst []float32, dstStride int, src []uint16, srcStride, rows, n int) {
	whole := n &^ 7
	if whole > 0 {
		expandRowsBF16(rows, whole/8, &dst[0], dstStride*float, &src[0], srcStride*2)
	}
	for r := 0; r < rows && whole < n; r++ {
		expandBF16Generic(dst[r*dstStride+whole:r*dstStride+n], src[r*srcStride+whole:])
	}
}

// transposePanel transposes rows rows of src, cols long, into the first columns of cols rows of dst, up to the next
// multiple of eight, where the rest is filled with anything.
func transposePanel(dst []float32, dstStride int, src []float32, srcStride, rows, cols int) {
	h := 0
	for ; path == avx512 && rows-h >= 16 && cols >= 16; h += 16 {
		from := src[h*srcStride:]
		transpose16(cols/16, &dst[h], dstStride*float, &from[0], srcStride*float)
		if cols&15 != 0 { // once more for the last sixteen, which overlap
			transpose16(1, &dst[(cols-16)*dstStride+h], dstStride*float, &from[cols-16], srcStride*float)
		}
	}
	for ; h < rows; h += 8 {
		transposeStrip(dst[h:], dstStride, src[h*srcStride:], srcStride, min(8, rows-h), cols)
	}
}

// transposeStrip transposes rows (1..8) rows of src, cols long, into the first columns of cols rows of dst. The rest of
// the eight columns is filled with anything.
func transposeStrip(dst []float32, dstStride int, src []float32, srcStride, rows, cols int) {
	if cols >= 8 {
		transpose8(cols/8, &dst[0], dstStride*float, &src[0], srcStride*float, rows)
		if cols&7 != 0 { // once more for the last eight, which overlap
			transpose8(1, &dst[(cols-8)*dstStride], dstStride*float, &src[cols-8], srcStride*float, rows)
		}
		return
	}
	for r := range rows {
		for c := range cols {
			dst[c*dstStride+r] = src[r*srcStride+c]
		}
	}
}

// peakOperations is the number of operations in a round of peakLoop.
func peakOperations() int { return 12 * path.blocking().lanes * 2 }
