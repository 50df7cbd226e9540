package bench

import (
	"strings"
	"testing"
)

// BenchmarkStep measures steps of every preset, to be profiled:
//
//	go test -run '^$' -bench Step/preset=tiny -benchtime 1x -cpuprofile cpu.prof ./train/bench
func BenchmarkStep(b *testing.B) {
	for _, p := range presets() {
		b.Run("preset="+p.name, func(b *testing.B) {
			for b.Loop() {
				res, err := Steps(b.Context(), Options{Preset: p.name, Steps: 3})
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

// TestRefusesWhatDoesNotFit: a step whose memory this machine has not is a mistake, and is not tried.
func TestRefusesWhatDoesNotFit(t *testing.T) {
	_, err := Steps(t.Context(), Options{Preset: "lessons-1m", Available: func() (int64, bool) { return 1 << 20, true }})
	if err == nil {
		t.Fatal("bench took memory that is not there")
	}
	if _, ok := err.(interface{ UserError() bool }); !ok {
		t.Errorf("bench: %v", err)
	}
}

// TestNoShareOfAPeakThatWasPassed: a peak below what the steps did was not the peak.
func TestNoShareOfAPeakThatWasPassed(t *testing.T) {
	slow, fast := Result{GFLOPS: 50}, Result{GFLOPS: 50}
	slow.against(40)
	fast.against(100)
	if slow.PeakGFLOPS != 0 || strings.Contains(slow.String(), "peak-GFLOP") {
		t.Errorf("a peak of 40 is said of 50 GFLOP/s: %s", &slow)
	}
	if fast.PeakFraction != 0.5 || !strings.Contains(fast.String(), " 100.0 peak-GFLOP/s 50.0 %peak ") {
		t.Errorf("a peak of 100 is not said of 50 GFLOP/s: %s", &fast)
	}
}
