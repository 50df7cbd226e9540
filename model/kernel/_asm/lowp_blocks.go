package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

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

// blockFormat is a format of weights in blocks, as lowp_blocks.go has them.
type blockFormat struct {
	name, format string
	codes        int  // bytes of the codes of a block of 16 outputs
	minimum      bool // 16 of them follow the 16 scales
	nibbles      bool
}

var blockFormats = []blockFormat{
	{name: "q8", format: "Q8_0", codes: 512},
	{name: "q40", format: "Q4_0", codes: 256, nibbles: true},
	{name: "q41", format: "Q4_1", codes: 256, nibbles: true, minimum: true},
}

// The low nibble of every byte, and of every second one.
var nibbles, words Mem

// blockLoop is what the product with weights in blocks has at hand in its innermost loop.
type blockLoop struct {
	blockFormat
	acc        [][]vector      // by row of x: the sums of 16 outputs
	x          []reg.GPVirtual // see row
	stride     reg.GPVirtual
	at, scales reg.GPVirtual // of the codes, and of the scales
	mask       vector        // VNNI: the low nibble of every byte
}

// product writes the product for a number of rows; block adds a block of a panel.
func (f blockFormat) product(isa string, rows int, xor func(ops ...Op), block func(q blockLoop)) {
	name := fmt.Sprintf("%sx%d%s", f.name, rows, isa)
	signature := "(panels, blocks int, x *byte, stride int, codes *byte, scales *uint16, c *float32, ldc, accumulate int)"
	function(name, "func"+signature,
		fmt.Sprintf("%s is panelGeneric of %s for %d rows and panels panels side by side. stride and ldc are bytes.", name,
			f.format, rows))
	panels, codes, scales, c := load("panels"), load("codes"), load("scales"), load("c")
	q := blockLoop{blockFormat: f, acc: make([][]vector, rows), at: codes, scales: scales}
	if f.nibbles && isa == "VNNI" {
		q.mask = ZMM()
		VMOVDQU64(nibbles, q.mask)
	}
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
	ADDQ(U32(uint32(f.codes)), codes)
	if f.minimum {
		ADDQ(Imm(64), scales)
	} else {
		ADDQ(Imm(32), scales)
	}
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

// blockAVX2: VPMADDWD multiplies 4 outputs by 4 inputs, in two sums an output, which meet at the end of the block.
func blockAVX2(q blockLoop) {
	for h := range 2 {
		sum := make([][2]vector, len(q.acc))
		for g := range 8 {
			w := q.wordsAVX2(g, h)
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
			if !q.minimum {
				VPBROADCASTD(row(q.x, q.stride, i, 68), undo)
				if q.nibbles {
					VPSRAD(Imm(4), undo, undo)
				}
				VPADDD(undo, total, total)
			}
			VCVTDQ2PS(total, total)
			VBROADCASTSS(row(q.x, q.stride, i, 64), s)
			if !q.minimum {
				VMULPS(s, d, s)
				VFMADD231PS(s, total, q.acc[i][h])
				continue
			}
			by := YMM()
			VMULPS(s, d, by)
			VFMADD231PS(by, total, q.acc[i][h])
			VCVTPH2PS(at(q.scales, 32+16*h), by)
			VMULPS(s, by, by)
			VPBROADCASTD(row(q.x, q.stride, i, 68), total)
			VPSRAD(Imm(7), total, total)
			VCVTDQ2PS(total, total)
			VFNMADD231PS(by, total, q.acc[i][h])
		}
	}
}

// wordsAVX2 reads the codes of group g of 8 outputs, those of half h of the panel, as words.
func (q blockLoop) wordsAVX2(g, h int) [2]vector {
	w := [2]vector{YMM(), YMM()}
	for half, y := range w {
		if !q.nibbles {
			VPMOVZXBW(at(q.at, 64*g+32*h+16*half), y)
			continue
		}
		VPMOVZXBW(at(q.at, 64*(g%4)+32*h+16*half), y)
		if g < 4 {
			VPAND(words, y, y)
		} else {
			VPSRLW(Imm(4), y, y)
		}
	}
	return w
}

// blockVNNI: VPDPBUSD multiplies bytes without sign, the weights' codes as they are stored, with signed ones, the
// halves of the row's codes. The sum of the low halves starts from -128·Σ of the row's codes, which undoes the 128 of
// Q8_0, or from a 16th of it, which undoes the 8 of Q4_0.
func blockVNNI(q blockLoop) {
	w := q.bytesVNNI()
	d, m := ZMM(), ZMM()
	VCVTPH2PS(at(q.scales, 0), d)
	if q.minimum {
		VCVTPH2PS(at(q.scales, 32), m)
	}
	high, low, s := ZMM(), ZMM(), ZMM()
	for i := range q.acc {
		VPXORD(high, high, high)
		if q.minimum {
			VPXORD(low, low, low)
		} else {
			VPBROADCASTD(row(q.x, q.stride, i, 68), low)
			if q.nibbles {
				VPSRAD(Imm(4), low, low)
			}
		}
		for g := range w {
			VPDPBUSD_BCST(row(q.x, q.stride, i, 4*g), w[g], high)
			VPDPBUSD_BCST(row(q.x, q.stride, i, 32+4*g), w[g], low)
		}
		VPSLLD(Imm(7), high, high)
		VPADDD(high, low, low)
		VCVTDQ2PS(low, low)
		VMULPS_BCST(row(q.x, q.stride, i, 64), d, s)
		VFMADD231PS(s, low, q.acc[i][0])
		if q.minimum {
			VPBROADCASTD(row(q.x, q.stride, i, 68), low)
			VPSRAD(Imm(7), low, low)
			VCVTDQ2PS(low, low)
			VMULPS_BCST(row(q.x, q.stride, i, 64), m, s)
			VFNMADD231PS(s, low, q.acc[i][0])
		}
	}
}

// bytesVNNI reads the codes of the 8 groups of 16 outputs.
func (q blockLoop) bytesVNNI() []vector {
	w := make([]vector, 8)
	for g := range w {
		w[g] = ZMM()
	}
	for g := range q.codes / 64 {
		VMOVDQU64(at(q.at, 64*g), w[g])
		if len(q.acc) == 1 {
			PREFETCHT0(at(q.at, 64*g+4096))
		}
	}
	if q.nibbles {
		for g := range 4 {
			VPSRLW(Imm(4), w[g], w[4+g])
			VPANDD(q.mask, w[g], w[g])
			VPANDD(q.mask, w[4+g], w[4+g])
		}
	}
	return w
}
