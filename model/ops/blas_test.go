package ops

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"instruct/model/kernel/rng"
)

// newBLAS is a BLAS that ends its workers with the test.
func newBLAS(t testing.TB, threads int) *BLAS {
	x := &BLAS{Threads: threads}
	t.Cleanup(func() {
		if x.pool != nil {
			x.pool.Close()
		}
	})
	return x
}

// whole fills a slice with small whole numbers: every order of summing them is exact.
func whole(r *rng.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.Intn(17) - 8)
	}
	return x
}

// real32 fills a slice with numbers of [-1, 1).
func real32(r *rng.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(2*r.Float64() - 1)
	}
	return x
}

func transposes() []blas.Transpose { return []blas.Transpose{blas.NoTrans, blas.Trans, blas.ConjTrans} }

// TestSgemmIsGonums compares with gonum's Sgemm over random shapes, strides and factors: exactly on whole numbers, what lies between the rows of C
// included, and within the rounding of k terms on others.
func TestSgemmIsGonums(t *testing.T) {
	x, r := newBLAS(t, 2), rng.NewRand(1, "sgemm", 0, 0)
	factors := []float32{0, 1, -1, 2, 0.5}
	for i := range 600 {
		tA, tB := transposes()[r.Intn(3)], transposes()[r.Intn(3)]
		m, n, k := r.Intn(40), r.Intn(70), r.Intn(50)
		if i%50 == 0 {
			m, n, k = 100+r.Intn(200), 100+r.Intn(200), 200+r.Intn(200) // several blocks
		}
		alpha, beta := factors[r.Intn(5)], factors[r.Intn(5)]
		ar, ac, br, bc := m, k, k, n
		if tA != blas.NoTrans {
			ar, ac = k, m
		}
		if tB != blas.NoTrans {
			br, bc = n, k
		}
		lda, ldb, ldc := max(1, ac)+r.Intn(4), max(1, bc)+r.Intn(4), max(1, n)+r.Intn(4)
		name := fmt.Sprintf("%c%c m=%d n=%d k=%d alpha=%g beta=%g ld=%d,%d,%d", tA, tB, m, n, k, alpha, beta, lda, ldb, ldc)
		for _, fill := range []func(*rng.Rand, int) []float32{whole, real32} {
			a, b, c := fill(&r, ar*lda), fill(&r, br*ldb), fill(&r, m*ldc)
			if beta == 0 && len(c) > 0 {
				c[0] = float32(math.NaN()) // is overwritten
			}
			was, want := slices.Clone(a), slices.Clone(c)
			gonum.Implementation{}.Sgemm(tA, tB, m, n, k, alpha, a, lda, b, ldb, beta, want, ldc)
			x.Sgemm(tA, tB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
			if !slices.Equal(a, was) {
				t.Fatalf("%s: A was changed", name)
			}
			tolerance := 0.0
			if i := slices.IndexFunc(a, func(v float32) bool { return v != float32(int(v)) }); i >= 0 {
				tolerance = 4e-7 * float64(k+2)
			}
			for j := range c {
				if d := math.Abs(float64(c[j]) - float64(want[j])); !(d <= tolerance) {
					t.Fatalf("%s: element %d is %v, gonum has %v", name, j, c[j], want[j])
				}
			}
		}
	}
}

func TestSgemvIsGonums(t *testing.T) {
	x, r := newBLAS(t, 2), rng.NewRand(1, "sgemv", 0, 0)
	factors := []float32{0, 1, -2}
	for range 300 {
		tA, m, n := transposes()[r.Intn(3)], r.Intn(60), r.Intn(60)
		alpha, beta, incX, incY := factors[r.Intn(3)], factors[r.Intn(3)], 1+r.Intn(2), 1+r.Intn(2)
		in, out := n, m
		if tA != blas.NoTrans {
			in, out = m, n
		}
		lda := max(1, n) + r.Intn(4)
		a, v, y := whole(&r, m*lda), whole(&r, in*incX), whole(&r, out*incY)
		want := slices.Clone(y)
		gonum.Implementation{}.Sgemv(tA, m, n, alpha, a, lda, v, incX, beta, want, incY)
		x.Sgemv(tA, m, n, alpha, a, lda, v, incX, beta, y, incY)
		if !slices.Equal(y, want) {
			t.Fatalf("%c m=%d n=%d alpha=%g beta=%g inc=%d,%d: %v, gonum has %v", tA, m, n, alpha, beta, incX, incY, y, want)
		}
	}
}

// TestBLASRefusesAsGonum holds that wrong arguments panic with gonum's words.
func TestBLASRefusesAsGonum(t *testing.T) {
	said := func(f func()) (v any) {
		defer func() { v = recover() }()
		f()
		return nil
	}
	x, s := newBLAS(t, 1), make([]float32, 6)
	type args struct {
		tA, tB  blas.Transpose
		m, n, k int
		a       []float32
		lda     int
		b       []float32
		ldb     int
		c       []float32
		ldc     int
	}
	good := args{blas.NoTrans, blas.NoTrans, 2, 3, 2, s[:4], 2, s, 3, make([]float32, 6), 3}
	for name, change := range map[string]func(*args){
		"transpose of A": func(g *args) { g.tA = 'x' }, "transpose of B": func(g *args) { g.tB = 0 },
		"m": func(g *args) { g.m = -1 }, "n": func(g *args) { g.n = -1 }, "k": func(g *args) { g.k = -1 },
		"lda": func(g *args) { g.lda = 1 }, "ldb": func(g *args) { g.ldb = 2 }, "ldc": func(g *args) { g.ldc = 2 },
		"short A": func(g *args) { g.a = s[:3] }, "short B": func(g *args) { g.b = s[:5] }, "short C": func(g *args) { g.c = g.c[:5] },
	} {
		g := good
		change(&g)
		run := func(f func(tA, tB blas.Transpose, m, n, k int, alpha float32, a []float32, lda int, b []float32, ldb int, beta float32, c []float32, ldc int)) any {
			return said(func() { f(g.tA, g.tB, g.m, g.n, g.k, 1, g.a, g.lda, g.b, g.ldb, 0, g.c, g.ldc) })
		}
		if got, want := run(x.Sgemm), run(gonum.Implementation{}.Sgemm); got != want || want == nil {
			t.Errorf("Sgemm with a wrong %s says %v, gonum %v", name, got, want)
		}
	}
	for name, f := range map[string]func(y []float32, inc int){
		"short y": func(y []float32, inc int) { x.Sgemv(blas.NoTrans, 2, 3, 1, s, 3, s, inc, 0, y[:1], 1) },
		"inc":     func(y []float32, inc int) { x.Sgemv(blas.NoTrans, 2, 3, 1, s, 3, s, 0, 0, y, 1) },
	} {
		if said(func() { f(make([]float32, 3), 1) }) == nil {
			t.Errorf("Sgemv with a wrong %s does not panic", name)
		}
	}
}

func TestBLASTakesTurns(t *testing.T) {
	x, r := newBLAS(t, 2), rng.NewRand(1, "turns", 0, 0)
	const n = 64
	a, b, want := whole(&r, n*n), whole(&r, n*n), make([]float32, n*n)
	gonum.Implementation{}.Sgemm(blas.Trans, blas.Trans, n, n, n, 2, a, n, b, n, 0, want, n)
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			c := make([]float32, n*n)
			for range 20 {
				x.Sgemm(blas.Trans, blas.Trans, n, n, n, 2, a, n, b, n, 0, c, n)
				if !slices.Equal(c, want) {
					t.Error("products at the same time disturb each other")
					return
				}
			}
		})
	}
	wait.Wait()
}

