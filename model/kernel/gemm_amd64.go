//go:build amd64 && !purego

package kernel

import "unsafe"

//go:generate sh -c "cd _asm && go run . -part gemm -out ../gemm_amd64.s -stubs ../gemm_stub_amd64.go -pkg kernel"

// The blocked product around the 6x16 micro-kernel (twelve accumulators of eight columns):
//
//	block of C (mc rows, nc columns), one job: k in pieces of at most kcMax; A's piece (mc, kc) is read where it lies, or copied into L2-sized scratch when
//	it lies transposed or its rows lie a multiple of 4096 bytes apart, where they would push each other out of the caches; for each 16 columns B's piece (kc, 16) is packed into L1-sized scratch and meets all rows of A at once.
//
// So what is packed is packed once per block and never shared: no barrier inside a product. Every element of C remains one chain over k, because
// each piece after the first starts from C.
const (
	mr      = 6
	nr      = 16
	kcMax   = 288
	mcMax   = 252
	panel   = kcMax * nr
	scratch = panel + (mcMax+8)*(kcMax+8) + 64
	float   = 4 // bytes
)

// packing gives the scratch of a worker, aligned to cache lines.
func (p *Pool) packing(w int) []float32 {
	s := &p.workers[w].pack
	if *s == nil {
		*s = make([]float32, scratch+16)
		at := uintptr(unsafe.Pointer(&(*s)[0])) % 64 / float
		*s = (*s)[(16-at)%16:]
	}
	return *s
}

// plan cuts C into blocks for the workers.
func (t *gemmTask) plan(workers int) {
	split := func(n, most, unit int) int { // equal parts of at most most, each a multiple of unit
		parts := (n + most - 1) / most
		return ((n+parts-1)/parts + unit - 1) / unit * unit
	}
	t.mc, t.nc = split(t.m, mcMax, mr), split(t.n, 1536, nr)
	jobs := 4 * workers
	if t.m*t.n*t.k < 1<<25 { // below a millisecond the packing of many small blocks weighs more than an uneven end
		jobs = 2 * workers
	}
	for (t.m+t.mc-1)/t.mc*((t.n+t.nc-1)/t.nc) < jobs {
		switch {
		case t.nc >= t.mc && t.nc > 4*nr || t.mc <= 8*mr && t.nc > nr:
			t.nc = split(t.nc, (t.nc+1)/2, nr)
		case t.mc > 8*mr:
			t.mc = split(t.mc, (t.mc+1)/2, mr)
		default:
			jobs = 0
		}
	}
	t.columns = (t.n + t.nc - 1) / t.nc
	t.blocks = (t.m + t.mc - 1) / t.mc * t.columns
}

// gemmVector runs the product in p.gemm on all workers.
func (p *Pool) gemmVector() {
	t := &p.gemm
	workers := len(p.workers)
	if t.m*t.n*t.k < 1<<16 {
		workers = 1
	}
	t.p = p
	t.plan(workers)
	if workers == 1 {
		for i := range t.blocks {
			t.Run(0, i)
		}
		return
	}
	p.Do(t.blocks, t)
}

func (t *gemmTask) runVector(w, i int) {
	r, c := i/t.columns*t.mc, i%t.columns*t.nc
	t.block(t.p.packing(w), r, min(t.m, r+t.mc), c, min(t.n, c+t.nc))
}

// serialVector computes the whole product on one worker.
func (g *product) serialVector(s []float32) {
	for r := 0; r < g.m; r += mcMax {
		g.block(s, r, min(g.m, r+mcMax), 0, g.n)
	}
}

// block computes rows [r0, r1) and columns [c0, c1) of C, r1-r0 <= mcMax.
func (g *product) block(s []float32, r0, r1, c0, c1 int) {
	m := r1 - r0
	if m == 1 && g.bj != 1 && g.ap == 1 && g.k >= 8 {
		if n := (c1 - c0) / nr; n > 0 {
			g.vector(s, r0, c0, n)
			c0 += n * nr
		}
		if c0 == c1 {
			return
		}
	}
	pieces := (g.k + kcMax - 1) / kcMax
	kc := ((g.k+pieces-1)/pieces + 7) &^ 7
	for p0 := 0; p0 < g.k; p0 += kc {
		k := min(kc, g.k-p0)
		a, ai, ap := &g.a[r0*g.ai+p0*g.ap], g.ai, g.ap
		if g.ap != 1 && (k*m > 64*64 || c1-c0 > 4*nr) && m > mr || g.ai*float%4096 == 0 && c1-c0 > 8*nr && m > 2*mr {
			a, ai, ap = g.packA(s[panel:], r0, m, p0, k)
		}
		load := 0
		if g.accumulate || p0 > 0 {
			load = 1
		}
		for j := c0; j < c1; j += nr {
			n := min(nr, c1-j)
			b, bp := &g.b[p0*g.bp+j*g.bj], g.bp
			if g.bj != 1 || m > 2*mr && n == nr {
				b, bp = g.packB(s[:panel], j, n, p0, k)
			}
			c := r0*g.ldc + j
			full := m / mr
			if full > 0 {
				tiles(mr, n, full, k, a, ai*float, ap*float, b, bp*float, &g.c[c], g.ldc*float, load)
			}
			if rest := m - full*mr; rest > 0 {
				x := (*float32)(unsafe.Add(unsafe.Pointer(a), full*mr*ai*float))
				tiles(rest, n, 1, k, x, ai*float, ap*float, b, bp*float, &g.c[c+full*mr*g.ldc], g.ldc*float, load)
			}
		}
	}
}

