package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

const q8RowSize = 72 // of lowp_blocks.go: bytes of a block of a row: 32 codes of two bytes, scale, correction

func quantizeRow(split bool) {
	all := static("q8RowMax")
	name := "quantizeRowSplitAVX2"
	if !split {
		name = "quantizeRowAVX2"
		word("q8Abs", 0x7fffffff)
		word("q8RowMax", math.Float32bits(127*128))
		word("q8Half", 64<<16|64)
	}
	function(name, "func(blocks int, dst *byte, x *float32)",
		fmt.Sprintf("%s is quantizeRowGeneric with split = %v for 32·blocks values.", name, split))
	n, dst, src := load("blocks"), load("dst"), load("x")
	Label("block")
	x, most := rowAndLargest(src)
	m, t := XMM(), XMM()
	across(VPMAXSD, most, m, t)
	top := GP32()
	VMOVD(m, top)
	CMPL(top, U32(0x7f800000))
	JGE(LabelRef("bad"))
	CMPL(top, U32(27<<23)) // 2^-100
	JL(LabelRef("zero"))
	whole, id, sum := XMM(), XMM(), YMM()
	VMOVSS(all, whole)
	VDIVSS(m, whole, id)
	VDIVSS(whole, m, whole)
	VMOVSS(whole, at(dst, 64))
	scale := YMM()
	VBROADCASTSS(id, scale)
	for i := range x {
		VMULPS(scale, x[i], x[i])
		VCVTPS2DQ(x[i], x[i])
	}
	t0 := YMM()
	VPADDD(x[1], x[0], sum)
	VPADDD(x[3], x[2], t0)
	VPADDD(t0, sum, sum)
	storeCodes(x, dst, split)
	s := XMM()
	across(VPADDD, sum, s, t)
	total := GP32()
	VMOVD(s, total)
	SHLL(Imm(7), total)
	NEGL(total)
	MOVL(total, at(dst, 68))
	Label("next")
	ADDQ(Imm(128), src)
	ADDQ(Imm(q8RowSize), dst)
	DECQ(n)
	JNZ(LabelRef("block"))
	VZEROUPPER()
	RET()
	Label("zero")
	XORL(top, top)
	JMP(LabelRef("blank"))
	Label("bad")
	MOVL(U32(0x7fc00000), top)
	Label("blank")
	z := YMM()
	VPXOR(z, z, z)
	VMOVDQU(z, at(dst, 0))
	VMOVDQU(z, at(dst, 32))
	MOVL(top, at(dst, 64))
	MOVL(U32(0), at(dst, 68))
	JMP(LabelRef("next"))
}

// rowAndLargest reads a block of 32 values; most has in each lane the largest of four without their signs, as integers.
func rowAndLargest(src reg.Register) (x []vector, most vector) {
	abs := static("q8Abs")
	x, most = make([]vector, 4), YMM()
	for i := range x {
		x[i] = YMM()
		VMOVDQU(at(src, 32*i), x[i])
		if i == 0 {
			VPAND(abs, x[0], most)
			continue
		}
		t := YMM()
		VPAND(abs, x[i], t)
		VPMAXSD(t, most, most)
	}
	return x, most
}

// across joins the eight lanes of y in all lanes of to; t is scratch.
func across(join func(ops ...Op), y, to, t vector) {
	VEXTRACTI128(Imm(1), y, to)
	join(to, y.AsX(), to)
	VPSHUFD(Imm(0x4e), to, t)
	join(t, to, to)
	VPSHUFD(Imm(0xb1), to, t)
	join(t, to, to)
}

// storeCodes writes 32 integers as int16, or as two int8 each where split.
func storeCodes(x []vector, dst reg.Register, split bool) {
	for i := range 2 {
		VPACKSSDW(x[2*i+1], x[2*i], x[i])
		VPERMQ(Imm(0xd8), x[i], x[i])
	}
	if !split {
		VMOVDQU(x[0], at(dst, 0))
		VMOVDQU(x[1], at(dst, 32))
		return
	}
	h := []vector{YMM(), YMM()}
	for i := range h {
		VPADDW(static("q8Half"), x[i], h[i])
		VPSRAW(Imm(7), h[i], h[i])
		low := YMM()
		VPSLLW(Imm(7), h[i], low)
		VPSUBW(low, x[i], x[i])
	}
	for i, v := range [][]vector{h, x} {
		VPACKSSWB(v[1], v[0], v[0])
		VPERMQ(Imm(0xd8), v[0], v[0])
		VMOVDQU(v[0], at(dst, 32*i))
	}
}