// counting counts the products that Gorgonia asks for.
type counting struct {
	*BLAS
	gemm, gemv int
}

func (c *counting) Sgemm(tA, tB blas.Transpose, m, n, k int, alpha float32, a []float32, lda int, b []float32, ldb int, beta float32, out []float32, ldc int) {
	c.gemm++
	c.BLAS.Sgemm(tA, tB, m, n, k, alpha, a, lda, b, ldb, beta, out, ldc)
}

func (c *counting) Sgemv(tA blas.Transpose, m, n int, alpha float32, a []float32, lda int, v []float32, incX int, beta float32, y []float32, incY int) {
	c.gemv++
	c.BLAS.Sgemv(tA, m, n, alpha, a, lda, v, incX, beta, y, incY)
}

// stockGraph is a graph of Gorgonia's own ops, sum((X·W)·v), with the gradients of X, W and v. Results gives the sum and them after a run.
func stockGraph(t testing.TB, x, w, v []float32, m, k, n int) (vm gorgonia.VM, results func() [][]float32) {
	t.Helper()
	g := gorgonia.NewGraph()
	leaf := func(name string, data []float32, shape ...int) *gorgonia.Node {
		return gorgonia.NewTensor(g, tensor.Float32, len(shape), gorgonia.WithName(name), gorgonia.WithShape(shape...),
			gorgonia.WithValue(tensor.New(tensor.WithShape(shape...), tensor.WithBacking(slices.Clone(data)))))
	}
	leaves := gorgonia.Nodes{leaf("x", x, m, k), leaf("w", w, k, n), leaf("v", v, n)}
	sum := gorgonia.Must(gorgonia.Sum(gorgonia.Must(gorgonia.Mul(gorgonia.Must(gorgonia.Mul(leaves[0], leaves[1])), leaves[2]))))
	grads, err := gorgonia.Grad(sum, leaves...)
	if err != nil {
		t.Fatal(err)
	}
	vm = gorgonia.NewTapeMachine(g)
	t.Cleanup(func() { vm.Close() })
	return vm, func() [][]float32 {
		out := [][]float32{{sum.Value().Data().(float32)}}
		for _, d := range grads {
			out = append(out, slices.Clone(d.Value().Data().([]float32)))
		}
		return out
	}
}