// vector computes groups times 16 elements of row r of C from column c on, where B is transposed.
func (g *product) vector(s []float32, r, c, groups int) {
	load := 0
	if g.accumulate {
		load = 1
	}
	y, x, b := g.c[r*g.ldc+c:], g.a[r*g.ai:], g.b[c*g.bj:]
	k := g.k &^ 7
	gemv16(k/8, groups, &x[0], &b[0], g.bj*float, &y[0], load)
	if k < g.k {
		for i := range groups {
			panel, _ := g.packB(s, c+i*nr, nr, k, g.k-k)
			gemm1x16(1, g.k-k, &x[k], 0, float, 0, panel, nr*float, &y[i*nr], 0, 1, 0)
		}
	}
}

// packA copies rows [r0, r0+m) and columns [p0, p0+k) of A, row by row.
func (g *product) packA(s []float32, r0, m, p0, k int) (a *float32, ai, ap int) {
	ld := (k+7)&^7 + 8
	if g.ap == 1 {
		for i := range m {
			copy(s[i*ld:i*ld+k], g.a[(r0+i)*g.ai+p0:])
		}
		return &s[0], ld, 1
	}
	// A lies transposed: eight of its rows (eight p) at a time become eight columns.
	for p := 0; p < k; p += 8 {
		transposeStrip(s[p:], ld, g.a[(p0+p)*g.ap+r0:], g.ap, min(8, k-p), m)
	}
	return &s[0], ld, 1
}

// packB copies rows [p0, p0+k) and columns [j, j+n) of B as rows of 16.
func (g *product) packB(s []float32, j, n, p0, k int) (b *float32, bp int) {
	if g.bj == 1 {
		src := g.b[p0*g.bp+j:]
		if n == nr {
			copy16(k, &s[0], &src[0], g.bp*float)
		} else {
			for p := range k {
				copy(s[p*nr:p*nr+n], src[p*g.bp:])
			}
		}
		return &s[0], nr
	}
	for h := 0; h < n; h += 8 {
		transposeStrip(s[h:], nr, g.b[(j+h)*g.bj+p0:], g.bj, min(8, n-h), k)
	}
	return &s[0], nr
}

// transposeStrip transposes rows (1..8) rows of src, cols long, into the first columns of cols rows of dst. The rest of the eight columns is filled with anything.
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

// tiles calls the micro-kernel for blocks tiles of rows (1..6) rows and n (1..16) columns; all steps are bytes.
func tiles(rows, n, blocks, k int, a *float32, ai, ap int, b *float32, bp int, c *float32, ldc, load int) {
	next := rows * ai
	if n == nr {
		switch rows {
		case 6:
			gemm6x16(blocks, k, a, ai, ap, next, b, bp, c, ldc, load, 0)
		case 5:
			gemm5x16(blocks, k, a, ai, ap, next, b, bp, c, ldc, load, 0)
		case 4:
			gemm4x16(blocks, k, a, ai, ap, next, b, bp, c, ldc, load, 0)
		case 3:
			gemm3x16(blocks, k, a, ai, ap, next, b, bp, c, ldc, load, 0)
		case 2:
			gemm2x16(blocks, k, a, ai, ap, next, b, bp, c, ldc, load, 0)
		case 1:
			gemm1x16(blocks, k, a, ai, ap, next, b, bp, c, ldc, load, 0)
		}
		return
	}
	if n > 8 {
		n -= 8
		switch rows {
		case 6:
			gemm6x16Tail(blocks, k, a, ai, ap, next, b, bp, c, ldc, load, n)
		case 5:
			gemm5x16Tail(blocks, k, a, ai, ap, next, b, bp, c, ldc, load, n)
		case 4:
			gemm4x16Tail(blocks, k, a, ai, ap, next, b, bp, c, ldc, load, n)
		case 3:
			gemm3x16Tail(blocks, k, a, ai, ap, next, b, bp, c, ldc, load, n)
		case 2:
			gemm2x16Tail(blocks, k, a, ai, ap, next, b, bp, c, ldc, load, n)
		case 1:
			gemm1x16Tail(blocks, k, a, ai, ap, next, b, bp, c, ldc, load, n)
		}
		return
	}
	switch rows {
	case 6:
		gemm6x8Tail(blocks, k, a, ai, ap, next, b, bp, c, ldc, load, n)
	case 5:
		gemm5x8Tail(blocks, k, a, ai, ap, next, b, bp, c, ldc, load, n)
	case 4:
		gemm4x8Tail(blocks, k, a, ai, ap, next, b, bp, c, ldc, load, n)
	case 3:
		gemm3x8Tail(blocks, k, a, ai, ap, next, b, bp, c, ldc, load, n)
	case 2:
		gemm2x8Tail(blocks, k, a, ai, ap, next, b, bp, c, ldc, load, n)
	case 1:
		gemm1x8Tail(blocks, k, a, ai, ap, next, b, bp, c, ldc, load, n)
	}
}
