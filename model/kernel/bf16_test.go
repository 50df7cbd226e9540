package kernel

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"testing"

	"instruct/model/kernel/float16"
	"instruct/model/kernel/rng"
)

// forProducts runs f on every path of this machine on which products of bfloat16 run.
func forProducts(t *testing.T, f func(t *testing.T)) {
	forPaths(t, func(t *testing.T) {
		defer withDots(false)()
		f(t)
	})
	if !dotRuns() {
		t.Log("products by VDPBF16PS are not tested: this CPU does not run it")
		return
	}
	old := path
	defer func() { path = old }()
	path = avx512
	defer withDots(true)()
	t.Run("path=avx512bf16", f)
}

// hostile is a matrix with values that are hard to add and to round: small and large ones, subnormal ones, ties of
// rounding, and some that are not finite where wild.
func hostile(r *rng.Rand, rows, cols, ld, shift int, wild bool) guarded {
	g := matrix(r, rows, cols, ld, shift)
	scale := []float32{1, 1, 1, 0x1p-60, 0x1p-70, 0x1p-100, 0x1p50}[r.Intn(7)]
	for i := range rows {
		for j := range cols {
			v := &g.x[i*ld+j]
			*v *= scale
			switch r.Intn(40) {
			case 0:
				*v = math.Float32frombits(r.Uint32() & 0x807fffff) // subnormal
			case 1:
				*v = math.Float32frombits(r.Uint32()&0x80ffffff | 0x7f8000) // rounds up to a normal one, or nearly
			case 2:
				*v = math.Float32frombits(r.Uint32()&0xffff0000&^0x7f800000 | 0x3f808000) // a tie
			case 3:
				*v = float32(math.Copysign(0, r.Normal()))
			case 4:
				*v *= 0x1p-64
			case 5:
				if wild && r.Intn(20) == 0 {
					*v = []float32{float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()),
						math.Float32frombits(0x7f800001), math.MaxFloat32}[r.Intn(5)]
				}
			}
		}
	}
	return g
}

// bf16Naive is the contract of products of bfloat16, element by element.
func bf16Naive(m, n, k int, a, b func(i, p int) float32, c []float32, ldc int, accumulate bool) {
	for i := range m {
		for j := range n {
			var s float32
			if accumulate {
				s = flushed(c[i*ldc+j])
			}
			for p := range k {
				s = flushedFMA(a(i, p), b(j, p), s)
			}
			c[i*ldc+j] = s
		}
	}
}

// operandOf rounds one value as an operand of a product of bfloat16.
func operandOf(x float32) float32 { return float16.FromBF16(float16.ToBF16(flushed(x))) }

func TestBF16Products(t *testing.T) {
	pools := []*Pool{NewPool(1), NewPool(2), NewPool(3)}
	for _, p := range pools {
		defer p.Close()
	}
	shapes := [][3]int{{1, 1, 1}, {1, 33, 600}, {1, 200, 64}, {1, 40, 13}, {2, 16, 32}, {5, 100, 37}, {17, 250, 530},
		{40, 33, 1100}, {19, 1100, 33}, {130, 100, 300}, {300, 9, 17}, {60, 70, 5}, {18, 17, 2}, {3, 0, 5}, {3, 5, 0},
		{0, 5, 7}, {33, 48, 514}, {20, 1030, 40}, {64, 40, 1024}, {25, 60, 2050}}
	r := rng.NewRand(5, "bf16 products", 0, 0)
	for range 40 {
		shapes = append(shapes, [3]int{1 + r.Intn(60), 1 + r.Intn(120), 1 + r.Intn(130)})
	}
	if testing.Short() { // the race detector, the portable kernels and emulated ones, all ten times slower
		shapes = [][3]int{{5, 100, 37}, {40, 33, 110}, {19, 110, 33}, {1, 40, 13}, {18, 17, 2}}
	}
	wanted := map[string][]float32{} // the same on every path
	forProducts(t, func(t *testing.T) {
		r := rng.NewRand(6, "bf16 products", 0, 0)
		for _, s := range shapes {
			for _, acc := range []bool{false, true} {
				for _, f := range []Form{NT, NN, TN} {
					testBF16Product(t, &r, pools, f, s, acc, wanted)
				}
			}
		}
	})
}

