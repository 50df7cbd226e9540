package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Of lowp_q8.go.
const (
	q8RowSize = 72  // bytes of a block of a row: 32 codes of two bytes, scale, correction
	q8Codes   = 512 // bytes of the codes of a block of 16 outputs
	q8Scales  = 32
)

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

// expandQ8: eight codes of an output, of two groups of four, become a vector, which meets the output's scale.
func expandQ8() {
	flip := word("q8Flip", 0x80808080)
	function("expandQ8AVX2", "func(dst *float32, stride int, codes *byte, scales *uint16)",
		"expandQ8AVX2 is expandQ8Generic for a whole block of a whole panel: 16 rows of 32 values, stride bytes apart.")
	dst, stride, codes, scales := load("dst"), load("stride"), load("codes"), load("scales")
	rows := GP64()
	MOVQ(U32(16), rows)
	Label("row")
	scale := YMM()
	VPBROADCASTW(at(scales, 0), scale.AsX())
	VCVTPH2PS(scale.AsX(), scale)
	for pair := range 4 {
		eight, y := XMM(), YMM()
		VMOVD(at(codes, 128*pair), eight)
		VPINSRD(Imm(1), at(codes, 128*pair+64), eight, eight)
		VPXOR(flip, eight, eight)
		VPMOVSXBD(eight, y)
		VCVTDQ2PS(y, y)
		VMULPS(scale, y, y)
		VMOVUPS(y, at(dst, 32*pair))
	}
	ADDQ(stride, dst)
	ADDQ(Imm(4), codes)
	ADDQ(Imm(2), scales)
	DECQ(rows)
	JNZ(LabelRef("row"))
	VZEROUPPER()
	RET()
}

// row is the address of byte disp of row i, of x or (with bases and ld) of another array.
func row(bases []reg.GPVirtual, ld reg.GPVirtual, i, disp int) Mem {
	m := at(bases[i/3], disp)
	if i%3 != 0 {
		m.Index, m.Scale = ld, uint8(i%3)
	}
	return m
}

// bases gives the addresses of rows 0, 3, 6 from that of row 0.
func bases(rows int, first, ld reg.GPVirtual) []reg.GPVirtual {
	b := []reg.GPVirtual{GP64()}
	MOVQ(first, b[0])
	for i := 3; i < rows; i += 3 {
		n := GP64()
		LEAQ(indexed(b[len(b)-1], ld, 2), n)
		ADDQ(ld, n)
		b = append(b, n)
	}
	return b
}

// q8Loop is what the product with Q8_0 weights has at hand in its innermost loop.
type q8Loop struct {
	acc           [][]vector      // by row of x: the sums of 16 outputs
	x             []reg.GPVirtual // see row
	stride        reg.GPVirtual
	codes, scales reg.GPVirtual
}

// q8Product writes the product for a number of rows; block adds a block of a panel.
func q8Product(isa string, rows int, xor func(ops ...Op), block func(q q8Loop)) {
	name := fmt.Sprintf("q8x%d%s", rows, isa)
	signature := "(panels, blocks int, x *byte, stride int, codes *byte, scales *uint16, c *float32, ldc, accumulate int)"
	function(name, "func"+signature,
		fmt.Sprintf("%s is q8PanelGeneric for %d rows and panels panels side by side. stride and ldc are bytes.", name, rows))
	panels, codes, scales, c := load("panels"), load("codes"), load("scales"), load("c")
	q := q8Loop{acc: make([][]vector, rows), codes: codes, scales: scales}
	for i := range q.acc {
		q.acc[i] = lanes(w.reg)
	}
	each := func(do func(i, h int, y vector)) {
		for i := range q.acc {
			for h, y := range q.acc[i] {
				do(i, h, y)
			}
		}
	}
	Label("panel")
	ldc := load("ldc")
	cs := bases(rows, c, ldc)
	flag := load("accumulate")
	each(func(_, _ int, y vector) { xor(y, y, y) })
	TESTQ(flag, flag)
	JZ(LabelRef("start"))
	each(func(i, h int, y vector) { VMOVUPS(row(cs, ldc, i, w.bytes()*h), y) })
	Label("start")
	first, stride, blocks := load("x"), load("stride"), load("blocks")
	q.x, q.stride = bases(rows, first, stride), stride
	Label("block")
	block(q)
	for _, b := range q.x {
		ADDQ(Imm(q8RowSize), b)
	}
	ADDQ(U32(q8Codes), codes)
	ADDQ(Imm(q8Scales), scales)
	DECQ(blocks)
	JNZ(LabelRef("block"))
	ldc = load("ldc")
	cs = bases(rows, c, ldc)
	each(func(i, h int, y vector) { VMOVUPS(y, row(cs, ldc, i, w.bytes()*h)) })
	ADDQ(Imm(64), c)
	DECQ(panels)
	JNZ(LabelRef("panel"))
	VZEROUPPER()
	RET()
}

