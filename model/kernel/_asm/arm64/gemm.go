package main

import "fmt"

func (w *writer) gemm() {
	for rows := 6; rows >= 1; rows-- {
		w.microkernel(rows, false)
		w.microkernel(rows, true)
	}
	w.transpose()
	w.matrixVector()
	w.copyPanel()
	w.peak()
	w.function("pause", "()", "pause tells the core that this is a spin.", 0, 0)
	w.ins("YIELD")
	w.ins("RET")
}

// arguments loads 8-byte arguments into general registers, in order.
func (w *writer) arguments(args ...string) {
	for i := 0; i < len(args); i += 2 {
		w.ins("MOVD %s+%d(FP), %s", args[i], 4*i, args[i+1])
	}
}

// microkernel writes the inner product of rows x 16: each element of C is one chain of fused multiply-adds in one lane
// of one accumulator.
type microkernel struct {
	*writer
	rows       int
	transposed bool
	a          reg // the first register of A's values; those of B follow
	held       int // registers of A's values
}

func (w *writer) microkernel(rows int, transposed bool) {
	k := microkernel{writer: w, rows: rows, transposed: transposed, a: reg(4 * rows), held: rows}
	if transposed {
		k.held = (rows + 3) / 4
		if rows&3 == 3 {
			k.held++ // 2 + 1
		}
	}
	k.open()
	w.label("tile")
	k.start()
	w.ins("SUBS $4, R6")
	w.ins("BLT rest")
	w.label("four")
	k.step(4)
	w.ins("SUBS $4, R6")
	w.ins("BGE four")
	w.label("rest")
	w.ins("ADDS $4, R6")
	w.ins("BEQ done")
	w.label("one")
	k.step(1)
	w.ins("SUBS $1, R6")
	w.ins("BNE one")
	w.label("done")
	k.each(func(acc reg, base string, disp int) { w.write(acc, base, disp) })
	w.ins("MOVD R15, R4")
	w.ins("ADD R20, R1")
	w.ins("SUBS $1, R0")
	w.ins("BNE tile")
	w.ins("RET")
}

// open begins the function.
func (k microkernel) open() {
	name := fmt.Sprintf("gemm%dx16", k.rows)
	doc := fmt.Sprintf("%s computes blocks tiles of %d rows and 16 columns, one below the other: C = A·B, "+
		"or C += A·B when accumulate is not 0. Row i of a tile of A lies lda·i bytes after a, row p of B bp·p bytes "+
		"after b, row i of C ldc·i bytes after c; the next tile begins anext bytes further in A and %[2]d rows further "+
		"in C.", name, k.rows)
	if k.transposed {
		doc = fmt.Sprintf("%sT does the same where A lies transposed: element (i, p) of a tile 4·i + lda·p bytes after a.",
			name)
		name += "T"
	}
	signature := "(blocks, k int, a *float32, lda, anext int, b *float32, bp int, c *float32, ldc, accumulate int)"
	k.function(name, signature, doc, 0, 80)
	k.arguments("blocks", "R0", "k", "R19", "a", "R1", "lda", "R2", "anext", "R20", "b", "R21", "bp", "R3", "c", "R4",
		"ldc", "R5", "accumulate", "R14")
}

// start sets the counter and the pointers of a tile, and its accumulators to 0 or to C.
func (k microkernel) start() {
	k.ins("MOVD R19, R6")
	k.ins("MOVD R21, R7")
	k.ins("MOVD R1, R8")
	if !k.transposed {
		for i := 1; i < k.rows; i++ {
			k.ins("ADD R2, %s, %s", k.row(i-1), k.row(i))
		}
	}
	k.ins("CBNZ R14, resume")
	for i := range reg(4 * k.rows) {
		k.zero(i)
	}
	k.ins("B start")
	k.label("resume")
	k.each(func(acc reg, base string, disp int) { k.read(acc, base, disp) })
	k.label("start")
}

// row is the pointer into row i of A.
func (k microkernel) row(i int) string { return fmt.Sprintf("R%d", 8+i) }

// each goes over the accumulators, four a row, and what of C is in them.
func (k microkernel) each(do func(acc reg, base string, disp int)) {
	k.ins("MOVD R4, R15")
	for i := range k.rows {
		for v := range 4 {
			do(reg(4*i+v), "R15", 16*v)
		}
		k.ins("ADD R5, R15")
	}
}

// step does n = 4 or 1 of p.
func (k microkernel) step(n int) {
	if k.transposed {
		for range n {
			k.column()
		}
		return
	}
	load := "FMOVS.P 4(%s), F%d"
	if n == 4 {
		load = "FMOVQ.P 16(%s), F%d"
	}
	for i := range k.rows {
		k.ins(load, k.row(i), k.a+reg(i))
	}
	for lane := range n {
		k.products(func(i int) (reg, int) { return k.a + reg(i), lane })
	}
}

// products adds A(:, p)·B(p, :); of says where A(i, p) is.
func (k microkernel) products(of func(i int) (reg, int)) {
	first := k.a + reg(k.held)
	for v := range 4 {
		b := first + reg(v%min(4, 32-int(first)))
		k.read(b, "R7", 16*v)
		for i := range k.rows {
			x, lane := of(i)
			k.fmla(reg(4*i+v), b, x, lane)
		}
	}
	k.ins("ADD R3, R7")
}

