package kernel

import "time"

// PeakFLOPS measures the fused multiply-adds (two operations each) that all workers together can do on registers, in
// operations a second: the ceiling of every matrix product. 0 where there is no vector kernel to compare with.
func (p *Pool) PeakFLOPS() float64 {
	if path == generic {
		return 0
	}
	t, best := &peakTask{rounds: 1 << 18}, 0.0
	for range 20 {
		start := time.Now()
		p.Do(p.Threads(), t)
		best = max(best, float64(p.Threads()*t.rounds*peakOperations())/time.Since(start).Seconds())
	}
	return best
}

type peakTask struct{ rounds int }

func (t *peakTask) Run(_, _ int) { peakLoop(t.rounds) }
