package kernel

import (
	"fmt"
	"math"
	"testing"

	"instruct/model/kernel/rng"
)

// guarded is a slice of n floats inside a larger array full of one NaN; intact says whether nobody wrote outside.
type guarded struct {
	all  []float32
	x    []float32
	bits uint32
}

const guard = 64

func newGuarded(n, shift int) guarded {
	g := guarded{all: make([]float32, n+2*guard+shift), bits: 0x7fc0dead}
	for i := range g.all {
		g.all[i] = math.Float32frombits(g.bits)
	}
	g.x = g.all[guard+shift : guard+shift+n : guard+shift+n]
	return g
}

func (g guarded) intact() bool {
	n, shift := len(g.x), len(g.all)-len(g.x)-2*guard
	for i, v := range g.all {
		if (i < guard+shift || i >= guard+shift+n) && math.Float32bits(v) != g.bits {
			return false
		}
	}
	return true
}

// matrix is rows x cols with leading dimension ld; the floats between the rows stay NaN, so that reading them shows.
func matrix(r *rng.Rand, rows, cols, ld, shift int) guarded {
	g := newGuarded(max(0, (rows-1)*ld+cols), shift)
	for i := range rows {
		for j := range cols {
			g.x[i*ld+j] = float32(r.Normal())
			if r.Intn(16) == 0 {
				g.x[i*ld+j] = 0
			}
		}
	}
	return g
}

func sameBits(a, b float32) bool {
	return math.Float32bits(a) == math.Float32bits(b) || a != a && b != b
}

func firstDifference(a, b []float32) int {
	for i := range a {
		if !sameBits(a[i], b[i]) {
			return i
		}
	}
	return -1
}

func TestGemmBits(t *testing.T) {
	was := path
	defer func() { path = was }()
	for _, path = range paths() {
		t.Run(Path(), testGemmBits)
	}
}

func testGemmBits(t *testing.T) {
	type shape struct{ m, n, k int }
	var shapes []shape
	for _, m := range []int{0, 1, 2, 5, 6, 7, 13, 19} {
		for _, n := range []int{0, 1, 7, 8, 9, 15, 16, 17, 33, 49} {
			for _, k := range []int{0, 1, 3, 8, 17} {
				shapes = append(shapes, shape{m, n, k})
			}
		}
	}
	for m := range 21 { // every remainder of every tile
		shapes = append(shapes, shape{m, 48 + m, 18})
	}
	for n := range 101 {
		shapes = append(shapes, shape{9, n, 5})
	}
	r := rng.NewRand(7, "gemm", 0, 0)
	for range 60 {
		shapes = append(shapes, shape{1 + r.Intn(70), 1 + r.Intn(120), 1 + r.Intn(100)})
	}
	shapes = append(shapes, shape{1, 300, 700}, shape{600, 50, 17}, shape{530, 20, 30}, shape{20, 60, 1024},
		shape{3, 70, 900}, shape{200, 33, 40}, shape{33, 300, 50}, shape{17, 40, 1100}, shape{20, 100, 500},
		shape{300, 80, 30}, shape{14, 70, 401})
	pools := []*Pool{NewPool(1), NewPool(2), NewPool(3)}
	for i, s := range shapes {
		if raced && i%7 != 0 && i < len(shapes)-4 {
			continue
		}
		for _, f := range []Form{NT, NN, TN} {
			for _, acc := range []bool{false, true} {
				ar, ac, br, bc := s.m, s.k, s.n, s.k
				if f == TN {
					ar, ac = s.k, s.m
				}
				if f != NT {
					br, bc = s.k, s.n
				}
				lda, ldb, ldc := ac+r.Intn(4), bc+r.Intn(4), s.n+r.Intn(4)
				if s.k == 1024 { // rows a multiple of 4096 bytes apart
					lda, ldb = (ac+1023)&^1023, (bc+1023)&^1023
				}
				a, b := matrix(&r, ar, ac, lda, r.Intn(17)), matrix(&r, br, bc, ldb, r.Intn(17))
				c := matrix(&r, s.m, s.n, ldc, r.Intn(17))
				want := append([]float32(nil), c.x...)
				gemmNaive(f, s.m, s.n, s.k, a.x, lda, b.x, ldb, want, ldc, acc)
				start := append([]float32(nil), c.x...)
				for i := -1; i < len(pools); i++ {
					name := fmt.Sprintf("%v %+v accumulate=%v", f, s, acc)
					copy(c.x, start)
					if i < 0 {
						name += " serial"
						pools[2].GemmSerial(2, f, s.m, s.n, s.k, a.x, lda, b.x, ldb, c.x, ldc, acc)
					} else {
						name += fmt.Sprintf(" threads=%d", pools[i].Threads())
						pools[i].Gemm(f, s.m, s.n, s.k, a.x, lda, b.x, ldb, c.x, ldc, acc)
					}
					if at := firstDifference(c.x, want); at >= 0 {
						t.Fatalf("%s: element (%d, %d) is %g, want %g", name, at/ldc, at%ldc, c.x[at], want[at])
					}
					if !a.intact() || !b.intact() || !c.intact() {
						t.Fatalf("%s: wrote outside", name)
					}
				}
			}
		}
	}
	for _, p := range pools {
		p.Close()
	}
}

func TestGemmPanicsOnShortSlices(t *testing.T) {
	p := NewPool(1)
	defer p.Close()
	x := make([]float32, 100)
	for name, call := range map[string]func(){
		"a short": func() { p.Gemm(NT, 10, 10, 10, x[:99], 10, x, 10, x, 10, false) },
		"b short": func() { p.Gemm(NN, 10, 10, 10, x, 10, x[:99], 10, x, 10, false) },
		"c short": func() { p.Gemm(TN, 10, 10, 10, x, 10, x, 10, x[:99], 10, false) },
		"lda":     func() { p.GemmSerial(0, NT, 5, 5, 10, x, 9, x, 10, x, 10, false) },
		"minus":   func() { p.GemmSerial(0, NT, -1, 5, 10, x, 10, x, 10, x, 10, false) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			call()
		}()
	}
}
