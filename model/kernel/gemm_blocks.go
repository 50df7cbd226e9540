//go:build (amd64 || arm64) && !purego

package kernel

// The blocked product around a micro-kernel that keeps mr rows and nr columns of C in registers:
//
//	block of C (mc rows, nc columns), one job: k in pieces of at most kc; A's piece (mc, kc) is read where it lies, or
//	copied into L2-sized scratch when it lies transposed or its rows lie a multiple of 4096 bytes apart, where they
//	would push each other out of the caches; for each nr columns B's piece (kc, nr) is packed into scratch of L1's size,
//	or of a part of a large L2, and meets all rows of A at once.
//
// So what is packed is packed once per block and never shared: no barrier inside a product. Every element of C remains
// one chain over k, because each piece after the first starts from C.
type blocking struct {
	mr, nr int // of the micro-kernel
	lanes  int // of a vector
	kc, mc int // at most
}

// plan cuts C into blocks for the workers.
func (t *gemmTask) plan(workers int) {
	split := func(n, most, unit int) int { // equal parts of at most most, each a multiple of unit
		parts := (n + most - 1) / most
		return ((n+parts-1)/parts + unit - 1) / unit * unit
	}
	d := path.blocking()
	t.mc, t.nc = split(t.m, d.mc, d.mr), split(t.n, 1536, d.nr)
	count := func() int { return (t.m + t.mc - 1) / t.mc * ((t.n + t.nc - 1) / t.nc) }
	for count() < 4*workers {
		if count() >= 2*workers && t.mc <= d.mc && t.nc <= 288 {
			break // the packing of smaller blocks weighs more than an uneven end
		}
		if t.nc >= t.mc && t.nc > 4*d.nr || t.mc <= 8*d.mr && t.nc > d.nr {
			t.nc = split(t.nc, (t.nc+1)/2, d.nr)
		} else if t.mc > 8*d.mr {
			t.mc = split(t.mc, (t.mc+1)/2, d.mr)
		} else {
			break
		}
	}
	t.columns = (t.n + t.nc - 1) / t.nc
	t.blocks = count()
}

// gemmVector runs the product in p.gemm on all workers.
func (p *Pool) gemmVector() {
	t := &p.gemm
	workers := len(p.workers)
	if t.m*t.n*t.k < 1<<16 {
		workers = 1
	}
	t.p = p
	t.plan(workers)
	if workers == 1 {
		for i := range t.blocks {
			t.Run(0, i)
		}
		return
	}
	p.Do(t.blocks, t)
}

func (t *gemmTask) runVector(w, i int) {
	r, c := i/t.columns*t.mc, i%t.columns*t.nc
	t.block(t.p.packing(w), r, min(t.m, r+t.mc), c, min(t.n, c+t.nc))
}

// serialVector computes the whole product on one worker.
func (g *product) serialVector(s []float32) {
	mc := path.blocking().mc
	for r := 0; r < g.m; r += mc {
		g.block(s, r, min(g.m, r+mc), 0, g.n)
	}
}

// The flags of products in assembly.
const (
	accumulateFlag = 1 << iota // add to C
	flushFlag                  // subnormal numbers are 0
)

// flags is how the assembly takes accumulate and flush.
func flags(accumulate, flush bool) (f int) {
	if accumulate {
		f = accumulateFlag
	}
	if flush {
		f |= flushFlag
	}
	return f
}