// q8BlockAVX2: VPMADDWD multiplies 4 outputs by 4 inputs, in two sums an output, which meet at the end of the block.
func q8BlockAVX2(q q8Loop) {
	for h := range 2 {
		sum := make([][2]vector, len(q.acc))
		for g := range 8 {
			w := [2]vector{YMM(), YMM()}
			for half := range w {
				VPMOVZXBW(at(q.codes, 64*g+32*h+16*half), w[half])
			}
			for i := range q.acc {
				t := [2]vector{YMM(), YMM()}
				VPBROADCASTQ(row(q.x, q.stride, i, 8*g), t[0])
				VPMADDWD(w[1], t[0], t[1])
				VPMADDWD(w[0], t[0], t[0])
				if g == 0 {
					sum[i] = t
					continue
				}
				for half := range t {
					VPADDD(t[half], sum[i][half], sum[i][half])
				}
			}
		}
		d := YMM()
		VCVTPH2PS(at(q.scales, 16*h), d)
		for i := range q.acc {
			s, undo, total := YMM(), YMM(), sum[i][0]
			VPHADDD(sum[i][1], total, total)
			VPERMQ(Imm(0xd8), total, total)
			VPBROADCASTD(row(q.x, q.stride, i, 68), undo)
			VPADDD(undo, total, total)
			VCVTDQ2PS(total, total)
			VBROADCASTSS(row(q.x, q.stride, i, 64), s)
			VMULPS(s, d, s)
			VFMADD231PS(s, total, q.acc[i][h])
		}
	}
}

// q8BlockVNNI: VPDPBUSD multiplies bytes without sign, the weights' codes + 128, with signed ones, the halves of the
// row's codes. The sum of the low halves starts from -128·Σ of the row's codes, which undoes the 128.
func q8BlockVNNI(q q8Loop) {
	w := make([]vector, 8)
	for g := range w {
		w[g] = ZMM()
		VMOVDQU64(at(q.codes, 64*g), w[g])
		if len(q.acc) == 1 {
			PREFETCHT0(at(q.codes, 64*g+4096))
		}
	}
	d := ZMM()
	VCVTPH2PS(at(q.scales, 0), d)
	for i := range q.acc {
		high, low, s := ZMM(), ZMM(), ZMM()
		VPXORD(high, high, high)
		VPBROADCASTD(row(q.x, q.stride, i, 68), low)
		for g := range w {
			VPDPBUSD_BCST(row(q.x, q.stride, i, 4*g), w[g], high)
			VPDPBUSD_BCST(row(q.x, q.stride, i, 32+4*g), w[g], low)
		}
		VPSLLD(Imm(7), high, high)
		VPADDD(high, low, low)
		VCVTDQ2PS(low, low)
		VMULPS_BCST(row(q.x, q.stride, i, 64), d, s)
		VFMADD231PS(s, low, q.acc[i][0])
	}
}
