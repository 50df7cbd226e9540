//go:build amd64 && !purego

package kernel

import "time"

// peakGFLOPS measures the fused multiply-adds that all workers together can do on registers.
func peakGFLOPS(p *Pool) float64 {
	if !haveAVX2 {
		return 0
	}
	const n = 1 << 20
	best := 0.0
	for range 5 {
		t := time.Now()
		p.Do(p.Threads(), peakTask(n))
		best = max(best, float64(p.Threads())*n*12*16/float64(time.Since(t).Nanoseconds()))
	}
	return best
}

type peakTask int

func (t peakTask) Run(worker, i int) { peakFMA(int(t)) }
