package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func gemm() {
	mask := GLOBL("gemmMask", RODATA|NOPTR)
	for i := range 16 {
		v := U32(0xffffffff)
		if i >= 8 {
			v = 0
		}
		DATA(i*4, v)
	}
	for rows := 6; rows >= 1; rows-- {
		microkernel(rows, 2, false, mask)
		microkernel(rows, 2, true, mask)
		microkernel(rows, 1, true, mask)
	}
	transpose()
	matrixVector()
	copyPanel()
	peak()
	TEXT("pause", NOSPLIT, "func()")
	Doc("pause tells the core that this is a spin.")
	PAUSE()
	RET()
}

// microkernel writes the inner product of rows x (8·vecs): each element of C is one chain of fused multiply-adds in one lane of one accumulator.
func microkernel(rows, vecs int, masked bool, mask Mem) {
	name := fmt.Sprintf("gemm%dx%d", rows, 8*vecs)
	doc := fmt.Sprintf("%s computes blocks tiles of %d rows and %d columns, one below the other: C = A·B, or C += A·B when accumulate is not 0.", name, rows, 8*vecs)
	if masked {
		doc = fmt.Sprintf("%s does the same, but of the last 8 columns only tail count.", name+"Tail")
		name += "Tail"
	}
	function(name, "func(blocks, k int, a *float32, ai, ap, anext int, b *float32, bp int, c *float32, ldc, accumulate, tail int)", doc,
		"A tile's element (i, p) of A lies ai·i + ap·p bytes after a, row p of B bp·p bytes after b, row i of C ldc·i bytes after c;",
		"the next tile begins anext bytes further in A and as many rows further in C.")

	blocks, a, ai, ap := load("blocks"), load("a"), load("ai"), load("ap")
	bp, c, ldc := load("bp"), load("c"), load("ldc")
	var m reg.VecVirtual
	if masked {
		tail := load("tail")
		t := GP64()
		LEAQ(mask, t)
		SHLQ(Imm(2), tail)
		SUBQ(tail, t)
		m = YMM()
		VMOVUPS(at(t, 32), m)
	}
	acc := make([][]reg.VecVirtual, rows)
	for i := range acc {
		for range vecs {
			acc[i] = append(acc[i], YMM())
		}
	}
	last := func(v int) bool { return masked && v == vecs-1 }
	read := func(v int, from Mem, to reg.VecVirtual) {
		if last(v) {
			VMASKMOVPS(from, m, to)
		} else {
			VMOVUPS(from, to)
		}
	}
	// rowsOf gives the address of each of the rows that begin at base, ld bytes apart.
	three := func(base, ld reg.GPVirtual) reg.GPVirtual {
		if rows <= 3 {
			return base
		}
		r := GP64()
		LEAQ(indexed(base, ld, 2), r)
		ADDQ(ld, r)
		return r
	}
	row := func(i int, base, base3, ld reg.GPVirtual, disp int) Mem {
		if i >= 3 {
			base, i = base3, i-3
		}
		if i == 0 {
			return at(base, disp)
		}
		x := indexed(base, ld, uint8(i))
		x.Disp = disp
		return x
	}

	Label("tile")
	k := load("k")
	b := load("b")
	a0 := GP64()
	MOVQ(a, a0)
	a3 := three(a0, ai)
	c3 := three(c, ldc)
	if rows == 6 { // the tile after this one
		next, next3 := GP64(), GP64()
		LEAQ(indexed(c3, ldc, 1), next)
		LEAQ(indexed(next, ldc, 2), next)
		LEAQ(indexed(next, ldc, 2), next3)
		ADDQ(ldc, next3)
		for i := range rows {
			PREFETCHT0(row(i, next, next3, ldc, 0))
			if vecs == 2 {
				PREFETCHT0(row(i, next, next3, ldc, 60))
			}
		}
	}
	flag := load("accumulate")
	TESTQ(flag, flag)
	JNZ(LabelRef("resume"))
	for i := range rows {
		for v := range vecs {
			VXORPS(acc[i][v], acc[i][v], acc[i][v])
		}
	}
	JMP(LabelRef("start"))
	Label("resume")
	for i := range rows {
		for v := range vecs {
			read(v, row(i, c, c3, ldc, 32*v), acc[i][v])
		}
	}
	Label("start")
	step := func() {
		bv := make([]reg.VecVirtual, vecs)
		for v := range bv {
			bv[v] = YMM()
			read(v, at(b, 32*v), bv[v])
		}
		for i := range rows {
			x := YMM()
			VBROADCASTSS(row(i, a0, a3, ai, 0), x)
			for v := range bv {
				VFMADD231PS(bv[v], x, acc[i][v])
			}
		}
		ADDQ(bp, b)
		ADDQ(ap, a0)
		if rows > 3 {
			ADDQ(ap, a3)
		}
	}
	if !masked {
		SUBQ(Imm(4), k)
		JL(LabelRef("rest"))
		Label("four")
		for range 4 {
			step()
		}
		SUBQ(Imm(4), k)
		JGE(LabelRef("four"))
		Label("rest")
		ADDQ(Imm(4), k)
		JZ(LabelRef("done"))
	}
	Label("one")
	step()
	DECQ(k)
	JNZ(LabelRef("one"))
	Label("done")
	for i := range rows {
		for v := range vecs {
			if last(v) {
				VMASKMOVPS(acc[i][v], m, row(i, c, c3, ldc, 32*v))
			} else {
				VMOVUPS(acc[i][v], row(i, c, c3, ldc, 32*v))
			}
		}
	}
	n := load("anext")
	ADDQ(n, a)
	if rows <= 3 {
		for range rows {
			ADDQ(ldc, c)
		}
	} else {
		for range rows - 3 {
			ADDQ(ldc, c3)
		}
		MOVQ(c3, c)
	}
	DECQ(blocks)
	JNZ(LabelRef("tile"))
	VZEROUPPER()
	RET()
}

