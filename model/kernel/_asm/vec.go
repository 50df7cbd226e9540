package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/gotypes"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// sweep is the frame of a loop over slices: whole vectors first, then one masked pass over what is left.
type sweep struct {
	base map[string]reg.GPVirtual
	mask mask // of the masked pass
	half int  // which vector of a step this is
}

// kernel writes the function name+w.isa whose first slice tells the length. With lanes = 16 a step is sixteen floats,
// which reductions need: lane l of the sum takes elements l, l+16, ...; with lanes = 8 it is one vector. before sets
// up, body does one vector, after ends (and returns its results).
func kernel(name, signature, doc string, slices []string, lanes int, before func(), body func(s *sweep), after func()) {
	lanes = max(lanes, w.lanes)
	function(name+w.isa, signature, name+w.isa+" is "+name+"Generic: "+doc+".")
	n := Load(Param(slices[0]).Len(), GP64()).(reg.GPVirtual)
	s := &sweep{base: map[string]reg.GPVirtual{}}
	for _, p := range slices {
		s.base[p] = Load(Param(p).Base(), GP64()).(reg.GPVirtual)
	}
	if before != nil {
		before()
	}
	SUBQ(Imm(uint64(lanes)), n)
	JL(LabelRef("rest"))
	Label("loop")
	for s.half = range lanes / w.lanes {
		body(s)
	}
	for _, p := range slices {
		ADDQ(Imm(uint64(lanes*4)), s.base[p])
	}
	SUBQ(Imm(uint64(lanes)), n)
	JGE(LabelRef("loop"))
	Label("rest")
	ADDQ(Imm(uint64(lanes)), n)
	JZ(LabelRef("done"))
	for s.half, s.mask = range firstLanes(n, lanes/w.lanes) {
		body(s)
	}
	Label("done")
	if after != nil {
		after()
	}
	VZEROUPPER()
	RET()
}

// columns writes a sum down n > 0 rows, sixteen columns at a time with their sums in registers. term is what a row
// adds; scalars hold one float a row.
func columns(name, signature, doc string, matrices, scalars []string, term func(s *sweep, k map[string]vector) vector) {
	function(name+w.isa, signature, name+w.isa+" is "+name+"Generic: "+doc+". n must not be 0.")
	n := Load(Param("acc").Len(), GP64()).(reg.GPVirtual)
	s := &sweep{base: map[string]reg.GPVirtual{"acc": Load(Param("acc").Base(), GP64()).(reg.GPVirtual)}}
	top := map[string]reg.GPVirtual{}
	for _, p := range matrices {
		top[p], s.base[p] = Load(Param(p).Base(), GP64()).(reg.GPVirtual), GP64()
	}
	stride := load("stride")
	SHLQ(Imm(2), stride)
	masked := make([]mask, 16/w.lanes)
	step := func(row string) {
		acc := make([]vector, len(masked))
		for s.half, s.mask = range masked {
			acc[s.half] = s.read("acc")
		}
		for _, p := range matrices {
			MOVQ(top[p], s.base[p])
		}
		for _, p := range scalars {
			s.base[p] = Load(Param(p).Base(), GP64()).(reg.GPVirtual)
		}
		count := load("n")
		Label(row)
		k := map[string]vector{}
		for _, p := range scalars {
			k[p] = w.reg()
			VBROADCASTSS(at(s.base[p], 0), k[p])
		}
		for s.half, s.mask = range masked {
			VADDPS(term(s, k), acc[s.half], acc[s.half])
		}
		for _, p := range matrices {
			ADDQ(stride, s.base[p])
		}
		for _, p := range scalars {
			ADDQ(Imm(4), s.base[p])
		}
		DECQ(count)
		JNZ(LabelRef(row))
		for s.half, s.mask = range masked {
			s.write("acc", acc[s.half])
		}
	}
	SUBQ(Imm(16), n)
	JL(LabelRef("rest"))
	Label("loop")
	step("row")
	ADDQ(Imm(64), s.base["acc"])
	for _, p := range matrices {
		ADDQ(Imm(64), top[p])
	}
	SUBQ(Imm(16), n)
	JGE(LabelRef("loop"))
	Label("rest")
	ADDQ(Imm(16), n)
	JZ(LabelRef("done"))
	masked = firstLanes(n, len(masked))
	step("last")
	Label("done")
	VZEROUPPER()
	RET()
}

func (s *sweep) read(p string) vector { return get(at(s.base[p], w.bytes()*s.half), s.mask) }

func (s *sweep) write(p string, y vector) { put(y, s.mask, at(s.base[p], w.bytes()*s.half)) }

