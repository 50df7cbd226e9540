package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

type vector = reg.VecVirtual

// width is a size of vector registers and the instruction set that functions of it are named after.
type width struct {
	lanes int // floats in a vector
	isa   string
	reg   func() vector
}

func (w width) bytes() int { return 4 * w.lanes }

// w is the width that is being written. Every function is described once and written for both.
var w width

var widths = []width{{8, "AVX2", YMM}, {16, "AVX512", ZMM}}

// mask selects some lanes: the sign bits of a vector with AVX2, a mask register with AVX-512. The zero mask selects
// all.
type mask struct {
	bits vector
	k    reg.OpmaskVirtual
}

func (m mask) partial() bool { return m.bits != nil || m.k != nil }

// masks is sixteen times -1, then sixteen times 0: the mask for n elements begins n words before the middle.
var masks Mem

func maskTable(name string) {
	masks = GLOBL(name, RODATA|NOPTR)
	for i := range 32 {
		v := U32(0xffffffff)
		if i >= 16 {
			v = 0
		}
		DATA(i*4, v)
	}
}

// firstLanes gives count masks, one after the other, for the first n elements of as many vectors, n < 16 or n = lanes.
func firstLanes(n reg.GPVirtual, count int) []mask {
	m := make([]mask, count)
	if w.lanes == 16 {
		ones := GP32()
		MOVL(U32(0xffffffff), ones)
		BZHIL(n.As32(), ones, ones)
		m[0].k = K()
		KMOVW(ones, m[0].k)
		return m
	}
	table, size := GP64(), GP64()
	LEAQ(masks, table)
	MOVQ(n, size)
	SHLQ(Imm(2), size)
	SUBQ(size, table)
	for i := range m {
		m[i].bits = YMM()
		VMOVUPS(at(table, 64+32*i), m[i].bits)
	}
	return m
}

// get reads a vector; lanes outside the mask are 0 and are not touched in memory.
func get(from Mem, m mask) vector {
	y := w.reg()
	getInto(from, m, y)
	return y
}

func getInto(from Mem, m mask, y vector) {
	switch {
	case m.k != nil:
		VMOVUPS_Z(from, m.k, y)
	case m.bits != nil:
		VMASKMOVPS(from, m.bits, y)
	default:
		VMOVUPS(from, y)
	}
}

// put writes the lanes of a vector that the mask selects.
func put(y vector, m mask, to Mem) {
	switch {
	case m.k != nil:
		VMOVUPS(y, m.k, to)
	case m.bits != nil:
		VMASKMOVPS(y, m.bits, to)
	default:
		VMOVUPS(y, to)
	}
}

func zero() vector {
	y := w.reg()
	VXORPS(y, y, y)
	return y
}
