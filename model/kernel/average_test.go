package kernel

import (
	"math"
	"slices"
	"testing"
)

// TestAverage compares with the formula, whatever the length and the number of threads, and swaps.
func TestAverage(t *testing.T) {
	for _, n := range []int{1, 15, 1024, 1025, 70_001} {
		first, x, want := make([]float32, n), make([]float32, n), make([]float32, n)
		for i := range n {
			first[i], x[i] = float32(i%7)-3, float32(i%11)/3
			want[i] = float32(float32(0.9)*first[i]) + float32(float32(1-0.9)*x[i])
		}
		for _, threads := range []int{1, 3} {
			p := NewPool(threads)
			avg := slices.Clone(first)
			p.Average(avg, x, 0.9)
			if !slices.Equal(avg, want) {
				t.Errorf("%d values, %d threads: not the average", n, threads)
			}
			a, b := slices.Clone(first), slices.Clone(x)
			p.Swap(a, b)
			if !slices.Equal(a, x) || !slices.Equal(b, first) {
				t.Errorf("%d values, %d threads: not swapped", n, threads)
			}
			p.Close()
		}
	}
	p := NewPool(1)
	defer p.Close()
	avg := []float32{0}
	for range 100 {
		p.Average(avg, []float32{1}, 0.9)
	}
	if want := 1 - math.Pow(0.9, 100); math.Abs(float64(avg[0])-want) > 1e-6 {
		t.Errorf("after 100 steps %v, want %v", avg[0], want)
	}
}
