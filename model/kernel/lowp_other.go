//go:build !amd64 || purego

package kernel

func dotPath() isa { return generic }

func quantizeRow(dst []byte, x []float32) { quantizeRowGeneric(dst, x, false) }

func expandBlocks(d DType, dst []float32, ld, rows, n int, codes []byte, scales []uint16) {
	expandBlocksGeneric(d, dst, ld, rows, n, codes, scales)
}

func vectorBF16(k, n int, x []float32, b []uint16, ldb int, y []float32, accumulate bool) int {
	return 0
}

func panelProducts(m int, x []byte, stride int, q *quantized, lo, hi int, c []float32, ldc int, accumulate bool) {
	panelsGeneric(m, x, stride, q, lo, hi, c, ldc, accumulate)
}