func testBF16Product(t *testing.T, r *rng.Rand, pools []*Pool, f Form, s [3]int, acc bool,
	wanted map[string][]float32) {
	m, n, k := s[0], s[1], s[2]
	wild := r.Intn(3) == 0
	c := hostile(r, m, n, n+r.Intn(3), r.Intn(8), wild)
	ldc := 1
	if m > 1 {
		ldc = (len(c.x) - n) / (m - 1)
	}
	ar, ac, br, bc := m, k, n, k
	if f == TN {
		ar, ac = k, m
	}
	if f != NT {
		br, bc = k, n
	}
	lda, ldb := ac+r.Intn(4), bc+r.Intn(4)
	if k == 1024 { // rows a multiple of 4096 bytes apart
		lda, ldb = (ac+1023)&^1023, (bc+1023)&^1023
	}
	a, b := hostile(r, ar, ac, lda, r.Intn(8), wild), hostile(r, br, bc, ldb, r.Intn(8), wild)
	left := func(i, p int) float32 {
		if f == TN {
			return operandOf(a.x[p*lda+i])
		}
		return operandOf(a.x[i*lda+p])
	}
	right := func(j, p int) float32 {
		if f == NT {
			return operandOf(b.x[j*ldb+p])
		}
		return operandOf(b.x[p*ldb+j])
	}
	ldc = max(ldc, n)
	start := slices.Clone(c.x)
	key := fmt.Sprint(f, s, acc)
	want := wanted[key]
	if want == nil {
		want = slices.Clone(start)
		if k > 0 || !acc {
			bf16Naive(m, n, k, left, right, want, ldc, acc)
		}
		wanted[key] = want
	}
	if !Pairs() {
		roundWithin(a, ar, ac, lda)
	}
	rounded := r.Intn(3) == 0
	if rounded {
		roundWithin(b, br, bc, ldb)
	}
	for _, p := range pools {
		copy(c.x, start)
		p.GemmBF16(f, m, n, k, a.x, lda, b.x, ldb, c.x, ldc, acc, rounded)
		name := fmt.Sprintf("%v m=%d n=%d k=%d accumulate=%v threads=%d", f, m, n, k, acc, p.Threads())
		if i := firstDifference(c.x, want); i >= 0 {
			t.Fatalf("%s: element (%d, %d) is %g (%08x), want %g (%08x)", name, i/ldc, i%ldc, c.x[i],
				math.Float32bits(c.x[i]), want[i], math.Float32bits(want[i]))
		}
		if !a.intact() || !b.intact() || !c.intact() {
			t.Fatalf("%s: wrote outside", name)
		}
	}
}

// roundWithin rounds the values of a matrix, and not what lies between its rows.
func roundWithin(g guarded, rows, cols, ld int) {
	for i := range rows {
		for j := range cols {
			g.x[i*ld+j] = operandOf(g.x[i*ld+j])
		}
	}
}