// transpose writes the register transposes of the packing.
func transpose() {
	function("transpose8", "func(blocks int, dst *float32, dstStride int, src *float32, srcStride, rows int)",
		"transpose8 transposes blocks squares of 8x8 side by side in 8 rows of src into as many squares one below the other in dst. Strides are bytes.",
		"When rows < 8 the last row stands for the missing ones.")
	blocks, dst, ds, src, ss, rows := load("blocks"), load("dst"), load("dstStride"), load("src"), load("srcStride"), load("rows")
	ptr := make([]reg.GPVirtual, 8)
	ptr[0] = src
	for i := 1; i < 8; i++ {
		ptr[i] = GP64()
		MOVQ(ptr[i-1], ptr[i])
		CMPQ(rows, Imm(uint64(i)))
		next := GP64()
		LEAQ(indexed(ptr[i-1], ss, 1), next)
		CMOVQGT(next, ptr[i])
	}
	off, ahead := GP64(), GP64()
	XORQ(off, off)
	LEAQ(Mem{Base: off, Index: ss, Scale: 8}, ahead)
	Label("block")
	for i := range ptr {
		PREFETCHT0(indexed(ptr[i], ahead, 1)) // the next eight rows
	}
	transposed(func(row, half int) Mem {
		x := indexed(ptr[row], off, 1)
		x.Disp = 16 * half
		return x
	}, func(_ int, column reg.VecVirtual) {
		VMOVUPS(column, at(dst, 0))
		ADDQ(ds, dst)
	})
	ADDQ(Imm(32), off)
	ADDQ(Imm(32), ahead)
	DECQ(blocks)
	JNZ(LabelRef("block"))
	VZEROUPPER()
	RET()
}

// transposed reads an 8x8 square, half a row at a time, and hands out its columns in order.
func transposed(from func(row, half int) Mem, to func(i int, column reg.VecVirtual)) {
	for half := range 2 {
		r := make([]reg.VecVirtual, 4)
		for i := range r {
			r[i] = YMM()
			VBROADCASTF128(from(i, half), r[i]) // a plain load of the low half would look to avo like half a definition
			VINSERTF128(Imm(1), from(i+4, half), r[i], r[i])
		}
		t := []reg.VecVirtual{YMM(), YMM(), YMM(), YMM()}
		VUNPCKLPS(r[1], r[0], t[0])
		VUNPCKHPS(r[1], r[0], t[1])
		VUNPCKLPS(r[3], r[2], t[2])
		VUNPCKHPS(r[3], r[2], t[3])
		for i := range 4 {
			o := YMM()
			sel := Imm(0x44)
			if i&1 == 1 {
				sel = Imm(0xEE)
			}
			VSHUFPS(sel, t[i/2+2], t[i/2], o)
			to(4*half+i, o)
		}
	}
}

