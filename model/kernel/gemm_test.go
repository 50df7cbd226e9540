package kernel

import (
	"fmt"
	"math"
	"math/big"
	"testing"

	"instruct/model/kernel/rng"
)

func normals(r *rng.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.Normal())
	}
	return x
}

// fmaExact is a·b + c rounded once, by arbitrary precision.
func fmaExact(a, b, c float32) float32 {
	x := new(big.Float).SetPrec(2000).SetFloat64(float64(a))
	x.Mul(x, new(big.Float).SetPrec(2000).SetFloat64(float64(b)))
	x.Add(x, new(big.Float).SetPrec(2000).SetFloat64(float64(c)))
	f, _ := x.Float32()
	return f
}

func TestFMA32(t *testing.T) {
	r := rng.NewRand(1, "fma", 0, 0)
	check := func(a, b, c float32) {
		t.Helper()
		if got, want := fma32(a, b, c), fmaExact(a, b, c); got != want {
			t.Fatalf("fma32(%g, %g, %g) = %g, want %g (bits %08x %08x %08x)", a, b, c, got, want, math.Float32bits(a),
				math.Float32bits(b), math.Float32bits(c))
		}
	}
	ties := 0
	for range 100000 {
		// Few mantissa bits and near exponents make ties likely.
		f := func(keep uint32, spread int) float32 {
			m := r.Uint32() & 0x7fffff &^ (1<<(23-keep) - 1)
			return math.Float32frombits(r.Uint32()&0x80000000 | uint32(127-spread/2+r.Intn(spread+1))<<23 | m)
		}
		a, b, c := f(12, 4), f(12, 4), f(23, 160)
		check(a, b, c)
		if naive := float32(float64(a)*float64(b) + float64(c)); naive != fma32(a, b, c) {
			ties++
		}
		a, b, c = f(23, 100), f(23, 100), f(23, 100)
		check(a, b, c)
		a, b, c = f(23, 4)*0x1p-60, f(23, 4)*0x1p-80, f(23, 4)*0x1p-140
		check(a, b, c)
	}
	if ties == 0 {
		t.Error("no operands were tried for which rounding twice differs: the test shows nothing")
	}
	check(1+0x1p-12, 1+0x1p-12, -0x1p-60)
	check(0, 1, 0)
	if x := fma32(float32(math.Inf(1)), 1, 1); !math.IsInf(float64(x), 1) {
		t.Errorf("Inf·1+1 = %g", x)
	}
	if x := fma32(math.MaxFloat32, 2, 0); !math.IsInf(float64(x), 1) {
		t.Errorf("overflow gives %g", x)
	}
	if x := fma32(float32(math.NaN()), 2, 0); x == x {
		t.Errorf("NaN gives %g", x)
	}
}

// gemmNaive is the contract, element by element.
func gemmNaive(f Form, m, n, k int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int, accumulate bool) {
	for i := range m {
		for j := range n {
			var s float32
			if accumulate {
				s = c[i*ldc+j]
			}
			for p := range k {
				x, y := i*lda+p, p*ldb+j
				if f == TN {
					x = p*lda + i
				}
				if f == NT {
					y = j*ldb + p
				}
				s = fma32(a[x], b[y], s)
			}
			c[i*ldc+j] = s
		}
	}
}

func ExamplePool_Gemm() {
	p := NewPool(2)
	defer p.Close()
	x := []float32{1, 2, 3, 4, 5, 6} // (2,3)
	w := []float32{1, 0, 0, 0, 1, 1} // (2,3)
	y := make([]float32, 4)
	p.Gemm(NT, 2, 2, 3, x, 3, w, 3, y, 2, false)
	fmt.Println(y)
	// Output: [1 5 4 11]
}
