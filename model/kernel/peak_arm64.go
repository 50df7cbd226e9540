//go:build arm64 && !purego

package kernel

import "time"

// PeakFLOPS measures the fused multiply-adds (two operations each) that all workers together can do on registers, in
// operations a second: the ceiling of every matrix product. 0 where there is no vector kernel to compare with.
func (p *Pool) PeakFLOPS() float64 {
	if path == generic {
		return 0
	}
	const n = 1 << 18 // loops of 24 instructions on 4 values
	t, best := &peakLoop{n}, 0.0
	for range 20 {
		start := time.Now()
		p.Do(p.Threads(), t)
		best = max(best, float64(p.Threads()*n*24*4*2)/time.Since(start).Seconds())
	}
	return best
}

type peakLoop struct{ n int }

func (t *peakLoop) Run(worker, i int) { peakFMA(t.n) }
