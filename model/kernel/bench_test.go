package kernel

import (
	"fmt"
	"slices"
	"testing"

	"instruct/model/kernel/rng"
)

// onPaths runs f once for every path that this machine has.
func onPaths(b *testing.B, f func(b *testing.B)) {
	was := path
	defer func() { path = was }()
	for _, path = range slices.Backward(paths()) {
		b.Run("impl="+Path(), f)
	}
}

// gemms are the products that BenchmarkGemm measures on each path.
var gemms = []struct {
	name   string
	rounds bool
	dots   bool
}{{"fp32", false, false}, {"bf16", true, false}, {"bf16 by VDPBF16PS", true, true}}

func BenchmarkGemm(b *testing.B) {
	p := NewPool(0)
	defer p.Close()
	r := rng.NewRand(1, "bench", 0, 0)
	pool := make([]float32, 1<<16)
	for i := range pool {
		pool[i] = float32(r.Float64() - 0.5)
	}
	random := func(n int) []float32 {
		x := make([]float32, n)
		for at := 0; at < n; {
			at += copy(x[at:], pool)
		}
		return x
	}
	type shape struct{ m, n, k int }
	var shapes []shape
	for _, n := range []int{576, 768} {
		for _, k := range []int{576, 768, 1536, 3072} {
			shapes = append(shapes, shape{1024, n, k})
			if k > 768 {
				shapes = append(shapes, shape{1024, k, n})
			}
		}
	}
	shapes = append(shapes, shape{512, 49152, 576}, shape{512, 576, 49152}, shape{49152, 576, 512}, shape{256, 256, 256},
		shape{2048, 2048, 2048}, shape{2048, 128, 128}, shape{2048, 512, 128},
		shape{2048, 128, 512}, shape{1, 576, 1536}, shape{1, 49152, 576}, shape{8, 1536, 576})
	onPaths(b, func(b *testing.B) {
		for _, f := range []Form{NT, NN, TN} {
			for i := range len(shapes) * len(gemms) {
				s, kind := shapes[i/len(gemms)], gemms[i%len(gemms)]
				if path == generic && s.m*s.n*s.k > 1<<26 {
					continue // minutes of pure Go show nothing
				}
				if kind.dots && (path != avx512 || !dotRuns()) {
					continue
				}
				b.Run(fmt.Sprintf("form=%v/m=%d/n=%d/k=%d/dtype=%s", f, s.m, s.n, s.k, kind.name), func(b *testing.B) {
					defer withDots(kind.dots)()
					x, y, z := random(s.m*s.k), random(s.k*s.n), make([]float32, s.m*s.n)
					lda, ldb := s.k, s.n
					if f == TN {
						lda = s.m
					}
					if f == NT {
						ldb = s.k
					}
					multiply := p.Gemm
					if kind.rounds {
						p.Round(x, x)
						multiply = func(f Form, m, n, k int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int, add bool) {
							p.GemmBF16(f, m, n, k, a, lda, b, ldb, c, ldc, add, false)
						}
					}
					multiply(f, s.m, s.n, s.k, x, lda, y, ldb, z, s.n, false)
					cpu := cpuTime()
					for b.Loop() {
						multiply(f, s.m, s.n, s.k, x, lda, y, ldb, z, s.n, false)
					}
					flop := 2 * float64(s.m) * float64(s.n) * float64(s.k)
					cpu = cpuTime() - cpu
					b.ReportMetric(flop*float64(b.N)/float64(cpu), "GFLOP/cpu-s")
					b.ReportMetric(flop*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GFLOP/s")
					b.ReportMetric(p.PeakFLOPS(kind.rounds)/1e9, "peak")
				})
			}
		}
	})
}
