package kernel

import (
	"fmt"
	"math"
	"testing"

	"instruct/model/kernel/rng"
)

// BenchmarkRows measures the kernels that are bound by memory: GB/s counts each float read or written once, GB/cpu-s
// per second of processor time.
func BenchmarkRows(b *testing.B) {
	const n, c, v = 1024, 576, 8192
	r := rng.NewRand(1, "bench", 0, 0)
	p := NewPool(0)
	defer p.Close()
	x, y, z, w := normals(&r, n*c), normals(&r, n*c), normals(&r, n*c), normals(&r, c)
	gu, dgu := normals(&r, 2*n*c), make([]float32, 2*n*c)
	inv, mean, rstd := make([]float32, n*9), make([]float32, n), make([]float32, n)
	out, dw, db := make([]float32, n*c), make([]float32, c), make([]float32, c)
	logits, losses, weights := normals(&r, 128*v), make([]float64, n), make([]float32, n)
	freq := make([]float32, 32)
	for i := range freq {
		freq[i] = float32(math.Pow(1e4, -float64(i)/32))
	}
	rope := NewRope(n, freq, 1)
	ids := make([]int32, n)
	for i := range ids {
		ids[i], weights[i] = int32(i), 1
	}
	big := make([][]float32, 4)
	for i := range big {
		big[i] = make([]float32, 1<<22)
	}
	tests := []struct {
		name   string
		floats int // moved
		run    func()
	}{
		{"rmsnorm", 2 * n * c, func() { p.RMSNorm(out, x, w, inv, n, c, 1e-5) }},
		{"rmsnorm-backward", 6 * n * c, func() { p.RMSNormBackward(out, y, x, w, inv, dw, z, n, c) }},
		{"layernorm", 2 * n * c, func() { p.LayerNorm(out, x, w, w, mean, rstd, n, c, 1e-5) }},
		{"layernorm-backward", 6 * n * c, func() { p.LayerNormBackward(out, y, x, w, mean, rstd, dw, db, z, n, c) }},
		{"rotate", 2 * n * c, func() { p.Rotate(out, ids, rope, n, c, 0, 9, 64, false) }},
		{"swiglu", 3 * n * c, func() { p.SwiGLU(out, gu, n, c) }},
		{"swiglu-backward", 5 * n * c, func() { p.SwiGLUBackward(dgu, y, gu, n, c) }},
		{"gelu", 2 * n * c, func() { p.GELU(out, x, n, c) }},
		{"gelu-backward", 3 * n * c, func() { p.GELUBackward(out, y, x, n, c) }},
		{"add", 3 * n * c, func() { p.Add(out, x, y) }},
		{"column-sum", n * c, func() { p.ColumnSum(db, x, n, c) }},
		{"cross-entropy", 2 * 128 * v, func() { p.CrossEntropy(logits, ids, weights, losses, 128, v, true) }},
		{"adamw", 8 << 22, func() {
			p.AdamW(big[0], big[1], big[2], big[3], AdamWArgs{LR: 1e-3, Beta1: 0.9, Beta2: 0.99, Eps: 1e-8, GradScale: 1,
				Step: 1})
		}},
		{"sum-squares", 1 << 22, func() { p.SumSquares(big[0]) }},
		{"copy", 2 << 22, func() { p.Copy(big[1], big[0]) }},
	}
	onPaths(b, func(b *testing.B) {
		for _, t := range tests {
			b.Run("op="+t.name, func(b *testing.B) {
				cpu := cpuTime()
				for b.Loop() {
					t.run()
				}
				cpu = cpuTime() - cpu
				bytes := 4 * float64(t.floats) * float64(b.N)
				b.ReportMetric(bytes/float64(b.Elapsed().Nanoseconds()), "GB/s")
				b.ReportMetric(bytes/float64(cpu), "GB/cpu-s")
			})
		}
	})
}

// BenchmarkAttention counts the products of the whole squares below the diagonal's blocks as if they were exactly the
// lower triangle.
func BenchmarkAttention(b *testing.B) {
	p := NewPool(0)
	defer p.Close()
	r := rng.NewRand(1, "bench", 0, 0)
	onPaths(b, func(b *testing.B) {
		for _, s := range []struct{ rows, length, heads, kv, d int }{{1024, 1024, 9, 3, 64}, {1024, 256, 9, 3, 64},
			{1024, 256, 12, 12, 64}, {1026, 57, 9, 3, 64}, {2052, 57, 8, 4, 16}} {
			if path == generic && s.d > 16 {
				continue
			}
			a := &Attention{Heads: s.heads, KVHeads: s.kv, D: s.d, Scale: 0.125}
			var segs []Segment
			for at := 0; at < s.rows; at += s.length {
				segs = append(segs, Segment{0, 0, at, min(s.rows, at+s.length)})
			}
			qkv := normals(&r, s.rows*a.width())
			out, lse, dqkv := make([]float32, s.rows*s.heads*s.d), make([]float32, s.rows*s.heads), make([]float32, len(qkv))
			flop := 0.0
			for _, g := range segs {
				flop += 2 * float64(g.End-g.Start) * float64(g.End-g.Start+1) * float64(s.heads*s.d)
			}
			for _, pass := range []string{"forward", "backward"} {
				b.Run(fmt.Sprintf("pass=%s/rows=%d/length=%d/heads=%d/kv=%d/d=%d", pass, s.rows, s.length, s.heads, s.kv, s.d),
					func(b *testing.B) {
						a.Forward(p, out, qkv, lse, segs)
						cpu, work := cpuTime(), flop
						for b.Loop() {
							if pass == "forward" {
								a.Forward(p, out, qkv, lse, segs)
							} else {
								a.Backward(p, dqkv, out, out, qkv, lse, segs)
							}
						}
						if pass == "backward" {
							work *= 2.5
						}
						cpu = cpuTime() - cpu
						b.ReportMetric(work*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GFLOP/s")
						b.ReportMetric(work*float64(b.N)/float64(cpu), "GFLOP/cpu-s")
					})
			}
		}
	})
}
