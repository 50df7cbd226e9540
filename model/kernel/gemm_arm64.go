//go:build arm64 && !purego

package kernel

import "unsafe"

// The blocked product around the 6x16 micro-kernel (twenty-four accumulators of four columns):
//
//	block of C (mc rows, nc columns), one job: k in pieces of at most kcMax; A's piece (mc, kc), transposed or not, is
//	read where it lies, or copied row by row where rows of its own would push each other out of the caches; for each 16
//	columns B's piece (kc, 16) is packed into L1-sized scratch and meets all rows of A at once. The last columns, fewer
//	than 16, are computed in scratch and copied.
//
// Every element of C remains one chain over k, because each piece after the first starts from C.
const (
	packsBF16 = false
	flushes   = false

	mr      = 6
	nr      = 16
	kcMax   = 288
	mcMax   = 252
	panel   = kcMax * nr
	edge    = mcMax * nr // the last columns of C
	scratch = panel + edge + (mcMax+8)*(kcMax+8)
	float   = 4 // bytes
)

// packing gives the scratch of a worker.
func (p *Pool) packing(w int) []float32 {
	s := &p.workers[w].pack
	if *s == nil {
		*s = make([]float32, scratch)
	}
	return *s
}

// blocking gives the sizes of the path; see gemm_blocks.go.
func (isa) blocking() blocking { return blocking{mr: mr, nr: nr, lanes: 4, kc: kcMax, mc: mcMax} }

// block computes rows [r0, r1) and columns [c0, c1) of C, r1-r0 <= mcMax.
func (g *product) block(s []float32, r0, r1, c0, c1 int) {
	m := r1 - r0
	if m == 1 && g.bj != 1 && g.ap == 1 && g.k >= 4 {
		groups := (c1 - c0) / nr
		if groups > 0 {
			g.vector(s, r0, c0, groups)
			c0 += groups * nr
		}
		if c0 == c1 {
			return
		}
	}
	pieces := (g.k + kcMax - 1) / kcMax
	kc := ((g.k+pieces-1)/pieces + 3) &^ 3
	for p0 := 0; p0 < g.k; p0 += kc {
		k := min(kc, g.k-p0)
		a, lda := &g.a[r0*g.ai+p0*g.ap], max(g.ai, g.ap)
		if c1-c0 > 4*nr && m > 2*mr && (g.ap != 1 || g.ai*float%4096 == 0) {
			a, lda = g.packA(s[panel+edge:], r0, m, p0, k)
		}
		load := flags(g.accumulate || p0 > 0, false)
		for j := c0; j < c1; j += nr {
			n := min(nr, c1-j)
			b, bp := &g.b[p0*g.bp+j*g.bj], g.bp
			if g.bj != 1 || m > 2*mr || n < nr {
				b, bp = g.packB(s[:panel], j, n, p0, k), nr
			}
			if n == nr {
				g.tiles(m, k, a, lda, b, bp, &g.c[r0*g.ldc+j], g.ldc, load)
				continue
			}
			e := s[panel : panel+edge]
			for i := range m * load {
				copy(e[i*nr:i*nr+n], g.c[(r0+i)*g.ldc+j:])
			}
			g.tiles(m, k, a, lda, b, bp, &e[0], nr, load)
			for i := range m {
				copy(g.c[(r0+i)*g.ldc+j:][:n], e[i*nr:])
			}
		}
	}
}

// vector computes groups times 16 elements of row r of C from column c on, where B is transposed.
func (g *product) vector(s []float32, r, c, groups int) {
	load := flags(g.accumulate, false)
	y, x, b := g.c[r*g.ldc+c:], g.a[r*g.ai:], g.b[c*g.bj:]
	k := g.k &^ 3
	gemv16(k/4, groups, &x[0], &b[0], g.bj*float, &y[0], load)
	if k < g.k {
		for i := range groups {
			gemm1x16(1, g.k-k, &x[k], 0, 0, g.packB(s, c+i*nr, nr, k, g.k-k), nr*float, &y[i*nr], 0, 1)
		}
	}
}

// packA copies rows [r0, r0+m) and columns [p0, p0+k) of A, transposed or not, so that the rows lie close together.
func (g *product) packA(s []float32, r0, m, p0, k int) (a *float32, lda int) {
	src := g.a[r0*g.ai+p0*g.ap:]
	from, rows, n := g.ai, m, k
	if g.ap != 1 {
		from, rows, n = g.ap, k, m
	}
	lda = n + 8
	for i := range rows {
		copy(s[i*lda:i*lda+n], src[i*from:])
	}
	return &s[0], lda
}

// packB copies rows [p0, p0+k) and columns [j, j+n) of B as rows of 16; where n < 16 the rest of a row is anything.
func (g *product) packB(s []float32, j, n, p0, k int) *float32 {
	src := g.b[p0*g.bp+j*g.bj:]
	if g.bj == 1 {
		if n == nr {
			copy16(k, &s[0], &src[0], g.bp*float)
			return &s[0]
		}
		for p := range k {
			copy(s[p*nr:p*nr+n], src[p*g.bp:])
		}
		return &s[0]
	}
	h := 0
	for ; h+4 <= n && k >= 4; h += 4 {
		x := src[h*g.bj:]
		transpose4(k/4, &s[h], nr*float, &x[0], g.bj*float)
		if k&3 != 0 { // once more for the last four, which overlap
			transpose4(1, &s[(k-4)*nr+h], nr*float, &x[k-4], g.bj*float)
		}
	}
	for ; h < n; h++ {
		for p, x := range src[h*g.bj:][:k] {
			s[p*nr+h] = x
		}
	}
	return &s[0]
}

// tiles computes m rows of sixteen columns; lda, bp and ldc are floats.
func (g *product) tiles(m, k int, a *float32, lda int, b *float32, bp int, c *float32, ldc, load int) {
	next := lda // floats from a row of A to the next
	if g.ap != 1 {
		next = 1
	}
	full, rest := m/mr, m%mr
	if full > 0 {
		g.rows(mr, full, k, a, lda*float, next*float, b, bp*float, c, ldc*float, load)
		a = (*float32)(unsafe.Add(unsafe.Pointer(a), full*mr*next*float))
		c = (*float32)(unsafe.Add(unsafe.Pointer(c), full*mr*ldc*float))
	}
	if rest > 0 {
		g.rows(rest, 1, k, a, lda*float, next*float, b, bp*float, c, ldc*float, load)
	}
}

// rows calls the micro-kernel for blocks tiles of n (1..6) rows; all steps are bytes.
func (g *product) rows(n, blocks, k int, a *float32, lda, next int, b *float32, bp int, c *float32, ldc, load int) {
	next *= n
	if g.ap != 1 {
		gemmRowsT(n, blocks, k, a, lda, next, b, bp, c, ldc, load)
	} else {
		gemmRows(n, blocks, k, a, lda, next, b, bp, c, ldc, load)
	}
}

func peakLoop(n int) { peakFMA(n) }

// peakOperations is the number of operations in a round of peakLoop.
func peakOperations() int { return 24 * 4 * 2 }
