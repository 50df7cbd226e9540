//go:build amd64 && !purego

package kernel

import "golang.org/x/sys/cpu"

// expandBlocks is expandBlocksGeneric.
func expandBlocks(d DType, dst []float32, ld, rows, n int, codes []byte, scales []uint16) {
	if rows < q8Panel || n < q8Block || dotPath() == generic {
		expandBlocksGeneric(d, dst, ld, rows, n, codes, scales)
		return
	}
	to, from := &dst[:(q8Panel-1)*ld+q8Block][0], &codes[:q8Panel*d.codeBytes()][0]
	by := &scales[:q8Panel*d.numbers()][0]
	switch d {
	case Q8_0:
		expandQ8AVX2(to, ld*float, from, by)
	case Q4_0:
		expandQ40AVX2(to, ld*float, from, by)
	case Q4_1:
		expandQ41AVX2(to, ld*float, from, by)
	}
}

// vectorBF16 computes y = B·x for as many of the n rows of B (n, k) as it can, from the first on, and returns their
// number.
func vectorBF16(k, n int, x []float32, b []uint16, ldb int, y []float32, accumulate bool) int {
	if path == generic || k%8 != 0 || k == 0 || n < 16 {
		return 0
	}
	load := flags(accumulate, false)
	if n >= 32 {
		gemv32BF16(k/8, n/32, &x[0], &b[0], 2*ldb, &y[0], load)
	}
	done := n &^ 31
	if n-done >= 16 {
		gemv16BF16(k/8, 1, &x[0], &b[done*ldb], 2*ldb, &y[done], load)
	}
	return n &^ 15
}

func quantizeRow(dst []byte, x []float32) {
	blocks, isa := len(x)/q8Block, dotPath()
	switch {
	case isa == generic || blocks == 0:
		quantizeRowGeneric(dst, x, false)
	case isa == avx2:
		quantizeRowAVX2(blocks, &dst[:blocks*q8RowSize][0], &x[0])
	default:
		quantizeRowSplitAVX2(blocks, &dst[:blocks*q8RowSize][0], &x[0])
	}
}

// dotPath says what the product with weights in blocks runs on: AVX-512 with VNNI, AVX2 (with F16C, which comes with it
// but for odd virtual machines), or Go.
func dotPath() isa {
	switch {
	case path == generic || !cpu.X86.HasF16C:
		return generic
	case path == avx512 && cpu.X86.HasAVX512VNNI:
		return avx512
	}
	return avx2
}

// panelProducts does panels [lo, hi); c is the first of their columns.
func panelProducts(m int, x []byte, stride int, q *quantized, lo, hi int, c []float32, ldc int, accumulate bool) {
	isa := dotPath()
	if isa == generic {
		panelsGeneric(m, x, stride, q, lo, hi, c, ldc, accumulate)
		return
	}
	load := flags(accumulate, false)
	blocks := q.blocks()
	if m == 1 { // all panels in one sweep over the weights
		panelRows(isa, 1, hi-lo, blocks, x, stride, q, lo, c, ldc, load)
		return
	}
	for i := lo; i < hi; i++ { // a panel stays in the first cache while the rows go by
		for r := 0; r < m; {
			left, n := m-r, 1
			switch {
			case left >= 8 && isa == avx512:
				n = 8
			case left >= 4 && isa == avx512:
				n = 4
			case left >= 3 && isa == avx2:
				n = 3
			case left >= 2:
				n = 2
			}
			panelRows(isa, n, 1, blocks, x[r*stride:], stride, q, i, c[r*ldc+(i-lo)*q8Panel:], ldc, load)
			r += n
		}
	}
}

// panelRows calls the kernel for 1, 2, 3 (AVX2), 4 or 8 (VNNI) rows.
func panelRows(isa isa, rows, panels, blocks int, x []byte, stride int, q *quantized, panel int, c []float32,
	ldc, load int) {
	first := panel * blocks * q8Panel
	w, d := &q.codes[first*q.kind.codeBytes()], &q.scales[first*q.kind.numbers()]
	switch vnni := isa == avx512; {
	case q.kind == Q8_0 && vnni:
		q8VNNI(rows, panels, blocks, &x[0], stride, w, d, &c[0], ldc*float, load)
	case q.kind == Q8_0:
		q8AVX2(rows, panels, blocks, &x[0], stride, w, d, &c[0], ldc*float, load)
	case q.kind == Q4_0 && vnni:
		q40VNNI(rows, panels, blocks, &x[0], stride, w, d, &c[0], ldc*float, load)
	case q.kind == Q4_0:
		q40AVX2(rows, panels, blocks, &x[0], stride, w, d, &c[0], ldc*float, load)
	case q.kind == Q4_1 && vnni:
		q41VNNI(rows, panels, blocks, &x[0], stride, w, d, &c[0], ldc*float, load)
	case q.kind == Q4_1:
		q41AVX2(rows, panels, blocks, &x[0], stride, w, d, &c[0], ldc*float, load)
	}
}
