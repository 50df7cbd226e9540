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

func lowp() {
	expandBF16()
	roundBF16()
	matrixVectorBF16(4)
	matrixVectorBF16(2)
	quantizeRow(false)
	quantizeRow(true)
	for _, rows := range []int{3, 2, 1} {
		q8PanelAVX2(rows)
	}
	for _, rows := range []int{8, 4, 2, 1} {
		q8PanelVNNI(rows)
	}
	expandQ8()
}

// word is a constant for a broadcast or, eight times, for a whole vector.
func word(name string, v uint32) Mem {
	m := GLOBL(name, RODATA|NOPTR)
	for i := range 8 {
		DATA(i*4, U32(v))
	}
	return m
}

func expandBF16() {
	function("expandBF16AVX2", "func(vectors int, dst *float32, src *uint16)", "expandBF16AVX2 is expandBF16Generic for 8·vectors values.")
	n, dst, src := load("vectors"), load("dst"), load("src")
	Label("loop")
	x := YMM()
	VPMOVZXWD(at(src, 0), x)
	VPSLLD(Imm(16), x, x)
	VMOVDQU(x, at(dst, 0))
	ADDQ(Imm(16), src)
	ADDQ(Imm(32), dst)
	DECQ(n)
	JNZ(LabelRef("loop"))
	VZEROUPPER()
	RET()
}

func roundBF16() {
	one, half, quiet := word("bf16One", 1), word("bf16Half", 0x7fff), word("bf16Quiet", 0x400000)
	function("roundBF16AVX2", "func(vectors int, dst *uint16, src *float32)", "roundBF16AVX2 is roundBF16Generic for 16·vectors values.")
	n, dst, src := load("vectors"), load("dst"), load("src")
	Label("loop")
	var r [2]reg.VecVirtual
	for i := range r {
		x, odd, nan := YMM(), YMM(), YMM()
		r[i] = YMM()
		VMOVDQU(at(src, 32*i), x)
		VPSRLD(Imm(16), x, odd)
		VPAND(one, odd, odd)
		VPADDD(half, odd, odd)
		VPADDD(odd, x, r[i])
		VCMPPS(Imm(3), x, x, nan)
		VPOR(quiet, x, x)
		VBLENDVPS(nan, x, r[i], r[i])
		VPSRLD(Imm(16), r[i], r[i])
	}
	VPACKUSDW(r[1], r[0], r[0])
	VPERMQ(Imm(0xd8), r[0], r[0])
	VMOVDQU(r[0], at(dst, 0))
	ADDQ(Imm(64), src)
	ADDQ(Imm(32), dst)
	DECQ(n)
	JNZ(LabelRef("loop"))
	VZEROUPPER()
	RET()
}

// matrixVectorBF16 is matrixVector for bfloat16: two values of a row are one lane on their way through the transposing network, and part behind it.
// vecs chains of eight rows each run side by side: a chain waits for each of its multiply-adds.
func matrixVectorBF16(vecs int) {
	high, rows := static("bf16High"), 8*vecs
	if vecs == 4 {
		word("bf16High", 0xffff0000)
	}
	name := fmt.Sprintf("gemv%dBF16", rows)
	function(name, "func(blocks, groups int, x *float32, b *uint16, stride int, y *float32, accumulate int)",
		fmt.Sprintf("%s computes y = B·x (or y += B·x when accumulate is not 0) for %d·groups rows of B, stride bytes apart, and 8·blocks columns.", name, rows))
	groups, b, ss, y := load("groups"), load("b"), load("stride"), load("y")
	acc := make([]reg.VecVirtual, vecs)
	for i := range acc {
		acc[i] = YMM()
	}
	odd := []reg.GPVirtual{ss, GP64(), GP64(), GP64()} // 1, 3, 5 and 7 times the stride
	for i := 1; i < 4; i++ {
		LEAQ(indexed(odd[i-1], ss, 2), odd[i])
	}
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
	base := make([]reg.GPVirtual, vecs) // of each chain
	for i := range base {
		base[i] = GP64()
		if i == 0 {
			MOVQ(b, base[0])
		} else {
			LEAQ(indexed(base[i-1], ss, 8), base[i])
		}
	}
	ahead := GP64() // the next rows lie behind these: their lines are asked for one after the other
	LEAQ(indexed(base[vecs-1], ss, 8), ahead)
	of := func(v, i int) Mem { // row i of chain v
		scale := uint8(1)
		for ; i > 0 && i%2 == 0; i /= 2 {
			scale *= 2
		}
		if i == 0 {
			return at(base[v], 0)
		}
		return indexed(base[v], odd[i/2], scale)
	}
	Label("block")
	for i := range 2 * vecs {
		PREFETCHT0(at(ahead, 64*i))
	}
	ADDQ(U32(uint32(128*vecs)), ahead)
	for v := range acc {
		r, t := make([]reg.VecVirtual, 4), []reg.VecVirtual{YMM(), YMM(), YMM(), YMM()}
		for i := range r {
			r[i] = YMM()
			VBROADCASTF128(of(v, i), r[i])
			VINSERTF128(Imm(1), of(v, i+4), r[i], r[i])
		}
		VUNPCKLPS(r[1], r[0], t[0])
		VUNPCKHPS(r[1], r[0], t[1])
		VUNPCKLPS(r[3], r[2], t[2])
		VUNPCKHPS(r[3], r[2], t[3])
		for i := range 4 {
			pair, even := YMM(), YMM()
			sel := Imm(0x44)
			if i&1 == 1 {
				sel = Imm(0xEE)
			}
			VSHUFPS(sel, t[i/2+2], t[i/2], pair)
			VPSLLD(Imm(16), pair, even)
			VPAND(high, pair, pair)
			for j, w := range []reg.VecVirtual{even, pair} {
				s := YMM()
				VBROADCASTSS(at(x, 8*i+4*j), s)
				VFMADD231PS(w, s, acc[v])
			}
		}
	}
	ADDQ(Imm(32), x)
	for i := range base {
		ADDQ(Imm(16), base[i])
	}
	DECQ(blocks)
	JNZ(LabelRef("block"))
	for i := range acc {
		VMOVUPS(acc[i], at(y, 32*i))
	}
	ADDQ(Imm(uint64(32*vecs)), y)
	for range vecs {
		LEAQ(indexed(b, ss, 8), b)
	}
	DECQ(groups)
	JNZ(LabelRef("group"))
	VZEROUPPER()
	RET()
}