// matrixVector writes the product of a matrix with one vector, which decoding consists of. Two chains of eight rows each: the squares are transposed in
// registers on their way, so that the matrix is read once and nothing else moves.
func matrixVector() {
	function("gemv16", "func(blocks, groups int, x, b *float32, stride int, y *float32, accumulate int)",
		"gemv16 computes y = B·x (or y += B·x when accumulate is not 0) for 16·groups rows of B, stride bytes apart, and 8·blocks columns.")
	groups, b, ss, y := load("groups"), load("b"), load("stride"), load("y")
	acc := []reg.VecVirtual{YMM(), YMM()}
	Label("group")
	for i := range acc {
		VXORPS(acc[i], acc[i], acc[i])
	}
	flag := load("accumulate")
	TESTQ(flag, flag)
	JZ(LabelRef("start"))
	for i := range acc {
		VMOVUPS(at(y, 32*i), acc[i])
	}
	Label("start")
	x, blocks := load("x"), load("blocks")
	base := []reg.GPVirtual{GP64(), GP64(), GP64(), GP64(), GP64(), GP64()} // rows 0, 3, 6, 9, 12, 15
	MOVQ(b, base[0])
	for i := 1; i < 6; i++ {
		LEAQ(indexed(base[i-1], ss, 2), base[i])
		ADDQ(ss, base[i])
	}
	Label("block")
	for v := range acc {
		transposed(func(row, half int) Mem {
			row += 8 * v
			m := at(base[row/3], 16*half)
			if row%3 != 0 {
				m.Index, m.Scale = ss, uint8(row%3)
			}
			return m
		}, func(i int, column reg.VecVirtual) {
			s := YMM()
			VBROADCASTSS(at(x, 4*i), s)
			VFMADD231PS(column, s, acc[v])
		})
	}
	ADDQ(Imm(32), x)
	for i := range base {
		ADDQ(Imm(32), base[i])
	}
	DECQ(blocks)
	JNZ(LabelRef("block"))
	for i := range acc {
		VMOVUPS(acc[i], at(y, 32*i))
	}
	ADDQ(Imm(64), y)
	SHLQ(Imm(4), ss)
	ADDQ(ss, b)
	SHRQ(Imm(4), ss)
	DECQ(groups)
	JNZ(LabelRef("group"))
	VZEROUPPER()
	RET()
}

// copyPanel writes the packing of 16 columns that lie side by side already.
func copyPanel() {
	function("copy16", "func(rows int, dst, src *float32, stride int)",
		"copy16 copies 16 floats of each of rows rows of src, stride bytes apart, to dst, one after the other.")
	rows, dst, src, stride := load("rows"), load("dst"), load("src"), load("stride")
	Label("row")
	x, y := YMM(), YMM()
	VMOVUPS(at(src, 0), x)
	VMOVUPS(at(src, 32), y)
	PREFETCHT0(at(src, 64)) // the next panel
	ADDQ(stride, src)
	VMOVUPS(x, at(dst, 0))
	VMOVUPS(y, at(dst, 32))
	ADDQ(Imm(64), dst)
	DECQ(rows)
	JNZ(LabelRef("row"))
	VZEROUPPER()
	RET()
}

// peak writes the loop by which benchmarks measure what the core can do: fused multiply-adds on registers only.
func peak() {
	TEXT("peakFMA", NOSPLIT, "func(n int)")
	Doc("peakFMA does n times 12 independent fused multiply-adds of 8 floats. Benchmarks measure the core with it.")
	n := load("n")
	x, y := YMM(), YMM()
	VXORPS(x, x, x)
	VXORPS(y, y, y)
	acc := make([]reg.VecVirtual, 12)
	for i := range acc {
		acc[i] = YMM()
		VXORPS(acc[i], acc[i], acc[i])
	}
	Label("loop")
	for i := range acc {
		VFMADD231PS(x, y, acc[i])
	}
	DECQ(n)
	JNZ(LabelRef("loop"))
	VZEROUPPER()
	RET()
}
