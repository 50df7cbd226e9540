package kernel

import (
	"math"
	"testing"

	"instruct/model/kernel/exact"
	"instruct/model/kernel/rng"
)

func TestExpLogTanh(t *testing.T) {
	ulps := func(got float32, want float64) float64 {
		w := float32(want)
		if got == w {
			return 0
		}
		ulp := float64(math.Nextafter32(max(w, -w), math.MaxFloat32) - max(w, -w))
		return math.Abs(float64(got)-want) / ulp
	}
	log := func(x float32) float32 { return float32(exact.Log(float64(x))) }
	tests := []struct {
		name     string
		f        func(float32) float32
		ref      func(float64) float64
		from, to float64
		tol      float64
	}{
		{"exp", Exp, math.Exp, -86.98, 88.7, 2},
		{"exp near 0", Exp, math.Exp, -1e-3, 1e-3, 1},
		{"log", log, math.Log, 1e-30, 1e30, 0.51},
		{"log near 1", log, math.Log, 0.99, 1.01, 0.51},
		{"sigmoid", Sigmoid, func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }, -80, 80, 4},
		{"tanh", Tanh, math.Tanh, -12, 12, 4},
		{"tanh near 0", Tanh, math.Tanh, -1e-2, 1e-2, 2},
	}
	for _, tt := range tests {
		worst := 0.0
		for i := range 20001 {
			x := float32(tt.from + (tt.to-tt.from)*float64(i)/20000)
			worst = max(worst, ulps(tt.f(x), tt.ref(float64(x))))
		}
		if worst > tt.tol {
			t.Errorf("%s: %.2f ulp off, want at most %g", tt.name, worst, tt.tol)
		}
	}
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for _, s := range []struct{ x, want float32 }{
		{-inf, 0}, {inf, inf}, {89, inf}, {1000, inf}, {-87.1, 0}, {-87.3, 0}, {-104, 0}, {-1000, 0}, {0, 1}, {nan, nan},
	} {
		if got := Exp(s.x); !sameBits(got, s.want) {
			t.Errorf("Exp(%g) = %g, want %g", s.x, got, s.want)
		}
	}
	if Tanh(inf) != 1 || Tanh(-inf) != -1 || Sigmoid(inf) != 1 || Sigmoid(-inf) != 0 {
		t.Error("Tanh or Sigmoid of Inf")
	}
}

func TestActivations(t *testing.T) {
	sigmoid := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	const n, f = 3, 19
	r := rng.NewRand(1, "activation", 0, 0)
	p := NewPool(2)
	defer p.Close()
	gu, dout := normals(&r, 2*n*f), normals(&r, n*f)
	for i := range gu {
		gu[i] *= 3
	}
	wide := widen(gu)
	swiglu := func() []float64 {
		out := make([]float64, n*f)
		for i := range n {
			for j := range f {
				g, u := wide[2*i*f+j], wide[2*i*f+f+j]
				out[i*f+j] = g * sigmoid(g) * u
			}
		}
		return out
	}
	out, dgu := make([]float32, n*f), make([]float32, 2*n*f)
	p.SwiGLU(out, gu, n, f)
	near(t, "SwiGLU", out, swiglu(), 1e-6)
	p.SwiGLUBackward(dgu, dout, gu, n, f)
	near(t, "SwiGLUBackward", dgu, numeric(wide, func() float64 { return weigh(swiglu(), dout) }), 1e-5)
	alias := append([]float32(nil), gu...)
	p.SwiGLUBackward(alias, dout, alias, n, f)
	if firstDifference(alias, dgu) >= 0 {
		t.Error("SwiGLUBackward: dgu = gu gives other bits")
	}

	geglu := func() []float64 {
		out := make([]float64, n*f)
		for i := range n {
			for j := range f {
				v, u := wide[2*i*f+j], wide[2*i*f+f+j]
				out[i*f+j] = v / 2 * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(v+0.044715*v*v*v))) * u
			}
		}
		return out
	}
	p.GeGLU(out, gu, n, f)
	near(t, "GeGLU", out, geglu(), 1e-6)
	p.GeGLUBackward(dgu, dout, gu, n, f)
	near(t, "GeGLUBackward", dgu, numeric(wide, func() float64 { return weigh(geglu(), dout) }), 1e-5)

	x, wide2 := gu[:n*f], wide[:n*f]
	gelu := func() []float64 {
		out := make([]float64, n*f)
		for i, v := range wide2 {
			out[i] = v / 2 * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(v+0.044715*v*v*v)))
		}
		return out
	}
	dx := make([]float32, n*f)
	p.GELU(out, x, n, f)
	near(t, "GELU", out, gelu(), 1e-6)
	p.GELUBackward(dx, dout, x, n, f)
	near(t, "GELUBackward", dx, numeric(wide2, func() float64 { return weigh(gelu(), dout) }), 1e-5)
	a := append([]float32(nil), dout...)
	p.GELUBackward(a, a, x, n, f)
	b := append([]float32(nil), x...)
	p.GELUBackward(b, dout, b, n, f)
	c := append([]float32(nil), x...)
	p.GELU(c, c, n, f)
	if firstDifference(a, dx) >= 0 || firstDifference(b, dx) >= 0 || firstDifference(c, out) >= 0 {
		t.Error("GELU: aliased calls give other bits")
	}
}