// stock runs the graph once.
func stock(t testing.TB, x, w, v []float32, m, k, n int) [][]float32 {
	t.Helper()
	vm, results := stockGraph(t, x, w, v, m, k, n)
	if err := vm.RunAll(); err != nil {
		t.Fatal(err)
	}
	return results()
}

// TestStockMul runs Gorgonia's own Mul and its gradients on gonum's BLAS and on ours.
func TestStockMul(t *testing.T) {
	was := gorgonia.WhichBLAS()
	defer gorgonia.Use(was)
	r := rng.NewRand(1, "stock", 0, 0)
	const m, k, n = 13, 29, 37
	x, w, v := whole(&r, m*k), whole(&r, k*n), whole(&r, n)
	gorgonia.Use(gonum.Implementation{})
	want := stock(t, x, w, v, m, k, n)
	c := &counting{BLAS: newBLAS(t, 2)}
	gorgonia.Use(c)
	got := stock(t, x, w, v, m, k, n)
	for i := range want {
		if !slices.Equal(got[i], want[i]) {
			t.Errorf("result %d: %v, on gonum's BLAS %v", i, got[i], want[i])
		}
	}
	if c.gemm < 3 || c.gemv < 1 {
		t.Errorf("Gorgonia asked for %d and %d products: it does not use this BLAS", c.gemm, c.gemv)
	}
	UseBLAS(1)
	if b, ok := gorgonia.WhichBLAS().(*BLAS); !ok || b.Threads != 1 {
		t.Errorf("after UseBLAS Gorgonia has %T", gorgonia.WhichBLAS())
	}
}

// BenchmarkStockMul is Gorgonia's Mul and its two gradients, on gonum's BLAS and on ours.
func BenchmarkStockMul(b *testing.B) {
	was := gorgonia.WhichBLAS()
	defer gorgonia.Use(was)
	r := rng.NewRand(1, "stock", 0, 0)
	const m, k, n = 512, 576, 576
	x, w, v := real32(&r, m*k), real32(&r, k*n), real32(&r, n)
	for _, c := range []struct {
		name string
		blas gorgonia.BLAS
	}{{"gonum", gonum.Implementation{}}, {"ours", newBLAS(b, 0)}} {
		b.Run(fmt.Sprintf("blas=%s/m=%d/n=%d/k=%d", c.name, m, n, k), func(b *testing.B) {
			gorgonia.Use(c.blas)
			vm, _ := stockGraph(b, x, w, v, m, k, n)
			for b.Loop() {
				if err := vm.RunAll(); err != nil {
					b.Fatal(err)
				}
				vm.Reset()
			}
			b.ReportMetric(6*m*n*k*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GFLOP/s")
		})
	}
}
