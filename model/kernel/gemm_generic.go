package kernel

import "math"

// gemmGeneric runs the product in p.gemm in square blocks, each from k = 0 to the end.
func (p *Pool) gemmGeneric() {
	const block = 48
	t := &p.gemm
	t.mc, t.nc = block, block
	t.columns = (t.n + block - 1) / block
	t.blocks = (t.m + block - 1) / block * t.columns
	p.Do(t.blocks, t)
}

// tile computes rows [r0, r1) and columns [c0, c1) of C: the specification of the assembly, and the path of CPUs
// without any.
func (g *product) tile(r0, r1, c0, c1 int) {
	for i := r0; i < r1; i++ {
		j := c0
		for ; j+4 <= c1; j += 4 {
			g.four(i, j)
		}
		for ; j < c1; j++ {
			g.one(i, j)
		}
	}
}

// one computes C[i, j].
func (g *product) one(i, j int) {
	var s float32
	c := &g.c[i*g.ldc+j]
	fma := fma32
	if g.accumulate {
		s = *c
	}
	if g.flush {
		fma, s = flushedFMA, flushed(s)
	}
	a, b := i*g.ai, j*g.bj
	for range g.k {
		s = fma(g.a[a], g.b[b], s)
		a += g.ap
		b += g.bp
	}
	*c = s
}

// four computes C[i, j..j+3]: four chains, so that the core does not wait for one.
func (g *product) four(i, j int) {
	var s0, s1, s2, s3 float32
	c := (*[4]float32)(g.c[i*g.ldc+j:])
	fma := fma32
	if g.accumulate {
		s0, s1 = c[0], c[1]
		s2, s3 = c[2], c[3]
	}
	if g.flush {
		fma = flushedFMA
		s0, s1 = flushed(s0), flushed(s1)
		s2, s3 = flushed(s2), flushed(s3)
	}
	ap, bp, bj := g.ap, g.bp, g.bj
	a, b := i*g.ai, j*bj
	for range g.k {
		x := float64(g.a[a])
		t0 := float64(x*float64(g.b[b])) + float64(s0)
		t1 := float64(x*float64(g.b[b+bj])) + float64(s1)
		t2 := float64(x*float64(g.b[b+2*bj])) + float64(s2)
		t3 := float64(x*float64(g.b[b+3*bj])) + float64(s3)
		if hard(t0) || hard(t1) || hard(t2) || hard(t3) {
			s0 = fma(g.a[a], g.b[b], s0)
			s1 = fma(g.a[a], g.b[b+bj], s1)
			s2 = fma(g.a[a], g.b[b+2*bj], s2)
			s3 = fma(g.a[a], g.b[b+3*bj], s3)
		} else {
			s0, s1 = float32(t0), float32(t1)
			s2, s3 = float32(t2), float32(t3)
		}
		a += ap
		b += bp
	}
	c[0], c[1] = s0, s1
	c[2], c[3] = s2, s3
}

// hard says whether rounding the float64 sum s to float32 could round twice: s lies half-way between two float32, or
// among the subnormal ones.
func hard(s float64) bool {
	u := math.Float64bits(s)
	return u<<35 == 1<<63 || u<<1>>53 < 1023-126
}

// fma32 is a·b + c with one rounding. The float64 product is exact; the sum is rounded to float64 and then to float32,
// which is right unless the first rounding ended on a tie of the second. Then the sum is rounded to odd instead (Boldo
// and Melquiond, "Emulation of FMA and correctly rounded sums", 2008): its error, exact by Knuth's TwoSum, says on
// which side of s the true value lies.
func fma32(a, b, c float32) float32 {
	p, d := float64(float64(a)*float64(b)), float64(c)
	s := p + d
	if !hard(s) {
		return float32(s)
	}
	v := s - p
	e := (p - (s - v)) + (d - v)
	u := math.Float64bits(s)
	if e != 0 && u&1 == 0 {
		if (e > 0) == (s > 0) {
			s = math.Float64frombits(u + 1)
		} else {
			s = math.Float64frombits(u - 1)
		}
	}
	return float32(s)
}