func TestRotate(t *testing.T) {
	const n, stride, offset, heads, d = 5, 40, 3, 2, 12
	r := rng.NewRand(1, "rotate", 0, 0)
	freq := make([]float32, d/2)
	for i := range freq {
		freq[i] = float32(math.Pow(10000, -float64(i)/(d/2)))
	}
	rope := NewRope(3000, freq, 1)
	pos := []int32{0, 1, 7, 1000, 2999}
	x := normals(&r, n*stride)
	want := widen(x)
	for i := range n {
		for h := range heads {
			for j := range d / 2 {
				at := i*stride + offset + h*d + j
				s, c := math.Sincos(float64(float32(pos[i]) * freq[j]))
				want[at], want[at+d/2] = want[at]*c-want[at+d/2]*s, want[at+d/2]*c+want[at]*s
			}
		}
	}
	p := NewPool(2)
	defer p.Close()
	got := append([]float32(nil), x...)
	p.Rotate(got, pos, rope, n, stride, offset, heads, d, false)
	near(t, "Rotate", got, want, 1e-6)
	p.Rotate(got, pos, rope, n, stride, offset, heads, d, true)
	near(t, "Rotate back", got, widen(x), 1e-6)
	for i := range x {
		if c := i % stride; (c < offset || c >= offset+heads*d) && !sameBits(got[i], x[i]) {
			t.Fatalf("column %d is outside the heads and changed", c)
		}
	}
}

func TestExactGELU(t *testing.T) {
	const n, f = 3, 500
	r := rng.NewRand(1, "exact gelu", 0, 0)
	x, dout := normals(&r, n*f), normals(&r, n*f)
	out, dx := make([]float32, n*f), make([]float32, n*f)
	p := NewPool(2)
	defer p.Close()
	p.ExactGELU(out, x, n, f)
	p.ExactGELUBackward(dx, dout, x, n, f)
	for i, v := range widen(x) {
		cdf := 0.5 * math.Erfc(-v/math.Sqrt2)
		slope := cdf + v*math.Exp(-v*v/2)/math.Sqrt(2*math.Pi)
		if want := float32(v * cdf); math.Abs(float64(out[i]-want)) > 1e-7*math.Abs(float64(want)) {
			t.Fatalf("GELU(%g) is %g, want %g", v, out[i], want)
		}
		if want := float64(dout[i]) * slope; math.Abs(float64(dx[i])-want) > 1e-6*math.Abs(want)+1e-9 {
			t.Fatalf("the gradient at %g is %g, want %g", v, dx[i], want)
		}
	}
}

