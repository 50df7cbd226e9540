package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// transpose writes the register transposes of the packing.
func transpose() {
	name := fmt.Sprint("transpose", w.lanes)
	doc := fmt.Sprintf("%s transposes blocks squares of %dx%[2]d side by side in %[2]d rows of src into as many squares "+
		"one below the other in dst. Strides are bytes.", name, w.lanes)
	signature := "func(blocks int, dst *float32, dstStride int, src *float32, srcStride int)"
	if w.lanes == 8 {
		signature = "func(blocks int, dst *float32, dstStride int, src *float32, srcStride, rows int)"
		doc += " When rows < 8 the last row stands for the missing ones."
	}
	function(name, signature, doc)
	blocks, dst, ds, src, ss := load("blocks"), load("dst"), load("dstStride"), load("src"), load("srcStride")
	var row func(i, disp int) Mem
	var advance func()
	if w.lanes == 16 {
		s := newStrided(src, ss, 16)
		row, advance = s.row, func() { s.advance(Imm(64)) }
	} else {
		ptr, rows := []reg.GPVirtual{src}, load("rows")
		for i := 1; i < 8; i++ {
			p, next := GP64(), GP64()
			MOVQ(ptr[i-1], p)
			CMPQ(rows, Imm(uint64(i)))
			LEAQ(indexed(ptr[i-1], ss, 1), next)
			CMOVQGT(next, p)
			ptr = append(ptr, p)
		}
		off := GP64()
		XORQ(off, off)
		row = func(i, disp int) Mem { x := indexed(ptr[i], off, 1); x.Disp = disp; return x }
		advance = func() { ADDQ(Imm(32), off) }
	}
	Label("block")
	transposed(row, func(_ int, column vector) {
		VMOVUPS(column, at(dst, 0))
		ADDQ(ds, dst)
	})
	advance()
	DECQ(blocks)
	JNZ(LabelRef("block"))
	VZEROUPPER()
	RET()
}

// transposed reads a square, four columns at a time, and hands out its columns in order.
func transposed(row func(i, disp int) Mem, to func(i int, column vector)) {
	for quarter := range w.lanes / 4 {
		r := four()
		for i := range r { // rows i, i+4, ... of these columns
			if w.lanes == 16 {
				VBROADCASTF32X4(row(i, 16*quarter), r[i])
				for lane := 1; lane < 4; lane++ {
					VINSERTF32X4(Imm(uint64(lane)), row(i+4*lane, 16*quarter), r[i], r[i])
				}
			} else {
				VBROADCASTF128(row(i, 16*quarter), r[i]) // a plain load of the low half would look to avo like half a definition
				VINSERTF128(Imm(1), row(i+4, 16*quarter), r[i], r[i])
			}
		}
		network(r, four(), func(i int, column vector) { to(4*quarter+i, column) })
	}
}

func four() []vector { return []vector{w.reg(), w.reg(), w.reg(), w.reg()} }

// network hands out the columns of four rows: in each 128 bits a square of its own. t is scratch.
func network(r, t []vector, to func(i int, column vector)) {
	VUNPCKLPS(r[1], r[0], t[0])
	VUNPCKHPS(r[1], r[0], t[1])
	VUNPCKLPS(r[3], r[2], t[2])
	VUNPCKHPS(r[3], r[2], t[3])
	for i := range 4 {
		column := w.reg()
		sel := Imm(0x44)
		if i&1 == 1 {
			sel = Imm(0xEE)
		}
		VSHUFPS(sel, t[i/2+2], t[i/2], column)
		to(i, column)
	}
}

// matrixVector writes the product of a matrix with one vector, which decoding consists of. A chain takes as many rows
// as there are lanes; the squares are transposed in registers on their way, so that the matrix is read once and nothing
// else moves.
func matrixVector() {
	name := "gemv16" + w.isa
	function(name, "func(blocks, groups int, x, b *float32, stride int, y *float32, accumulate int)",
		fmt.Sprintf("%s computes y = B·x (or y += B·x when accumulate is not 0) for 16·groups rows of B, "+
			"stride bytes apart, and %d·blocks columns.", name, w.lanes))
	groups, b, ss, y := load("groups"), load("b"), load("stride"), load("y")
	for vecs := 2; vecs*w.lanes >= 16; vecs-- { // two chains, because one would wait for itself; what is left with one
		label, take := fmt.Sprint("of", vecs), Imm(uint64(vecs*w.lanes/16))
		Label(label)
		CMPQ(groups, take)
		JL(LabelRef("not" + label))
		acc := make([]vector, vecs)
		for i := range acc {
			acc[i] = zero()
		}
		flag := load("accumulate")
		TESTQ(flag, flag)
		JZ(LabelRef(label + "start"))
		for i := range acc {
			VMOVUPS(at(y, w.bytes()*i), acc[i])
		}
		Label(label + "start")
		x, blocks := load("x"), load("blocks")
		rows := newStrided(b, ss, vecs*w.lanes)
		ahead := GP64() // the next rows lie behind these: their lines are asked for one after the other
		IMUL3Q(Imm(uint64(vecs*w.lanes)), ss, ahead)
		ADDQ(b, ahead)
		Label(label + "block")
		if w.lanes == 8 { // measured: a third faster from memory; AVX-512 gains nothing
			size := vecs * w.lanes * w.bytes()
			for line := 0; line < size; line += 64 {
				PREFETCHT0(at(ahead, line))
			}
			ADDQ(U32(uint32(size)), ahead)
		}
		for v := range acc {
			transposed(func(i, disp int) Mem { return rows.row(i+w.lanes*v, disp) }, func(i int, column vector) {
				s := w.reg()
				VBROADCASTSS(at(x, 4*i), s)
				VFMADD231PS(column, s, acc[v])
			})
		}
		ADDQ(Imm(uint64(w.bytes())), x)
		rows.advance(Imm(uint64(w.bytes())))
		DECQ(blocks)
		JNZ(LabelRef(label + "block"))
		for i := range acc {
			VMOVUPS(acc[i], at(y, w.bytes()*i))
		}
		ADDQ(Imm(uint64(vecs*w.bytes())), y)
		step := GP64()
		IMUL3Q(Imm(uint64(vecs*w.lanes)), ss, step)
		ADDQ(step, b)
		SUBQ(take, groups)
		JMP(LabelRef(label))
		Label("not" + label)
	}
	VZEROUPPER()
	RET()
}