// column does one p of a transposed A.
func (k microkernel) column() {
	at, d, width := 0, k.a, 2 // the widest load
	if k.rows >= 4 {
		width = 4
	}
	for _, part := range []struct {
		n   int
		ins string
	}{{4, "FMOVQ"}, {2, "FMOVD"}, {1, "FMOVS"}} {
		if k.rows&part.n != 0 {
			k.ins("%s %d(R8), F%d", part.ins, at, d)
			at += 4 * part.n
			d++
		}
	}
	k.ins("ADD R2, R8")
	k.products(func(i int) (reg, int) { return k.a + reg(i/width), i % width })
}

// square transposes V16 to V19, four floats each, through V20 to V23: column p is then in V(24+p).
func (w *writer) square() {
	for i := range 2 { // rows 0 and 1, rows 2 and 3
		w.ins("VZIP1 V%d.S4, V%d.S4, V%d.S4", 17+2*i, 16+2*i, 20+2*i)
		w.ins("VZIP2 V%d.S4, V%d.S4, V%d.S4", 17+2*i, 16+2*i, 21+2*i)
	}
	for i := range 2 {
		w.ins("VZIP1 V%d.D2, V%d.D2, V%d.D2", 22+i, 20+i, 24+2*i)
		w.ins("VZIP2 V%d.D2, V%d.D2, V%d.D2", 22+i, 20+i, 25+2*i)
	}
}

// transpose writes the register transposes of the packing.
func (w *writer) transpose() {
	w.function("transpose4", "(blocks int, dst *float32, dstStride int, src *float32, srcStride int)",
		"transpose4 transposes blocks squares of 4x4 side by side in 4 rows of src into as many squares one below the other "+
			"in dst. Strides are bytes.", 0, 40)
	w.arguments("blocks", "R0", "dst", "R1", "dstStride", "R2", "src", "R3", "srcStride", "R4")
	for i := range 3 {
		w.ins("ADD R4, R%d, R%d", []int{3, 5, 6}[i], 5+i)
	}
	w.label("block")
	for i, r := range []int{3, 5, 6, 7} {
		w.ins("FMOVQ.P 16(R%d), F%d", r, 16+i)
	}
	w.square()
	for i := range 4 {
		w.write(reg(24+i), "R1", 0)
		w.ins("ADD R2, R1")
	}
	w.ins("SUBS $1, R0")
	w.ins("BNE block")
	w.ins("RET")
}

// matrixVector writes the product of a matrix with one vector, which decoding consists of: squares of 4x4 are
// transposed in registers on their way, so that the matrix is read once and nothing else moves.
func (w *writer) matrixVector() {
	w.function("gemv16", "(blocks, groups int, x, b *float32, stride int, y *float32, accumulate int)",
		"gemv16 computes y = B·x (or y += B·x when accumulate is not 0) for 16·groups rows of B, stride bytes apart, "+
			"and 4·blocks columns.", 0, 56)
	w.arguments("blocks", "R23", "groups", "R19", "x", "R24", "b", "R20", "stride", "R21", "y", "R22", "accumulate", "R25")
	w.label("group")
	for q := range reg(4) {
		w.zero(q)
	}
	w.ins("CBZ R25, start")
	for q := range 4 {
		w.read(reg(q), "R22", 16*q)
	}
	w.label("start")
	w.ins("MOVD R20, R0")
	for i := 1; i < 16; i++ {
		w.ins("ADD R21, R%d, R%d", i-1, i)
	}
	w.ins("ADD R21, R15, R20")
	w.ins("MOVD R23, R16")
	w.ins("MOVD R24, R17")
	w.label("block")
	w.ins("FMOVQ.P 16(R17), F28")
	for q := range 4 {
		for i := range 4 {
			w.ins("FMOVQ.P 16(R%d), F%d", 4*q+i, 16+i)
		}
		w.square()
		for p := range 4 {
			w.fmla(reg(q), reg(24+p), 28, p)
		}
	}
	w.ins("SUBS $1, R16")
	w.ins("BNE block")
	for q := range 4 {
		w.write(reg(q), "R22", 16*q)
	}
	w.ins("ADD $64, R22")
	w.ins("SUBS $1, R19")
	w.ins("BNE group")
	w.ins("RET")
}

// copyPanel writes the packing of 16 columns that lie side by side already.
func (w *writer) copyPanel() {
	w.function("copy16", "(rows int, dst, src *float32, stride int)",
		"copy16 copies 16 floats of each of rows rows of src, stride bytes apart, to dst, one after the other.", 0, 32)
	w.arguments("rows", "R0", "dst", "R1", "src", "R2", "stride", "R3")
	w.label("row")
	for v := range 4 {
		w.read(reg(v), "R2", 16*v)
	}
	w.ins("ADD R3, R2")
	for v := range 4 {
		w.ins("FMOVQ.P F%d, 16(R1)", v)
	}
	w.ins("SUBS $1, R0")
	w.ins("BNE row")
	w.ins("RET")
}

// peak writes the loop by which benchmarks measure what the core can do: fused multiply-adds on registers only.
func (w *writer) peak() {
	w.function("peakFMA", "(n int)", "peakFMA does n times 24 independent fused multiply-adds of 4 floats. "+
		"Benchmarks measure the core with it.", 0, 8)
	w.arguments("n", "R0")
	for v := range reg(26) {
		w.zero(v)
	}
	w.label("loop")
	for v := range reg(24) {
		w.fmla(v, 24, 25, 0)
	}
	w.ins("SUBS $1, R0")
	w.ins("BNE loop")
	w.ins("RET")
}