// A part of each vector turns, with a scale; queries have a scale by position.
func TestRotatePart(t *testing.T) {
	const n, heads, d, half = 3, 2, 10, 3
	r := rng.NewRand(1, "rotate part", 0, 0)
	rope := NewRope(9, []float32{1, 0.3, 0.1}, 1.5)
	rope.Query = []float32{1, 1, 1, 2, 2, 2, 3, 3, 3}
	pos := []int32{0, 4, 8}
	x := normals(&r, n*heads*d)
	want := widen(x)
	for i := range n {
		for h := range heads {
			v := want[(i*heads+h)*d:][:d]
			for j := range half {
				s, c := math.Sincos(float64(pos[i]) * []float64{1, 0.3, 0.1}[j])
				v[j], v[j+half] = 1.5*(v[j]*c-v[j+half]*s), 1.5*(v[j+half]*c+v[j]*s)
			}
			if h == 0 { // a query
				for j := range v {
					v[j] *= float64(rope.Query[pos[i]])
				}
			}
		}
	}
	p := NewPool(2)
	defer p.Close()
	p.Rotate(x, pos, rope, n, heads*d, 0, heads, d, false)
	p.ScaleQueries(x, pos, rope, n, heads*d, d)
	near(t, "a part", x, want, 1e-6)
}

func TestCrossEntropy(t *testing.T) {
	const n, v = 4, 37
	r := rng.NewRand(1, "ce", 0, 0)
	p := NewPool(2)
	defer p.Close()
	logits, targets, weights := normals(&r, n*v), []int32{3, -1, 36, 0}, []float32{1, 1, 0.5, 0}
	for i := range logits {
		logits[i] *= 4
	}
	wide := widen(logits)
	each := func() []float64 {
		l := make([]float64, n)
		for i := range n {
			if targets[i] < 0 {
				continue
			}
			var s float64
			for _, x := range wide[i*v : i*v+v] {
				s += math.Exp(x)
			}
			l[i] = math.Log(s) - wide[i*v+int(targets[i])]
		}
		return l
	}
	want := each()
	for _, grad := range []bool{false, true} {
		x := append([]float32(nil), logits...)
		losses := make([]float64, n)
		p.CrossEntropy(x, targets, weights, losses, n, v, grad)
		for i := range want {
			if math.Abs(losses[i]-want[i]) > 1e-6*max(1, want[i]) {
				t.Errorf("grad=%v: loss %d is %g, want %g", grad, i, losses[i], want[i])
			}
		}
		if !grad && firstDifference(x, logits) >= 0 {
			t.Error("logits changed without grad")
		}
		if grad {
			near(t, "gradient", x, numeric(wide, func() float64 { return weigh(each(), weights) }), 1e-6)
		}
	}
}

// TestCrossEntropyOfManySmall has a vocabulary whose every token but one is below the last bit of a float32 sum.
func TestCrossEntropyOfManySmall(t *testing.T) {
	const v = 50_000
	p := NewPool(1)
	defer p.Close()
	want := math.Log(1 + float64((v-1)*math.Exp(-17.5)))
	for _, grad := range []bool{false, true} {
		x, losses := make([]float32, v), make([]float64, 1)
		for i := range x {
			x[i] = -17.5
		}
		x[7] = 0
		p.CrossEntropy(x, []int32{7}, []float32{1}, losses, 1, v, grad)
		if math.Abs(losses[0]-want) > 2e-6 {
			t.Errorf("grad=%v: loss %.8f, want %.8f", grad, losses[0], want)
		}
	}
}

