package kernel

// Form says which operand of a matrix product is transposed. All matrices are row-major with a leading dimension
// (floats from row to row).
type Form uint8

const (
	NT Form = iota // C(m,n) = A·Bᵀ, A (m,k), B (n,k): a linear layer forward, weights (out, in)
	NN             // C(m,n) = A·B,  A (m,k), B (k,n): its input gradient
	TN             // C(m,n) = Aᵀ·B, A (k,m), B (k,n): its weight gradient
)

func (f Form) String() string { return [...]string{"nt", "nn", "tn"}[f] }

// product is one matrix product. Element (i, p) of A lies at a[i·ai+p·ap], element (p, j) of B at b[p·bp+j·bj],
// element (i, j) of C at c[i·ldc+j].
type product struct {
	m, n, k    int
	a, b, c    []float32
	b16        []uint16 // B in bfloat16, in place of b; only where packsBF16
	ai, ap     int
	bp, bj     int
	ldc        int
	accumulate bool
	flush      bool // subnormal numbers are 0: a product of bfloat16, see bf16.go
	roundB     bool // whose packing rounds B
	steps      int  // of k, where A is made of pairs and k counts them, see dot_amd64.go; else 0
}

func newProduct(f Form, m, n, k int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int,
	accumulate bool) product {
	g := product{m: m, n: n, k: k, a: a, b: b, c: c, ai: lda, ap: 1, bp: 1, bj: ldb, ldc: ldc, accumulate: accumulate}
	if f == TN {
		g.ai, g.ap = 1, lda
		checkMatrix(a, k, m, lda)
	} else {
		checkMatrix(a, m, k, lda)
	}
	if f == NT {
		checkMatrix(b, n, k, ldb)
	} else {
		g.bp, g.bj = ldb, 1
		checkMatrix(b, k, n, ldb)
	}
	checkMatrix(c, m, n, ldc)
	return g
}

func checkMatrix(x []float32, rows, cols, ld int) {
	if rows < 0 || cols < 0 {
		panic("kernel: matrix with negative size")
	}
	if rows == 0 || cols == 0 {
		return
	}
	if ld < cols {
		panic("kernel: leading dimension is smaller than a row")
	}
	if len(x) < (rows-1)*ld+cols {
		panic("kernel: matrix does not fit its slice")
	}
}

// trivial says whether there is nothing to multiply, and does what is to be done then: without k a sum is 0.
func (g *product) trivial() bool {
	if g.m == 0 || g.n == 0 {
		return true
	}
	if g.k > 0 {
		return false
	}
	for i := range g.m {
		if !g.accumulate {
			clear(g.c[i*g.ldc : i*g.ldc+g.n])
		}
	}
	return true
}

// Gemm computes C = A·B (or C += A·B when accumulate), each operand transposed as f says, on all workers. Each
// element of C is one chain of fused multiply-adds over k ascending that starts from 0 or from C. With k == 0 C becomes
// 0 or stays. C must not overlap A or B.
func (p *Pool) Gemm(f Form, m, n, k int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int,
	accumulate bool) {
	g := newProduct(f, m, n, k, a, lda, b, ldb, c, ldc, accumulate)
	if g.trivial() {
		return
	}
	p.product(g)
}

// product runs g on all workers.
func (p *Pool) product(g product) {
	p.gemm.product = g
	if g.vectors() {
		p.gemmVector()
	} else {
		p.gemmGeneric()
	}
}

// vectors says whether the assembly of this path computes the product.
func (g *product) vectors() bool { return path != generic && (!g.flush || flushes) }

// GemmSerial is Gemm on the calling worker alone, for use inside tasks; worker is the number that Run was given.
func (p *Pool) GemmSerial(worker int, f Form, m, n, k int, a []float32, lda int, b []float32, ldb int, c []float32,
	ldc int, accumulate bool) {
	g := newProduct(f, m, n, k, a, lda, b, ldb, c, ldc, accumulate)
	if !g.trivial() {
		p.serial(worker, g)
	}
}

// serial runs g on one worker.
func (p *Pool) serial(worker int, g product) {
	if g.vectors() {
		g.serialVector(p.packing(worker))
	} else {
		g.tile(0, g.m, 0, g.n)
	}
}

// gemmTask is the parallel product: C in blocks of mc rows and nc columns.
type gemmTask struct {
	product
	p               *Pool
	mc, nc          int
	columns, blocks int // blocks in a row of blocks, and in all
}

func (t *gemmTask) Run(worker, i int) {
	if t.vectors() {
		t.runVector(worker, i)
		return
	}
	r, c := i/t.columns*t.mc, i%t.columns*t.nc
	t.tile(r, min(t.m, r+t.mc), c, min(t.n, c+t.nc))
}
