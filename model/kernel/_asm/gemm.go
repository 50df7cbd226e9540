package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func gemm() {
	maskTable("gemmMask")
	floatControl()
	for _, w = range widths {
		rows, tiles := 6, []tile{{2, false}, {2, true}, {1, true}}
		if w.lanes == 16 {
			rows, tiles = 8, []tile{{3, false}, {3, true}, {2, true}, {1, true}}
		}
		microkernels(rows, tiles, product{name: w.isa, multiply: fma, flushes: true})
		copyPanel(tiles)
		transpose()
		matrixVector()
		peak("peak"+w.isa, fmt.Sprintf("fused multiply-adds of %d floats", w.lanes), fma)
	}
	spread()
	copyRows()
	TEXT("pause", NOSPLIT, "func()")
	Doc("pause tells the core that this is a spin.")
	PAUSE()
	RET()
	TEXT("cacheL2", NOSPLIT, "func() int")
	Doc("cacheL2 is the size of a core's second cache in KiB, 0 where the CPU does not say. See",
		"https://www.felixcloutier.com/x86/cpuid: leaf 80000006H.")
	MOVL(U32(0x80000006), reg.EAX)
	CPUID()
	SHRL(Imm(16), reg.ECX)
	size := GP64()
	MOVL(reg.ECX, size.As32())
	Store(size, ReturnIndex(0))
	RET()
}

// tile is the width of a micro-kernel: so many vectors, the last of them cut short or not.
type tile struct {
	vecs int
	cut  bool
}

// each writes code for every tile under a label of its own; code decides which by n, the number of columns. end comes
// before the return.
func each(tiles []tile, code func(t tile, name string, m mask), end func()) {
	for _, t := range tiles {
		name := fmt.Sprint("of", t.vecs)
		if t.cut {
			name += "cut"
		}
		n := load("n")
		var m mask
		if t.cut {
			SUBQ(Imm(uint64((t.vecs-1)*w.lanes)), n)
			JLE(LabelRef("not" + name))
			m = firstLanes(n, 1)[0]
		} else {
			CMPQ(n, Imm(uint64(t.vecs*w.lanes)))
			JNE(LabelRef("not" + name))
		}
		code(t, name, m)
		Label("not" + name)
	}
	Label("done")
	end()
	VZEROUPPER()
	RET()
}

// product is what a micro-kernel does with a vector of B, a value of A and a vector of C.
type product struct {
	name, doc string
	multiply  func(b, a, c vector)
	flushes   bool // it can, see flush
}

func fma(b, a, c vector) { VFMADD231PS(b, a, c) }

// microkernels writes the product of any number of rows with as many columns as the widest tile has. The part of C in a
// tile is kept in registers: each of its elements is one chain of fused multiply-adds in one lane of one of them.
func microkernels(rows int, tiles []tile, p product) {
	name := "gemm" + p.name
	function(name, "func(m, n, k int, a *float32, ai, ap, anext int, b *float32, bp int, c *float32, ldc, flags int, "+
		"ahead *float32, aheadNext int)",
		fmt.Sprintf("%s computes m rows and n (1 .. %d) columns in tiles of %d rows: C = A·B, "+
			"or C += A·B, see accumulateFlag. Element (i, p) of A lies ai·i + ap·p bytes after a "+
			"within the first tile, the next tile begins anext bytes further; row p of B lies bp·p bytes after b, "+
			"row i of C ldc·i bytes after c. Each whole tile asks for 4·k bytes of two "+
			"rows that are read later: they begin at ahead, aheadNext bytes apart.%s", name, tiles[0].vecs*w.lanes, rows, p.doc))
	left, a, c, ahead := load("m"), load("a"), load("c"), load("ahead")
	if p.flushes {
		flush()
	}
	each(tiles, func(t tile, name string, m mask) {
		Label("next" + name)
		CMPQ(left, Imm(uint64(rows)))
		JGE(LabelRef(fmt.Sprint(name, "x", rows)))
		for r := rows - 1; r > 0; r-- {
			CMPQ(left, Imm(uint64(r)))
			JEQ(LabelRef(fmt.Sprint(name, "x", r)))
		}
		JMP(LabelRef("done"))
		for r := rows; r > 0; r-- {
			label := fmt.Sprint(name, "x", r)
			Label(label)
			microkernel(label, r, t.vecs, m, r == rows, a, c, ahead, p)
			if r < rows {
				JMP(LabelRef("done"))
				continue
			}
			n, ldc := load("anext"), load("ldc")
			ADDQ(n, a)
			IMUL3Q(Imm(uint64(rows)), ldc, ldc)
			ADDQ(ldc, c)
			SUBQ(Imm(uint64(rows)), left)
			JMP(LabelRef("next" + name))
		}
	}, func() {
		if p.flushes {
			unflush()
		}
	})
}

// flush makes subnormal numbers 0 from here on, what is read and what comes out, where flags has flushFlag: the
// arithmetic of products of bfloat16. See https://www.felixcloutier.com/x86/ldmxcsr: bits FZ and DAZ.
func flush() {
	TESTQ(U32(2), load("flags"))
	JZ(LabelRef("gradual"))
	LDMXCSR(static("flushing"))
	Label("gradual")
}

// unflush undoes flush at the end of a function.
func unflush() {
	TESTQ(U32(2), load("flags"))
	JZ(LabelRef("undone"))
	LDMXCSR(static("standard"))
	Label("undone")
}

// floatControl defines what flush and unflush set.
func floatControl() {
	word("flushing", 0x9fc0)
	word("standard", 0x1f80)
}

