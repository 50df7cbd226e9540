package kernel

import (
	"testing"

	"instruct/model/kernel/rng"
)

// kernels runs every row and element kernel once on arrays large enough to be split, and gives all that they wrote.
type kernels struct {
	n, c              int
	x, y, z, w, b, gu []float32
	ids, targets, pos []int32
	rope              *Rope
	out, dx, dgu, ce  []float32
	inv, mean, rstd   []float32
	dw, db, dwide     []float32
	aw, ag, am, av    []float32
	losses            []float64
	squares           float64
}

func newKernels() *kernels {
	const n, c = 300, 144
	r := rng.NewRand(5, "threads", 0, 0)
	k := &kernels{n: n, c: c, x: normals(&r, n*c), y: normals(&r, n*c), z: normals(&r, n*c), w: normals(&r, c),
		b: normals(&r, c), gu: normals(&r, 2*n*c)}
	for range n {
		k.ids = append(k.ids, int32(r.Intn(40)))
		k.targets = append(k.targets, int32(r.Intn(c)))
		k.pos = append(k.pos, int32(r.Intn(500)))
	}
	k.rope = NewRope(500, k.w[:24], 1)
	for _, s := range []*[]float32{&k.out, &k.dx, &k.ce, &k.aw, &k.ag, &k.am, &k.av, &k.dwide} {
		*s = make([]float32, n*c)
	}
	for _, s := range []*[]float32{&k.inv, &k.mean, &k.rstd} {
		*s = make([]float32, 3*n)
	}
	k.dgu, k.dw, k.db, k.losses = make([]float32, 2*n*c), make([]float32, c), make([]float32, c), make([]float64, n)
	return k
}

func (k *kernels) run(p *Pool, see func(name string, x []float32)) {
	n, c := k.n, k.c
	clear(k.dw)
	clear(k.db)
	clear(k.dwide)
	p.RMSNorm(k.out, k.x, k.w, k.inv, n, c, 1e-5)
	see("RMSNorm", k.out)
	p.RMSNormBackward(k.dx, k.y, k.x, k.w, k.inv, k.dw, k.z, n, c)
	see("RMSNormBackward dx", k.dx)
	see("RMSNormBackward dw", k.dw)
	p.LayerNorm(k.out, k.x, k.w, k.b, k.mean, k.rstd, n, c, 1e-5)
	see("LayerNorm", k.out)
	p.LayerNormBackward(k.dx, k.y, k.x, k.w, k.mean, k.rstd, k.dw, k.db, k.z, n, c)
	see("LayerNormBackward dx", k.dx)
	see("LayerNormBackward dw", k.dw)
	see("LayerNormBackward db", k.db)
	copy(k.out, k.x)
	p.HeadRMSNorm(k.out, k.x, k.w, k.inv, n, c, 0, 3, 48, 1e-5)
	see("HeadRMSNorm", k.out)
	p.HeadRMSNormBackward(k.dx, k.y, k.x, k.w, k.inv, k.dw, n, c, 0, 3, 48)
	see("HeadRMSNormBackward dx", k.dx)
	see("HeadRMSNormBackward dw", k.dw)
	p.Rotate(k.out, k.pos, k.rope, n, c, 0, 3, 48, false)
	see("Rotate", k.out)
	p.SwiGLU(k.out, k.gu, n, c)
	see("SwiGLU", k.out)
	p.SwiGLUBackward(k.dgu, k.x, k.gu, n, c)
	see("SwiGLUBackward", k.dgu)
	p.GELU(k.out, k.x, n, c)
	see("GELU", k.out)
	p.GELUBackward(k.dx, k.y, k.x, n, c)
	see("GELUBackward", k.dx)
	p.ColumnSum(k.db, k.x, n, c)
	see("ColumnSum", k.db)
	p.ScatterAdd(k.dwide, k.x, k.ids, n, c)
	see("ScatterAdd", k.dwide)
	p.BiasRows(k.out, k.b, n, c)
	p.AddBias(k.out, k.b, n, c)
	p.GatherAdd(k.out, k.x, k.ids, n, c)
	see("GatherAdd", k.out)
	p.Gather(k.out, k.x, k.ids, n, c)
	see("Gather", k.out)
	p.Add(k.out, k.x, k.y)
	p.Scale(k.out, 0.3)
	see("Scale", k.out)
	p.Copy(k.ce, k.x)
	p.CrossEntropy(k.ce, k.targets, k.x, k.losses, n, c, false)
	p.CrossEntropy(k.ce, k.targets, k.x, k.losses, n, c, true)
	see("CrossEntropy", k.ce)
	for i, l := range k.losses {
		k.mean[i] = float32(l)
	}
	see("losses", k.mean[:n])
	copy(k.aw, k.x)
	copy(k.ag, k.y)
	clear(k.am)
	clear(k.av)
	p.AdamW(k.aw, k.ag, k.am, k.av, AdamWArgs{LR: 0.01, Beta1: 0.9, Beta2: 0.99, Eps: 1e-8, WeightDecay: 0.1,
		GradScale: 0.7, Step: 3})
	see("AdamW", k.aw)
	k.squares = p.SumSquares(k.x)
	if !p.AllFinite(k.x) {
		k.squares = 0
	}
}

// Every kernel gives the same bits with 1, 2 and 3 threads and on every path.
func TestThreadsAndPathsDoNotMatter(t *testing.T) {
	k := newKernels()
	was := path
	defer func() { path = was }()
	want := map[string][]float32{}
	var squares float64
	t.Log("paths here:", paths())
	for _, path = range paths() {
		for _, threads := range []int{1, 2, 3} {
			p := NewPool(threads)
			k.run(p, func(name string, x []float32) {
				if want[name] == nil {
					want[name] = append([]float32(nil), x...)
					return
				}
				if at := firstDifference(x, want[name]); at >= 0 {
					t.Errorf("%s, %s, %d threads: element %d is %g, want %g", name, Path(), threads, at, x[at], want[name][at])
				}
			})
			if squares == 0 {
				squares = k.squares
			}
			if k.squares != squares || squares == 0 {
				t.Errorf("SumSquares, %s, %d threads: %g, want %g", Path(), threads, k.squares, squares)
			}
			p.Close()
		}
	}
}

func TestKernelsAllocateNothing(t *testing.T) {
	k := newKernels()
	p := NewPool(2)
	defer p.Close()
	see := func(string, []float32) {}
	if n := testing.AllocsPerRun(5, func() { k.run(p, see) }); n != 0 {
		t.Errorf("the kernels allocate %g times", n)
	}
	a, b, c := make([]float32, 100*100), make([]float32, 100*100), make([]float32, 100*100)
	if n := testing.AllocsPerRun(5, func() {
		for _, f := range []Form{NT, NN, TN} {
			p.Gemm(f, 100, 100, 100, a, 100, b, 100, c, 100, true)
			p.GemmSerial(0, f, 30, 40, 50, a, 100, b, 100, c, 100, false)
			p.Gemm(f, 1, 100, 100, a, 100, b, 100, c, 100, true)
		}
	}); n != 0 {
		t.Errorf("the matrix product allocates %g times", n)
	}
}
