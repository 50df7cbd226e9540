package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/reg"
)

func names(s ...string) []string { return s }

// lanes gives as many vectors as make sixteen lanes.
func lanes(f func() vector) (v []vector) {
	for range 16 / w.lanes {
		v = append(v, f())
	}
	return v
}

func vec() {
	tables()
	for _, w = range widths {
		reductions()
		finite()
		norms()
		downRows()
		elementwise()
		activations()
		optimizer()
	}
}

// reduction is a kernel that returns one sum; term gives what a vector adds to its lanes.
func reduction(name, signature, doc string, slices, scalars []string, term func(s *sweep, k map[string]vector) vector) {
	var acc []vector
	k := map[string]vector{}
	kernel(name, signature, doc, slices, 16, func() {
		acc = lanes(zero)
		for _, x := range scalars {
			k[x] = scalar(x)
		}
	}, func(s *sweep) {
		y := s.kept(term(s, k))
		VADDPS(y, acc[s.half], acc[s.half])
	}, func() {
		result(fold(acc, sums), ReturnIndex(0))
	})
}

// mapping is a kernel that writes one slice, element by element.
func mapping(name, signature, doc string, slices, scalars []string, f func(s *sweep, k map[string]vector) vector) {
	k := map[string]vector{}
	kernel(name, signature, doc, slices, 8, func() {
		for _, x := range scalars {
			k[x] = scalar(x)
		}
	}, func(s *sweep) { s.write(slices[0], f(s, k)) }, nil)
}

func reductions() {
	type K = map[string]vector
	reduction("dot", "func(x, y []float32) float32", "Σ x·y", names("x", "y"), nil,
		func(s *sweep, _ K) vector { return mul(s.read("x"), s.read("y")) })
	reduction("sum", "func(x []float32) float32", "Σ x", names("x"), nil,
		func(s *sweep, _ K) vector { return s.read("x") })
	reduction("variance", "func(x []float32, mean float32) float32", "Σ (x-mean)²", names("x"), names("mean"),
		func(s *sweep, k K) vector { d := minus(s.read("x"), k["mean"]); return mul(d, d) })
	reduction("dot3", "func(x, y, z []float32, s float32) float32", "Σ (x·y)·(z·s)", names("x", "y", "z"), names("s"),
		func(s *sweep, k K) vector { return mul(mul(s.read("x"), s.read("y")), mul(s.read("z"), k["s"])) })
	reduction("sumExp", "func(x []float32, m float32) float32", "Σ exp(x-m)", names("x"), names("m"),
		func(s *sweep, k K) vector { return exp(minus(s.read("x"), k["m"])) })
	reduction("expSum", "func(dst, x []float32, m float32) float32", "dst = exp(x-m), Σ dst", names("dst", "x"),
		names("m"),
		func(s *sweep, k K) vector {
			e := exp(minus(s.read("x"), k["m"]))
			s.write("dst", e)
			return e
		})
	for _, scaled := range []bool{false, true} {
		var acc []vector
		var by vector
		name, signature, doc := "max", "func(x []float32) float32", "the largest x"
		if scaled {
			name, signature, doc = "maxScale", "func(x []float32, s float32) float32", "x *= s, the largest"
		}
		kernel(name, signature, doc, names("x"), 16, func() {
			acc = lanes(func() vector { return value(float32(math.Inf(-1))) })
			if scaled {
				by = scalar("s")
			}
		}, func(s *sweep) {
			y := s.read("x")
			if scaled {
				y = mul(y, by)
				s.write("x", y)
			}
			if s.mask.partial() {
				y = s.orElse(y, value(float32(math.Inf(-1))))
			}
			VMAXPS(acc[s.half], y, acc[s.half]) // NaN is passed over: of two operands the second wins
		}, func() { result(fold(acc, most), ReturnIndex(0)) })
	}
}

func finite() {
	var found vector
	var some reg.OpmaskVirtual
	kernel("finite", "func(x []float32) (bad int)", "but it counts in bad, which is 0 when all are finite", names("x"), 8,
		func() {
			found, some = zero(), K()
			if w.lanes == 16 {
				KXORW(some, some, some)
			}
		}, func(s *sweep) {
			y := s.read("x")
			VANDPS(bits(0x7f800000), y, y)
			if w.lanes == 16 {
				bad := K()
				VPCMPEQD(bits(0x7f800000), y, bad)
				KORW(bad, some, some)
				return
			}
			VPCMPEQD(bits(0x7f800000), y, y)
			VORPS(y, found, found)
		}, func() {
			n := GP32()
			if w.lanes == 16 {
				KMOVW(some, n)
			} else {
				VMOVMSKPS(found, n)
			}
			Store(n.As64(), ReturnIndex(0))
		})
}