// copyPanel writes the packing of columns that lie side by side already.
func copyPanel(tiles []tile) {
	name := "copyPanel" + w.isa
	most := tiles[0].vecs
	function(name, "func(rows, n int, dst, src *float32, stride int)",
		fmt.Sprintf("%s copies n (1 .. %d) floats of each of rows rows of src, stride bytes apart, to rows of %[2]d of dst. "+
			"Up to the next multiple of %d the rest becomes 0.", name, most*w.lanes, w.lanes))
	rows, dst, src, stride := load("rows"), load("dst"), load("src"), load("stride")
	each(tiles, func(t tile, name string, m mask) {
		Label(name)
		x := make([]vector, t.vecs)
		for i := range x {
			k := mask{}
			if i == t.vecs-1 {
				k = m
			}
			x[i] = get(at(src, w.bytes()*i), k)
		}
		for i := range (most*w.bytes() + 63) / 64 { // the next panel
			PREFETCHT1(at(src, w.bytes()*most+64*i))
		}
		ADDQ(stride, src)
		for i := range x {
			VMOVUPS(x[i], at(dst, w.bytes()*i))
		}
		ADDQ(Imm(uint64(w.bytes()*most)), dst)
		DECQ(rows)
		JNZ(LabelRef(name))
		JMP(LabelRef("done"))
	}, func() {})
}

// spread writes the packing of A where it lies transposed. The vectors are of eight floats for both widths, because
// tiles have no more rows.
func spread() {
	w = widths[0]
	function("spread", "func(rows, m int, dst *float32, panel int, src *float32, stride, width int)",
		"spread copies m floats of each of rows rows of src, stride bytes apart, in pieces of width (1 .. 8) to panels "+
			"that begin panel bytes apart in dst. In a panel the rows lie one after the other, width floats each; "+
			"up to 8 floats after its end become anything.")
	rows, dst, src, stride, width := load("rows"), load("dst"), load("src"), load("stride"), load("width")
	whole := firstLanes(width, 1)[0]
	step := GP64()
	MOVQ(width, step)
	SHLQ(Imm(2), step)
	Label("row")
	from, to, left, panel := GP64(), GP64(), load("m"), load("panel")
	MOVQ(src, from)
	MOVQ(dst, to)
	SUBQ(width, left)
	JL(LabelRef("rest"))
	Label("piece")
	VMOVUPS(get(at(from, 0), whole), at(to, 0))
	PREFETCHT0(indexed(from, stride, 2)) // the row after the next
	ADDQ(step, from)
	ADDQ(panel, to)
	SUBQ(width, left)
	JGE(LabelRef("piece"))
	Label("rest")
	ADDQ(width, left)
	JZ(LabelRef("next"))
	VMOVUPS(get(at(from, 0), firstLanes(left, 1)[0]), at(to, 0))
	Label("next")
	ADDQ(stride, src)
	ADDQ(step, dst)
	DECQ(rows)
	JNZ(LabelRef("row"))
	VZEROUPPER()
	RET()
}

// copyRows writes the packing of A where its rows lie in each other's way.
func copyRows() {
	w = widths[0]
	function("copyRows", "func(rows, n int, dst *float32, dstStride int, src *float32, stride int)",
		"copyRows copies n floats of each of rows rows of src, stride bytes apart, to rows dstStride bytes apart. "+
			"Up to the next multiple of 16 the rest becomes 0.")
	rows, dst, ds, src, stride := load("rows"), load("dst"), load("dstStride"), load("src"), load("stride")
	Label("row")
	from, to, left := GP64(), GP64(), load("n")
	MOVQ(src, from)
	MOVQ(dst, to)
	SUBQ(Imm(16), left)
	JL(LabelRef("rest"))
	Label("line")
	lo, hi := get(at(from, 0), mask{}), get(at(from, 32), mask{})
	PREFETCHT0(indexed(from, stride, 2)) // the row after the next
	VMOVUPS(lo, at(to, 0))
	VMOVUPS(hi, at(to, 32))
	ADDQ(Imm(64), from)
	ADDQ(Imm(64), to)
	SUBQ(Imm(16), left)
	JGE(LabelRef("line"))
	Label("rest")
	ADDQ(Imm(16), left)
	JZ(LabelRef("next"))
	for i, m := range firstLanes(left, 2) {
		VMOVUPS(get(at(from, 32*i), m), at(to, 32*i))
	}
	Label("next")
	ADDQ(stride, src)
	ADDQ(ds, dst)
	DECQ(rows)
	JNZ(LabelRef("row"))
	VZEROUPPER()
	RET()
}
