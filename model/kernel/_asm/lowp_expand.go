package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// expandQ8: eight codes of an output, of two groups of four, become a vector, which meets the output's scale.
func expandQ8() {
	flip := word("q8Flip", 0x80808080)
	word("q4Eight", 8)
	function("expandQ8AVX2", "func(dst *float32, stride int, codes *byte, scales *uint16)",
		"expandQ8AVX2 is expandBlocksGeneric of Q8_0 for a whole block of a whole panel: "+
			"16 rows of 32 values, stride bytes apart.")
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

// expandQ4 does the same for nibbles: eight low ones of two groups are eight inputs, the high ones those 16 further on.
func expandQ4(minimum bool) {
	name, text := "expandQ40AVX2", "expandQ40AVX2 is expandBlocksGeneric of Q4_0"
	if minimum {
		name, text = "expandQ41AVX2", "expandQ41AVX2 is expandBlocksGeneric of Q4_1"
	}
	function(name, "func(dst *float32, stride int, codes *byte, scales *uint16)",
		text+" for a whole block of a whole panel: 16 rows of 32 values, stride bytes apart.")
	dst, stride, codes, scales := load("dst"), load("stride"), load("codes"), load("scales")
	rows := GP64()
	MOVQ(U32(16), rows)
	Label("row")
	half := func(disp int) vector {
		y := YMM()
		VPBROADCASTW(at(scales, disp), y.AsX())
		VCVTPH2PS(y.AsX(), y)
		return y
	}
	scale, low := half(0), YMM()
	if minimum {
		low = half(32)
	}
	for pair := range 2 {
		eight := XMM()
		VMOVD(at(codes, 128*pair), eight)
		VPINSRD(Imm(1), at(codes, 128*pair+64), eight, eight)
		for high := range 2 {
			n, y := XMM(), YMM()
			if high == 0 {
				VPAND(nibbles, eight, n)
			} else {
				VPSRLW(Imm(4), eight, n)
				VPAND(nibbles, n, n)
			}
			VPMOVZXBD(n, y)
			if !minimum {
				VPSUBD(static("q4Eight"), y, y)
			}
			VCVTDQ2PS(y, y)
			VMULPS(scale, y, y)
			if minimum {
				VADDPS(low, y, y)
			}
			VMOVUPS(y, at(dst, 64*high+32*pair))
		}
	}
	ADDQ(stride, dst)
	ADDQ(Imm(4), codes)
	ADDQ(Imm(2), scales)
	DECQ(rows)
	JNZ(LabelRef("row"))
	VZEROUPPER()
	RET()
}
