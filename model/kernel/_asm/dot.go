package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
)

// dot writes the products of AVX512-BF16, whose instructions the assembler of Go does not know: see encodeFile.
func dot() {
	w = widths[1]
	maskTable("dotMask")
	tiles := []tile{{3, false}, {3, true}, {2, true}, {1, true}}
	microkernels(8, tiles, product{name: "DotAVX512", multiply: vdpbf16ps,
		doc: " Each value of A and of B is a pair, see pairs, and stands for two steps of the chain. These instructions " +
			"flush always, whatever flags says."})
	pairsAlong()
	pairsAcross()
	peak("peakDot", "products of 16 pairs", vdpbf16ps)
}

// vdpbf16ps does c += the odd half of b times that of a, then c += the even half of b times that of a, each rounded
// once, to nearest even; subnormal numbers are 0.
func vdpbf16ps(b, a, c vector) {
	Instruction(&ir.Instruction{Opcode: "VDPBF16PS", Operands: []Op{b, a, c}, Inputs: []Op{b, a, c}, Outputs: []Op{c}})
}

// vcvtne2ps2bf16 rounds sixteen floats of low and sixteen of high, nearest even, subnormal ones to 0.
func vcvtne2ps2bf16(low, high, to vector) {
	Instruction(&ir.Instruction{Opcode: "VCVTNE2PS2BF16", Operands: []Op{low, high, to}, Inputs: []Op{low, high},
		Outputs: []Op{to}})
}

// pairsAlong pairs neighbours in rows.
func pairsAlong() {
	function("pairsAlong", "func(rows, vectors int, dst *float32, dstStride int, src *float32, srcStride int)",
		"pairsAlong makes pairs of 32·vectors neighbours in each of rows rows. Strides are bytes.")
	rows, dst, ds, src, ss := load("rows"), load("dst"), load("dstStride"), load("src"), load("srcStride")
	Label("row")
	n, from, to := load("vectors"), GP64(), GP64()
	MOVQ(src, from)
	MOVQ(dst, to)
	Label("loop")
	low, high, x := w.reg(), w.reg(), w.reg()
	VMOVUPS(at(from, 0), low)
	VMOVUPS(at(from, 64), high)
	vcvtne2ps2bf16(low, high, x)
	VPROLD(Imm(16), x, x)
	VMOVUPS(x, at(to, 0))
	ADDQ(Imm(128), from)
	ADDQ(Imm(64), to)
	DECQ(n)
	JNZ(LabelRef("loop"))
	ADDQ(ss, src)
	ADDQ(ds, dst)
	DECQ(rows)
	JNZ(LabelRef("row"))
	VZEROUPPER()
	RET()
}

// pairsAcross pairs rows that lie below each other.
func pairsAcross() {
	order := GLOBL("dotOrder", RODATA|NOPTR) // words of the second row (even halves) and of the first (odd ones) in turn
	for i := range 16 {
		DATA(4*i, U32(uint32(i+16)<<16|uint32(i)))
	}
	function("pairsAcross", "func(pairs, vectors int, dst *float32, dstStride int, src *float32, srcStride int)",
		"pairsAcross makes pairs of 16·vectors values of each of pairs rows and those below them in the next row. "+
			"Strides are bytes.")
	pairs, dst, ds, src, ss := load("pairs"), load("dst"), load("dstStride"), load("src"), load("srcStride")
	by := w.reg()
	VMOVUPS(order, by)
	Label("row")
	n, from, to := load("vectors"), GP64(), GP64()
	MOVQ(src, from)
	MOVQ(dst, to)
	Label("loop")
	first, second, x := w.reg(), w.reg(), w.reg()
	VMOVUPS(at(from, 0), first)
	VMOVUPS(indexed(from, ss, 1), second)
	vcvtne2ps2bf16(second, first, x)
	VPERMW(x, by, x)
	VMOVUPS(x, at(to, 0))
	ADDQ(Imm(64), from)
	ADDQ(Imm(64), to)
	DECQ(n)
	JNZ(LabelRef("loop"))
	LEAQ(indexed(src, ss, 2), src)
	ADDQ(ds, dst)
	DECQ(pairs)
	JNZ(LabelRef("row"))
	VZEROUPPER()
	RET()
}