// kept is y with zeros outside the mask, for adding to a lane.
func (s *sweep) kept(y vector) vector {
	switch {
	case s.mask.k != nil:
		VMOVAPS_Z(y, s.mask.k, y)
	case s.mask.bits != nil:
		VANDPS(s.mask.bits, y, y)
	}
	return y
}

// orElse is y with z outside the mask; z is overwritten.
func (s *sweep) orElse(y, z vector) vector {
	switch {
	case s.mask.k != nil:
		VBLENDMPS(y, z, s.mask.k, z)
	case s.mask.bits != nil:
		VBLENDVPS(s.mask.bits, y, z, z)
	default:
		return y
	}
	return z
}

// Every product and every sum is rounded on its own: there is no fused multiply-add in this file.
func mul(a vector, b Op) vector   { y := w.reg(); VMULPS(b, a, y); return y }
func plus(a vector, b Op) vector  { y := w.reg(); VADDPS(b, a, y); return y }
func minus(a vector, b Op) vector { y := w.reg(); VSUBPS(b, a, y); return y }
func over(a vector, b Op) vector  { y := w.reg(); VDIVPS(b, a, y); return y }

var constants = map[uint32]Mem{}

// bits is a constant, sixteen times.
func bits(u uint32) Mem   { return constants[u] }
func float(f float32) Mem { return bits(math.Float32bits(f)) }

// value is a constant in a register.
func value(f float32) vector {
	y := w.reg()
	VMOVUPS(float(f), y)
	return y
}

// scalar is a float32 argument in all lanes.
func scalar(name string) vector {
	p, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	y := w.reg()
	VBROADCASTSS(p.Addr, y)
	return y
}

// fold adds (or otherwise joins) sixteen lanes in the fixed order: i with i+8, i+4, i+2, i+1.
func fold(lanes []vector, join func(a, b, to reg.Register)) reg.Register {
	lo := lanes[0]
	if w.lanes == 16 {
		hi := YMM()
		VEXTRACTF64X4(Imm(1), lo, hi)
		join(lo.AsY(), hi, lo.AsY())
	} else {
		join(lo, lanes[1], lo)
	}
	x := XMM()
	VEXTRACTF128(Imm(1), lo.AsY(), x)
	join(lo.AsX(), x, lo.AsX())
	VMOVHLPS(lo.AsX(), lo.AsX(), x)
	join(lo.AsX(), x, lo.AsX())
	VMOVSHDUP(lo.AsX(), x)
	join(lo.AsX(), x, lo.AsX())
	return lo.AsX()
}

// result returns the lowest float of x.
func result(x reg.Register, to gotypes.Component) {
	r, err := to.Resolve()
	if err != nil {
		panic(err)
	}
	VMOVSS(x, r.Addr)
}

func sums(a, b, to reg.Register) { VADDPS(b, a, to) }
func most(a, b, to reg.Register) { VMAXPS(b, a, to) }

// exp is Exp of math.go, operation by operation.
func exp(x vector) vector {
	const magic = 12583038
	hi, u := value(89), value(-87.3)
	VMINPS(x, hi, hi)
	VMAXPS(hi, u, u)
	t := plus(mul(u, float(1.442695041)), float(magic))
	n := minus(t, float(magic))
	r := minus(u, mul(n, float(0.693359375)))
	r = minus(r, mul(n, float(-2.12194440e-4)))
	z := mul(r, r)
	p := plus(mul(r, float(1.9875691500e-4)), float(1.3981999507e-3))
	p = plus(mul(p, z), plus(mul(r, float(8.3334519073e-3)), float(4.1665795894e-2)))
	p = plus(mul(p, z), plus(mul(r, float(1.6666665459e-1)), float(5.0000001201e-1)))
	p = plus(plus(mul(p, z), r), float(1))
	VPSLLD(Imm(23), t, t)
	y := mul(p, t)
	return plus(y, y)
}

func sigmoid(x vector) vector {
	y := w.reg()
	VXORPS(bits(0x80000000), x, y)
	return over(value(1), plus(exp(y), float(1)))
}

func tables() {
	maskTable("vecMask")
	all := []uint32{0x80000000, 0x7f800000}
	for _, f := range []float32{89, -87.3, 12583038, 1.442695041, 0.693359375, -2.12194440e-4, 1.9875691500e-4,
		1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2,
		1.6666665459e-1, 5.0000001201e-1, 1, float32(math.Inf(-1)), geluA, geluB, geluC} {
		all = append(all, math.Float32bits(f))
	}
	for i, u := range all {
		constants[u] = GLOBL("vecConst"+string(rune('A'+i)), RODATA|NOPTR)
		for j := range 16 {
			DATA(j*4, U32(u))
		}
	}
}