// static names a constant that was defined before.
func static(name string) Mem {
	return Mem{Symbol: Symbol{Name: name, Static: true}, Base: reg.StaticBase}
}

func quantizeRow(split bool) {
	abs, all, half := static("q8Abs"), static("q8RowMax"), static("q8Half")
	name := "quantizeRowSplitAVX2"
	if !split {
		name = "quantizeRowAVX2"
		word("q8Abs", 0x7fffffff)
		word("q8RowMax", math.Float32bits(127*128))
		word("q8Half", 64<<16|64)
	}
	function(name, "func(blocks int, dst *byte, x *float32)", fmt.Sprintf("%s is quantizeRowGeneric with split = %v for 32·blocks values.", name, split))
	n, dst, src := load("blocks"), load("dst"), load("x")
	Label("block")
	x, most := make([]reg.VecVirtual, 4), YMM()
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
	m, t := XMM(), XMM()
	VEXTRACTI128(Imm(1), most, m)
	VPMAXSD(m, most.AsX(), m)
	VPSHUFD(Imm(0x4e), m, t)
	VPMAXSD(t, m, m)
	VPSHUFD(Imm(0xb1), m, t)
	VPMAXSD(t, m, m)
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
	for i := range 2 {
		VPACKSSDW(x[2*i+1], x[2*i], x[i])
		VPERMQ(Imm(0xd8), x[i], x[i])
	}
	if split {
		h := []reg.VecVirtual{YMM(), YMM()}
		for i := range h {
			VPADDW(half, x[i], h[i])
			VPSRAW(Imm(7), h[i], h[i])
			low := YMM()
			VPSLLW(Imm(7), h[i], low)
			VPSUBW(low, x[i], x[i])
		}
		for i, v := range [][]reg.VecVirtual{h, x} {
			VPACKSSWB(v[1], v[0], v[0])
			VPERMQ(Imm(0xd8), v[0], v[0])
			VMOVDQU(v[0], at(dst, 32*i))
		}
	} else {
		VMOVDQU(x[0], at(dst, 0))
		VMOVDQU(x[1], at(dst, 32))
	}
	s := XMM()
	VEXTRACTI128(Imm(1), sum, s)
	VPADDD(s, sum.AsX(), s)
	VPSHUFD(Imm(0x4e), s, t)
	VPADDD(t, s, s)
	VPSHUFD(Imm(0xb1), s, t)
	VPADDD(t, s, s)
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

// q8Function opens a kernel of the product with Q8_0 weights.
func q8Function(name string, rows int) {
	name = fmt.Sprintf("q8x%d%s", rows, name)
	function(name, "func(panels, blocks int, x *byte, stride int, codes *byte, scales *uint16, c *float32, ldc, accumulate int)",
		fmt.Sprintf("%s is q8PanelGeneric for %d rows and panels panels side by side. stride and ldc are bytes.", name, rows))
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

// q8PanelAVX2: VPMADDWD multiplies 4 outputs by 4 inputs, in two sums an output, which meet at the end of the block.
func q8PanelAVX2(rows int) {
	q8Function("AVX2", rows)
	panels, codes, scales, c := load("panels"), load("codes"), load("scales"), load("c")
	acc := make([][2]reg.VecVirtual, rows)
	for i := range acc {
		acc[i] = [2]reg.VecVirtual{YMM(), YMM()}
	}
	Label("panel")
	ldc := load("ldc")
	cs := bases(rows, c, ldc)
	flag := load("accumulate")
	for i := range acc {
		for h := range 2 {
			VXORPS(acc[i][h], acc[i][h], acc[i][h])
		}
	}
	TESTQ(flag, flag)
	JZ(LabelRef("start"))
	for i := range acc {
		for h := range 2 {
			VMOVUPS(row(cs, ldc, i, 32*h), acc[i][h])
		}
	}
	Label("start")
	first, stride, blocks := load("x"), load("stride"), load("blocks")
	x := bases(rows, first, stride)
	Label("block")
	for h := range 2 {
		sum := make([][2]reg.VecVirtual, rows)
		for g := range 8 {
			for q := range 2 {
				w := YMM()
				VPMOVZXBW(at(codes, 64*g+32*h+16*q), w)
				for i := range rows {
					t := YMM()
					VPBROADCASTQ(row(x, stride, i, 8*g), t)
					VPMADDWD(w, t, t)
					if g == 0 {
						sum[i][q] = t
					} else {
						VPADDD(t, sum[i][q], sum[i][q])
					}
				}
			}
		}
		d := YMM()
		VCVTPH2PS(at(scales, 16*h), d)
		for i := range rows {
			s, undo, total := YMM(), YMM(), sum[i][0]
			VPHADDD(sum[i][1], total, total)
			VPERMQ(Imm(0xd8), total, total)
			VPBROADCASTD(row(x, stride, i, 68), undo)
			VPADDD(undo, total, total)
			VCVTDQ2PS(total, total)
			VBROADCASTSS(row(x, stride, i, 64), s)
			VMULPS(s, d, s)
			VFMADD231PS(s, total, acc[i][h])
		}
	}
	for _, b := range x {
		ADDQ(Imm(q8RowSize), b)
	}
	ADDQ(U32(q8Codes), codes)
	ADDQ(Imm(q8Scales), scales)
	DECQ(blocks)
	JNZ(LabelRef("block"))
	ldc = load("ldc")
	cs = bases(rows, c, ldc)
	for i := range acc {
		for h := range 2 {
			VMOVUPS(acc[i][h], row(cs, ldc, i, 32*h))
		}
	}
	ADDQ(Imm(64), c)
	DECQ(panels)
	JNZ(LabelRef("panel"))
	VZEROUPPER()
	RET()
}

// q8PanelVNNI: VPDPBUSD multiplies bytes without sign, the weights' codes + 128, with signed ones, the halves of the row's codes. The sum of the low halves starts
// from -128·Σ of the row's codes, which undoes the 128.
func q8PanelVNNI(rows int) {
	q8Function("VNNI", rows)
	panels, codes, scales, c := load("panels"), load("codes"), load("scales"), load("c")
	acc := make([]reg.VecVirtual, rows)
	for i := range acc {
		acc[i] = ZMM()
	}
	Label("panel")
	ldc := load("ldc")
	cs := bases(rows, c, ldc)
	flag := load("accumulate")
	for i := range acc {
		VPXORD(acc[i], acc[i], acc[i])
	}
	TESTQ(flag, flag)
	JZ(LabelRef("start"))
	for i := range acc {
		VMOVUPS(row(cs, ldc, i, 0), acc[i])
	}
	Label("start")
	first, stride, blocks := load("x"), load("stride"), load("blocks")
	x := bases(rows, first, stride)
	Label("block")
	w := make([]reg.VecVirtual, 8)
	for g := range w {
		w[g] = ZMM()
		VMOVDQU64(at(codes, 64*g), w[g])
		if rows == 1 {
			PREFETCHT0(at(codes, 64*g+4096))
		}
	}
	d := ZMM()
	VCVTPH2PS(at(scales, 0), d)
	for i := range rows {
		high, low, s := ZMM(), ZMM(), ZMM()
		VPXORD(high, high, high)
		VPBROADCASTD(row(x, stride, i, 68), low)
		for g := range w {
			VPDPBUSD_BCST(row(x, stride, i, 4*g), w[g], high)
			VPDPBUSD_BCST(row(x, stride, i, 32+4*g), w[g], low)
		}
		VPSLLD(Imm(7), high, high)
		VPADDD(high, low, low)
		VCVTDQ2PS(low, low)
		VMULPS_BCST(row(x, stride, i, 64), d, s)
		VFMADD231PS(s, low, acc[i])
	}
	for _, b := range x {
		ADDQ(Imm(q8RowSize), b)
	}
	ADDQ(U32(q8Codes), codes)
	ADDQ(Imm(q8Scales), scales)
	DECQ(blocks)
	JNZ(LabelRef("block"))
	ldc = load("ldc")
	cs = bases(rows, c, ldc)
	for i := range acc {
		VMOVUPS(acc[i], row(cs, ldc, i, 0))
	}
	ADDQ(Imm(64), c)
	DECQ(panels)
	JNZ(LabelRef("panel"))
	VZEROUPPER()
	RET()
}