func norms() {
	type K = map[string]vector
	mapping("mulScale", "func(out, x, w []float32, s float32)", "out = w·(x·s)", names("out", "x", "w"), names("s"),
		func(s *sweep, k K) vector { return mul(mul(s.read("x"), k["s"]), s.read("w")) })
	rms := func(s *sweep, k K) vector {
		return mul(minus(mul(s.read("dy"), s.read("w")), mul(mul(s.read("x"), k["s"]), k["c"])), k["s"])
	}
	mapping("rmsGrad", "func(dx, dy, w, x []float32, s, c float32)", "dx = s·(dy·w - (x·s)·c)",
		names("dx", "dy", "w", "x"), names("s", "c"), rms)
	mapping("rmsGradAdd", "func(dx, dy, w, x, res []float32, s, c float32)", "dx = s·(dy·w - (x·s)·c) + res",
		names("dx", "dy", "w", "x", "res"), names("s", "c"),
		func(s *sweep, k K) vector { return plus(rms(s, k), s.read("res")) })
	mapping("layerNorm", "func(out, x, w, b []float32, mean, rstd float32)", "out = ((x-mean)·rstd)·w + b",
		names("out", "x", "w", "b"), names("mean", "rstd"),
		func(s *sweep, k K) vector {
			return plus(mul(mul(minus(s.read("x"), k["mean"]), k["rstd"]), s.read("w")), s.read("b"))
		})
	ln := func(s *sweep, k K) vector {
		u := mul(minus(s.read("x"), k["mean"]), k["rstd"])
		return mul(minus(minus(mul(s.read("dy"), s.read("w")), k["a"]), mul(u, k["b"])), k["rstd"])
	}
	mapping("layerNormGrad", "func(dx, dy, w, x []float32, mean, rstd, a, b float32)",
		"dx = rstd·((dy·w - a) - ((x-mean)·rstd)·b)",
		names("dx", "dy", "w", "x"), names("mean", "rstd", "a", "b"), ln)
	mapping("layerNormGradAdd", "func(dx, dy, w, x, res []float32, mean, rstd, a, b float32)",
		"dx = rstd·((dy·w - a) - ((x-mean)·rstd)·b) + res",
		names("dx", "dy", "w", "x", "res"), names("mean", "rstd", "a", "b"),
		func(s *sweep, k K) vector { return plus(ln(s, k), s.read("res")) })
	var g, gx []vector
	var mean, rstd vector
	kernel("layerNormSums", "func(dy, w, x []float32, mean, rstd float32) (total, dot float32)",
		"Σ dy·w and Σ (dy·w)·((x-mean)·rstd)", names("dy", "w", "x"), 16, func() {
			g, gx = lanes(zero), lanes(zero)
			mean, rstd = scalar("mean"), scalar("rstd")
		}, func(s *sweep) {
			t := mul(s.read("dy"), s.read("w"))
			u := s.kept(mul(mul(minus(s.read("x"), mean), rstd), t))
			VADDPS(t, g[s.half], g[s.half])
			VADDPS(u, gx[s.half], gx[s.half])
		}, func() {
			result(fold(g, sums), Return("total"))
			result(fold(gx, sums), Return("dot"))
		})
}

func downRows() {
	type K = map[string]vector
	columns("addRows", "func(acc, x []float32, stride, n int)", "acc += x[i·stride:] for each of n rows in order",
		names("x"), nil,
		func(s *sweep, _ K) vector { return s.read("x") })
	columns("mulAddRows", "func(acc, y, x, s []float32, stride, n int)", "acc += y·(x·s[i]) for each of n rows in order",
		names("y", "x"), names("s"),
		func(s *sweep, k K) vector { return mul(mul(s.read("x"), k["s"]), s.read("y")) })
	columns("layerNormRows", "func(acc, y, x, mean, rstd []float32, stride, n int)",
		"acc += y·((x-mean[i])·rstd[i]) for each of n rows in order", names("y", "x"), names("mean", "rstd"),
		func(s *sweep, k K) vector {
			return mul(mul(minus(s.read("x"), k["mean"]), k["rstd"]), s.read("y"))
		})
}