func TestRowsAndElements(t *testing.T) {
	const n, c, rows = 6, 70, 4
	r := rng.NewRand(1, "rows", 0, 0)
	p := NewPool(2)
	defer p.Close()
	w, y, bias := normals(&r, rows*c), normals(&r, n*c), normals(&r, c)
	ids := []int32{3, 0, 3, 1, 1, 3}
	check := func(name string, got []float32, want func(i, j int) float32) {
		t.Helper()
		for i := range len(got) / c {
			for j := range c {
				if x := want(i, j); !sameBits(got[i*c+j], x) {
					t.Fatalf("%s: (%d, %d) is %g, want %g", name, i, j, got[i*c+j], x)
				}
			}
		}
	}
	out := make([]float32, n*c)
	p.BiasRows(out, bias, n, c)
	check("BiasRows", out, func(i, j int) float32 { return bias[j] })
	copy(out, y)
	p.AddBias(out, bias, n, c)
	check("AddBias", out, func(i, j int) float32 { return y[i*c+j] + bias[j] })
	p.Gather(out, w, ids, n, c)
	check("Gather", out, func(i, j int) float32 { return w[int(ids[i])*c+j] })
	copy(out, y)
	p.GatherAdd(out, w, ids, n, c)
	check("GatherAdd", out, func(i, j int) float32 { return y[i*c+j] + w[int(ids[i])*c+j] })
	db := append([]float32(nil), bias...)
	p.ColumnSum(db, y, n, c)
	check("ColumnSum", db, func(_, j int) float32 {
		s := bias[j]
		for i := range n {
			s += y[i*c+j]
		}
		return s
	})
	dw := append([]float32(nil), w...)
	p.ScatterAdd(dw, y, ids, n, c)
	check("ScatterAdd", dw, func(i, j int) float32 {
		s := w[i*c+j]
		for k, id := range ids {
			if int(id) == i {
				s += y[k*c+j]
			}
		}
		return s
	})
	copy(out, y)
	p.AddResidual(out, w, ids, 0.5, n, c)
	check("AddResidual with ids", out, func(i, j int) float32 { return y[i*c+j]/2 + w[int(ids[i])*c+j] })
	copy(out, w)
	p.AddResidual(out, y, nil, 0.3, rows, c)
	check("AddResidual", out[:rows*c], func(i, j int) float32 { return float32(w[i*c+j]*0.3) + y[i*c+j] })
	p.Add(out, y, y)
	check("Add", out, func(i, j int) float32 { return 2 * y[i*c+j] })
	p.Scale(out, 0.25)
	check("Scale", out, func(i, j int) float32 { return y[i*c+j] / 2 })
	p.Copy(out, y)
	check("Copy", out, func(i, j int) float32 { return y[i*c+j] })
}

func TestAdamW(t *testing.T) {
	const n = 50
	r := rng.NewRand(1, "adamw", 0, 0)
	p := NewPool(2)
	defer p.Close()
	w, m, v := normals(&r, n), make([]float32, n), make([]float32, n)
	ww, wm, wv := widen(w), make([]float64, n), make([]float64, n)
	a := AdamWArgs{LR: 0.01, Beta1: 0.9, Beta2: 0.95, Eps: 1e-8, WeightDecay: 0.1, GradScale: 0.5}
	for step := 1; step <= 20; step++ {
		g := normals(&r, n)
		for i := range n {
			x := float64(g[i]) * 0.5
			ww[i] *= 1 - 0.01*0.1
			wm[i] = 0.9*wm[i] + 0.1*x
			wv[i] = 0.95*wv[i] + 0.05*x*x
			rate := 0.01 / (1 - math.Pow(0.9, float64(step)))
			ww[i] -= rate * wm[i] / (math.Sqrt(wv[i])/math.Sqrt(1-math.Pow(0.95, float64(step))) + 1e-8)
		}
		a.Step = step
		p.AdamW(w, g, m, v, a)
		for i := range g {
			if g[i] != 0 {
				t.Fatal("the gradient is not zeroed")
			}
		}
	}
	near(t, "w", w, ww, 1e-6)
	near(t, "m", m, wm, 1e-6)
	near(t, "v", v, wv, 1e-6)
}

func TestSumSquaresAndFinite(t *testing.T) {
	r := rng.NewRand(1, "squares", 0, 0)
	p := NewPool(2)
	defer p.Close()
	for _, n := range []int{0, 1, 17, 4096, 4097, 100000} {
		x := normals(&r, n)
		var want float64
		for _, v := range x {
			want += float64(v) * float64(v)
		}
		if got := p.SumSquares(x); math.Abs(got-want) > 1e-6*want {
			t.Errorf("n=%d: SumSquares = %g, want %g", n, got, want)
		}
		if !p.AllFinite(x) {
			t.Errorf("n=%d: AllFinite is false", n)
		}
		for _, bad := range []float64{math.Inf(1), math.Inf(-1), math.NaN()} {
			if n == 0 {
				break
			}
			at := r.Intn(n)
			was := x[at]
			x[at] = float32(bad)
			if p.AllFinite(x) {
				t.Errorf("n=%d: AllFinite does not see %g at %d", n, bad, at)
			}
			x[at] = was
		}
	}
}
