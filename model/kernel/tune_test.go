//go:build amd64 && !purego

package kernel

import (
	"fmt"
	"testing"
)

func TestTune(t *testing.T) {
	p := NewPool(1)
	for _, s := range [][3]int{{64, 64, 64}, {57, 57, 64}, {64, 256, 64}, {57, 57, 16}, {64, 64, 32}, {16, 16, 16}, {4, 57, 16}, {3, 200, 64}, {64, 16, 200}, {64, 64, 57}, {200, 64, 64}, {57, 16, 57}} {
		for _, f := range []Form{NT, NN, TN} {
			m, n, k := s[0], s[1], s[2]
			a, b, c := make([]float32, m*k+m*k*600), make([]float32, n*k+600*(n+k)), make([]float32, m*n*600)
			lda, ldb := 576, 576
			best := 0.0
			pk := 0.0
			reps := 1 + (1<<23)/(m*n*k)
			for range 12 {
				c0 := cpuTime()
				for range reps {
					p.GemmSerial(0, f, m, n, k, a, lda, b, ldb, c, 600, false)
				}
				best = max(best, float64(reps*m*n*k*2)/float64(cpuTime()-c0))
				c0 = cpuTime()
				peakFMA(1 << 14)
				pk = max(pk, float64(12*16<<14)/float64(cpuTime()-c0))
			}
			fmt.Printf("%v %v %.1f of %.1f = %.0f%% %.0f ns  ", f, s, best, pk, 100*best/pk, float64(m*n*k*2)/best)
		}
		fmt.Println()
	}
}