func elementwise() {
	type K = map[string]vector
	mapping("scale", "func(x []float32, s float32)", "x *= s", names("x"), names("s"),
		func(s *sweep, k K) vector { return mul(s.read("x"), k["s"]) })
	mapping("add", "func(out, a, b []float32)", "out = a + b", names("out", "a", "b"), nil,
		func(s *sweep, k K) vector { return plus(s.read("a"), s.read("b")) })
	mapping("expScale", "func(x []float32, s, m float32)", "x = exp(x·s-m)", names("x"), names("s", "m"),
		func(s *sweep, k K) vector { return exp(minus(mul(s.read("x"), k["s"]), k["m"])) })
	mapping("softmaxGrad", "func(dp, p []float32, delta, s float32)", "dp = (p·(dp-delta))·s", names("dp", "p"),
		names("delta", "s"),
		func(s *sweep, k K) vector { return mul(mul(minus(s.read("dp"), k["delta"]), s.read("p")), k["s"]) })
	for _, back := range []bool{false, true} {
		name, doc := "rotate", "a' = a·cos - b·sin, b' = b·cos + a·sin"
		ahead, behind := minus, plus
		if back {
			name, doc = "rotateBack", "a' = a·cos + b·sin, b' = b·cos - a·sin"
			ahead, behind = plus, minus
		}
		kernel(name, "func(a, b, cos, sin []float32)", doc, names("a", "b", "cos", "sin"), 8, nil, func(s *sweep) {
			a, b, c, d := s.read("a"), s.read("b"), s.read("cos"), s.read("sin")
			s.write("a", ahead(mul(a, c), mul(b, d)))
			s.write("b", behind(mul(b, c), mul(a, d)))
		}, nil)
	}
}

// As in vec_generic.go.
const (
	geluA = float32(1.5957691216057308)
	geluB = float32(0.044715)
	geluC = float32(0.134145)
)

func activations() {
	type K = map[string]vector
	mapping("swiglu", "func(out, g, u []float32)", "out = (g·sigmoid(g))·u", names("out", "g", "u"), nil,
		func(s *sweep, k K) vector { g := s.read("g"); return mul(mul(g, sigmoid(g)), s.read("u")) })
	kernel("swigluGrad", "func(dg, du, d, g, u []float32)", "dg = (d·u)·(s + (g·s)·(1-s)), du = d·(g·s)",
		names("dg", "du", "d", "g", "u"), 8, nil, func(s *sweep) {
			x := s.read("g")
			y := sigmoid(x)
			a := mul(x, y)
			z := s.read("d")
			t := plus(mul(a, minus(value(1), y)), y)
			t = mul(mul(z, s.read("u")), t)
			s.write("dg", t)
			s.write("du", mul(z, a))
		}, nil)
	gate := func(x, z vector) vector {
		return sigmoid(mul(mul(x, float(geluA)), plus(mul(z, float(geluB)), float(1))))
	}
	mapping("gelu", "func(out, x []float32)", "out = x·sigmoid(2·sqrt(2/π)·(x + 0.044715 x³))", names("out", "x"),
		nil,
		func(s *sweep, k K) vector { x := s.read("x"); return mul(x, gate(x, mul(x, x))) })
	mapping("geluGrad", "func(dx, d, x []float32)", "dx = d·GELU'(x)", names("dx", "d", "x"), nil,
		func(s *sweep, k K) vector {
			x := s.read("x")
			z := mul(x, x)
			g := gate(x, z)
			slope := mul(plus(mul(z, float(geluC)), float(1)), float(geluA))
			t := mul(mul(mul(x, g), minus(value(1), g)), slope)
			return mul(plus(g, t), s.read("d"))
		})
}

func optimizer() {
	var k reg.GPVirtual
	field := func(i int) vector { // of adamwConsts
		y := w.reg()
		VBROADCASTSS(at(k, 4*i), y)
		return y
	}
	kernel("adamw", "func(w, g, m, v []float32, k *float32)", "one AdamW step", names("w", "g", "m", "v"), 8, func() {
		k = load("k")
	}, func(s *sweep) {
		x := mul(s.read("g"), field(0))
		a := plus(mul(s.read("m"), field(1)), mul(x, field(2)))
		b := plus(mul(s.read("v"), field(3)), mul(mul(x, field(4)), x))
		s.write("m", a)
		s.write("v", b)
		s.write("g", zero())
		root := w.reg()
		VSQRTPS(b, root)
		den := plus(over(root, field(5)), field(6))
		s.write("w", minus(mul(s.read("w"), field(7)), over(mul(a, field(8)), den)))
	}, nil)
}
