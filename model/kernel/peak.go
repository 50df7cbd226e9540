package kernel

import "time"

// PeakFLOPS measures the fused multiply-adds (two operations each) that the workers can do on registers, in operations
// a second: the ceiling of every matrix product. Each worker times its own part of a burst, so one that comes late to
// its core does not count as slow; the best of 20 bursts of some milliseconds counts. 0 where there is no vector kernel
// to compare with.
func (p *Pool) PeakFLOPS() float64 {
	if path == generic {
		return 0
	}
	t, best := &peakTask{rounds: 1 << 18, rates: make([]float64, p.Threads())}, 0.0
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
	rounds int
	rates  []float64 // operations a second of each part
}

// Run implements Task.
func (t *peakTask) Run(_, i int) {
	start := time.Now()
	peakLoop(t.rounds)
	t.rates[i] = float64(t.rounds*peakOperations()) / time.Since(start).Seconds()
}
