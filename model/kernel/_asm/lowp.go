package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func lowp() {
	floatControl()
	w = widths[0]
	expandBF16()
	expandRowsBF16()
	roundBF16()
	roundValues()
	matrixVectorBF16(4)
	matrixVectorBF16(2)
	quantizeRow(false)
	quantizeRow(true)
	nibbles = quad("q4Low", 0x0f0f0f0f0f0f0f0f)
	words = quad("q4LowWords", 0x000f000f000f000f)
	for _, f := range blockFormats {
		w = widths[0]
		for _, rows := range []int{3, 2, 1} {
			f.product("AVX2", rows, VXORPS, blockAVX2)
		}
		w = widths[1]
		for _, rows := range []int{8, 4, 2, 1} {
			f.product("VNNI", rows, VPXORD, blockVNNI)
		}
	}
	expandQ8()
	expandQ4(false)
	expandQ4(true)
}

// word is a constant for a broadcast or, eight times, for a whole vector.
func word(name string, v uint32) Mem {
	m := GLOBL(name, RODATA|NOPTR)
	for i := range 8 {
		DATA(i*4, U32(v))
	}
	return m
}

// quad is a constant of 64 bytes.
func quad(name string, v uint64) Mem {
	m := GLOBL(name, RODATA|NOPTR)
	for i := range 8 {
		DATA(i*8, U64(v))
	}
	return m
}

func expandBF16() {
	function("expandBF16AVX2", "func(vectors int, dst *float32, src *uint16)",
		"expandBF16AVX2 is expandBF16Generic for 8·vectors values.")
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

// expandRowsBF16 is expandBF16 for a rectangle: packing a panel takes it once, not once a row.
func expandRowsBF16() {
	function("expandRowsBF16", "func(rows, vectors int, dst *float32, dstStride int, src *uint16, srcStride int)",
		"expandRowsBF16 is expandBF16Generic for 8·vectors values of each of rows rows. Strides are bytes.")
	rows, dst, ds, src, ss := load("rows"), load("dst"), load("dstStride"), load("src"), load("srcStride")
	Label("row")
	n, from, to := load("vectors"), GP64(), GP64()
	MOVQ(src, from)
	MOVQ(dst, to)
	Label("loop")
	x := YMM()
	VPMOVZXWD(at(from, 0), x)
	VPSLLD(Imm(16), x, x)
	VMOVDQU(x, at(to, 0))
	ADDQ(Imm(16), from)
	ADDQ(Imm(32), to)
	DECQ(n)
	JNZ(LabelRef("loop"))
	PREFETCHT1(at(from, 0)) // what the next panel reads
	ADDQ(ss, src)
	ADDQ(ds, dst)
	DECQ(rows)
	JNZ(LabelRef("row"))
	VZEROUPPER()
	RET()
}

func roundBF16() {
	one, half, quiet := word("bf16One", 1), word("bf16Half", 0x7fff), word("bf16Quiet", 0x400000)
	word("bf16High", 0xffff0000)
	function("roundBF16AVX2", "func(vectors int, dst *uint16, src *float32)",
		"roundBF16AVX2 is roundBF16Generic for 16·vectors values.")
	n, dst, src := load("vectors"), load("dst"), load("src")
	Label("loop")
	var r [2]vector
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

// roundValues is the rounding of operands where no instruction multiplies bfloat16.
func roundValues() {
	maskTable("lowpMask")
	word("bf16Unit", 0x3f800000)
	for _, w = range widths {
		k := map[string]vector{}
		kernel("roundValues", "func(dst, src []float32)", "dst = src rounded", names("dst", "src"), 8, func() {
			LDMXCSR(static("flushing"))
			for _, name := range names("Unit", "One", "Half", "High") {
				k[name] = w.reg()
				VBROADCASTSS(static("bf16"+name), k[name])
			}
		}, func(s *sweep) {
			x, r := mul(s.read("src"), k["Unit"]), w.reg() // a subnormal number becomes 0, and a NaN a quiet one
			VPSRLD(Imm(16), x, r)
			if w.lanes == 8 {
				VPAND(k["One"], r, r)
			} else {
				VPANDD(k["One"], r, r)
			}
			VPADDD(k["Half"], r, r)
			VPADDD(x, r, r)
			if w.lanes == 8 {
				nan := w.reg()
				VCMPPS(Imm(3), x, x, nan)
				VBLENDVPS(nan, x, r, r)
				VPAND(k["High"], r, r)
			} else {
				nan := K()
				VCMPPS(Imm(3), x, x, nan)
				VMOVAPS(x, nan, r)
				VPANDD(k["High"], r, r)
			}
			s.write("dst", r)
		}, func() { LDMXCSR(static("standard")) })
	}
	w = widths[0]
}

// matrixVectorBF16 is matrixVector for bfloat16: two values of a row are one lane on their way through the transposing
// network, and part behind it. vecs chains of eight rows each run side by side: a chain waits for each of its
// multiply-adds.
func matrixVectorBF16(vecs int) {
	high, rows := static("bf16High"), 8*vecs
	name := fmt.Sprintf("gemv%dBF16", rows)
	function(name, "func(blocks, groups int, x *float32, b *uint16, stride int, y *float32, accumulate int)",
		fmt.Sprintf("%s computes y = B·x (or y += B·x when accumulate is not 0) for %d·groups rows of B, "+
			"stride bytes apart, and 8·blocks columns.", name, rows))
	groups, b, ss, y := load("groups"), load("b"), load("stride"), load("y")
	acc := make([]vector, vecs)
	for i := range acc {
		acc[i] = YMM()
	}
	odd := map[int]reg.GPVirtual{1: ss, 3: GP64(), 5: GP64(), 7: GP64()} // times the stride
	for i := 3; i < 8; i += 2 {
		LEAQ(indexed(odd[i-2], ss, 2), odd[i])
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
	from := strided{base: base, per: 8, odd: odd}
	Label("block")
	for i := range 2 * vecs {
		PREFETCHT0(at(ahead, 64*i))
	}
	ADDQ(U32(uint32(128*vecs)), ahead)
	for v := range acc {
		t, r := four(), four()
		for i := range r {
			VBROADCASTF128(from.row(8*v+i, 0), r[i])
			VINSERTF128(Imm(1), from.row(8*v+i+4, 0), r[i], r[i])
		}
		network(r, t, func(i int, pair vector) {
			even := YMM()
			VPSLLD(Imm(16), pair, even)
			VPAND(high, pair, pair)
			for j, w := range []vector{even, pair} {
				s := YMM()
				VBROADCASTSS(at(x, 8*i+4*j), s)
				VFMADD231PS(w, s, acc[v])
			}
		})
	}
	ADDQ(Imm(32), x)
	from.advance(Imm(16))
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