// TestFlushedFMA holds flushedFMA to arbitrary precision: the result rounded to 24 digits with an exponent without
// bound, and 0 where that is below 2^-126.
func TestFlushedFMA(t *testing.T) {
	r := rng.NewRand(2, "flushed fma", 0, 0)
	small := 0
	for range 200000 {
		f := func(digits uint32, exponent, spread int) float32 {
			m := r.Uint32() & 0x7fffff &^ (1<<(23-digits) - 1)
			return math.Float32frombits(r.Uint32()&0x80000000 | uint32(max(1, 127+exponent+r.Intn(spread+1)))<<23 | m)
		}
		a, b, c := f(7, -66, 6), f(7, -66, 6), f(23, -127, 4)
		if r.Intn(2) == 0 { // near the limit itself
			c = float32(math.Copysign(0x1p-126*(1+float64(r.Intn(8))*0x1p-23), float64(c)))
			a, b = f(7, -76, 2), f(7, -77, 2)
		}
		sum := new(big.Float).SetPrec(400).SetFloat64(float64(a))
		sum.Mul(sum, new(big.Float).SetPrec(400).SetFloat64(float64(b)))
		sum.Add(sum, new(big.Float).SetPrec(400).SetFloat64(float64(c)))
		rounded, _ := new(big.Float).SetPrec(24).SetMode(big.ToNearestEven).Set(sum).Float64()
		want := float32(rounded)
		if math.Abs(rounded) < 0x1p-126 {
			small++
			want = float32(math.Copysign(0, rounded))
		}
		if got := flushedFMA(a, b, c); math.Float32bits(got) != math.Float32bits(want) {
			t.Fatalf("flushedFMA(%g, %g, %g) = %g, want %g", a, b, c, got, want)
		}
	}
	if small < 1000 {
		t.Errorf("%d results are below the limit: too few to show anything", small)
	}
}

// TestBF16Loss: what a product loses is that of its rounded operands: 2^-9 of each factor at most.
func TestBF16Loss(t *testing.T) {
	p := NewPool(2)
	defer p.Close()
	r := rng.NewRand(8, "bf16 loss", 0, 0)
	const m, n, k = 30, 40, 200
	a, b := normals(&r, k*m), normals(&r, k*n)
	got, want := make([]float32, m*n), make([]float32, m*n)
	x := make([]float32, k*m)
	p.Round(x, a)
	p.GemmBF16(TN, m, n, k, x, m, b, n, got, n, false, false)
	p.Gemm(TN, m, n, k, a, m, b, n, want, n, false)
	for i := range m {
		for j := range n {
			sum := 0.0
			for s := range k {
				sum += math.Abs(float64(a[s*m+i]) * float64(b[s*n+j]))
			}
			if d := math.Abs(float64(got[i*n+j] - want[i*n+j])); d > sum*(0x1p-8+0x1p-17) || d == 0 {
				t.Fatalf("element (%d, %d): %g, in float32 %g", i, j, got[i*n+j], want[i*n+j])
			}
		}
	}
}

// TestRounding: what kernels by rows and by values write is rounded as Round does it, and only theirs.
func TestRounding(t *testing.T) {
	forPaths(t, func(t *testing.T) {
		r := rng.NewRand(9, "rounding", 0, 0)
		const n, c = 300, 70
		x, other := hostile(&r, n, c, c, 0, false).x, normals(&r, n*c)
		want := make([]float32, n*c)
		for i := range want {
			want[i] = operandOf(x[i] + other[i])
		}
		bias := operandOf(other[1])
		for _, threads := range []int{1, 2, 3} {
			p := NewPool(threads)
			defer p.Close()
			out := make([]float32, n*c)
			p.Rounding(out)
			p.Add(out, x, other)
			if i := firstDifference(out, want); i >= 0 {
				t.Errorf("%d threads: value %d of a sum is %g, want %g", threads, i, out[i], want[i])
			}
			p.Rounding(out)
			p.BiasRows(out, other, n, c)
			if out[c+1] != bias || other[1] == bias {
				t.Errorf("%d threads: a row is %g, want %g rounded", threads, out[c+1], other[1])
			}
			p.BiasRows(out, other, n, c)
			if out[c+1] != other[1] {
				t.Errorf("%d threads: the kernel behind it was rounded too", threads)
			}
			p.Round(out, out)
			if out[c+1] != bias {
				t.Errorf("%d threads: Round gave %g of %g", threads, out[c+1], other[1])
			}
		}
	})
}