// strided gives the addresses of rows ld bytes apart with few registers: one for four or eight rows each, and odd
// multiples of ld.
type strided struct {
	base []reg.GPVirtual
	per  int                   // rows to a base
	odd  map[int]reg.GPVirtual // 1, 3, 5 and 7 times ld
}

func newStrided(base, ld reg.GPVirtual, rows int) strided {
	s := strided{base: []reg.GPVirtual{GP64()}, per: 4, odd: map[int]reg.GPVirtual{1: ld}}
	if rows > 8 {
		s.per = 8
	}
	MOVQ(base, s.base[0])
	for i := 3; i < min(rows, s.per); i += 2 {
		s.odd[i] = GP64()
		LEAQ(indexed(s.odd[i-2], ld, 2), s.odd[i])
	}
	for i := s.per; i < rows; i += s.per {
		b := GP64()
		LEAQ(indexed(s.base[len(s.base)-1], ld, uint8(s.per)), b)
		s.base = append(s.base, b)
	}
	return s
}

func (s strided) row(i, disp int) Mem {
	x := at(s.base[i/s.per], disp)
	i %= s.per
	if i > 0 {
		x.Scale = 1
		for ; i%2 == 0; i /= 2 {
			x.Scale *= 2
		}
		x.Index = s.odd[i]
	}
	return x
}

func (s strided) advance(by Op) {
	for _, b := range s.base {
		ADDQ(by, b)
	}
}

// prefetchBelow asks for the part of C below a tile.
func prefetchBelow(c strided, rows, vecs int) {
	ahead := GP64()
	MOVQ(c.odd[1], ahead)
	IMUL3Q(Imm(uint64(rows)), ahead, ahead)
	next := strided{per: c.per, odd: c.odd}
	for _, b := range c.base {
		n := GP64()
		LEAQ(indexed(b, ahead, 1), n)
		next.base = append(next.base, n)
	}
	for i := range rows {
		for at := 0; at < vecs*w.bytes(); at += 64 {
			PREFETCHT0(next.row(i, at))
		}
		PREFETCHT0(next.row(i, vecs*w.bytes()-4))
	}
}

// microkernel writes one tile; more says that another one usually follows below it.
func microkernel(label string, rows, vecs int, m mask, more bool, a, c, ahead reg.GPVirtual, p product) {
	of := func(v int) mask {
		if v == vecs-1 {
			return m
		}
		return mask{}
	}
	acc := make([][]vector, rows)
	for i := range acc {
		for range vecs {
			acc[i] = append(acc[i], w.reg())
		}
	}
	atC := func() strided { return newStrided(c, load("ldc"), rows) }
	to := atC()
	if more {
		prefetchBelow(to, rows, vecs)
	}
	flags := load("flags")
	TESTQ(U32(1), flags)
	JNZ(LabelRef(label + "resume"))
	for i := range rows {
		for v := range vecs {
			VXORPS(acc[i][v], acc[i][v], acc[i][v])
		}
	}
	JMP(LabelRef(label + "start"))
	Label(label + "resume")
	for i := range rows {
		for v := range vecs {
			getInto(to.row(i, w.bytes()*v), of(v), acc[i][v])
		}
	}
	Label(label + "start")
	k, b, bp, ap := load("k"), load("b"), load("bp"), load("ap")
	from := newStrided(a, load("ai"), rows)
	below := GP64() // the second row that is asked for
	if more {
		MOVQ(ahead, below)
		ADDQ(load("aheadNext"), below)
	}
	step := func() {
		bv := make([]vector, vecs)
		for v := range bv {
			bv[v] = get(at(b, w.bytes()*v), of(v))
		}
		for i := range rows {
			x := w.reg()
			VBROADCASTSS(from.row(i, 0), x)
			for v := range bv {
				p.multiply(bv[v], x, acc[i][v])
			}
		}
		ADDQ(bp, b)
		from.advance(ap)
	}
	if !m.partial() {
		SUBQ(Imm(4), k)
		JL(LabelRef(label + "rest"))
		Label(label + "four")
		if more { // a line is asked for four times, which costs less than to count
			PREFETCHT1(indexed(ahead, k, 4))
			PREFETCHT1(indexed(below, k, 4))
		}
		for range 4 {
			step()
		}
		SUBQ(Imm(4), k)
		JGE(LabelRef(label + "four"))
		Label(label + "rest")
		ADDQ(Imm(4), k)
		JZ(LabelRef(label + "done"))
	}
	Label(label + "one")
	step()
	DECQ(k)
	JNZ(LabelRef(label + "one"))
	Label(label + "done")
	if more {
		LEAQ(indexed(below, load("aheadNext"), 1), ahead)
	}
	to = atC()
	for i := range rows {
		for v := range vecs {
			put(acc[i][v], of(v), to.row(i, w.bytes()*v))
		}
	}
}

// peak writes a loop that measures what the core can do: one instruction, on registers only.
func peak(name, what string, multiply func(b, a, c vector)) {
	TEXT(name, NOSPLIT, "func(n int)")
	Doc(fmt.Sprintf("%s does n times 12 independent %s. Benchmarks measure the core with it.", name, what))
	n := load("n")
	x, y := zero(), zero()
	acc := make([]vector, 12)
	for i := range acc {
		acc[i] = zero()
	}
	Label("loop")
	for i := range acc {
		multiply(x, y, acc[i])
	}
	DECQ(n)
	JNZ(LabelRef("loop"))
	VZEROUPPER()
	RET()
}
