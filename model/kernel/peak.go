package kernel

import "time"

// PeakFLOPS measures the fused multiply-adds (two operations each) that the workers can do on registers, in operations
// a second: the ceiling of every matrix product. Each worker times its own part of a burst, so one that comes late to
// its core does not count as slow; the best of 20 bursts of some milliseconds counts. With rounds it is that of the
// instruction on which [Pool.GemmBF16] runs. 0 where there is no vector kernel to compare with.
func (p *Pool) PeakFLOPS(rounds bool) float64 {
	if path == generic {
		return 0
	}
	t, best := &peakTask{times: 1 << 18, loop: peakLoop, per: peakOperations(), rates: make([]float64, p.Threads())}, 0.0
	if rounds && dots() {
		t.loop, t.per = peakDot, 2*t.per
	}
	for range 20 {
		p.Do(p.Threads(), t)
		sum := 0.0
		for _, r := range t.rates {
			sum += r
		}
		best = max(best, sum)
	}
	return best
}

type peakTask struct {
	loop  func(int)
	times int       // that it goes round
	per   int       // operations in a round
	rates []float64 // operations a second of each part
}

// Run implements Task.
func (t *peakTask) Run(_, i int) {
	start := time.Now()
	t.loop(t.times)
	t.rates[i] = float64(t.times*t.per) / time.Since(start).Seconds()
}
