package train

import "testing"

// BenchmarkStep measures steps of every preset, to be profiled: go test -run '^$' -bench Step/preset=tiny -benchtime 1x -cpuprofile cpu.prof ./train
func BenchmarkStep(b *testing.B) {
	for _, p := range presets() {
		b.Run("preset="+p.name, func(b *testing.B) {
			for b.Loop() {
				res, err := Bench(b.Context(), BenchOptions{Preset: p.name, Steps: 3})
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(res.TokensPerSec, "tokens/s")
				b.ReportMetric(res.NsPerStep, "ns/step")
				b.ReportMetric(res.CPUNsPerStep, "cpu-ns/step")
			}
		})
	}
}
