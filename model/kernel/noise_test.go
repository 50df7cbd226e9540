package kernel

import (
	"math"
	"slices"
	"testing"
)

// TestAddNoise: uniform numbers of the size, which belong to seed, time, example, row and column, and to nothing else.
func TestAddNoise(t *testing.T) {
	const n, c = 50, 64
	p, q := NewPool(1), NewPool(3)
	defer p.Close()
	defer q.Close()
	noise := func(p *Pool, n int, s Noise) []float32 {
		x := make([]float32, n*c)
		p.AddNoise(x, n, c, s)
		return x
	}
	s := Noise{Size: 0.5, Seed: 1, A: 2, B: 3}
	want := noise(p, n, s)
	if !slices.Equal(noise(q, n, s), want) || !slices.Equal(noise(p, 7, s), want[:7*c]) {
		t.Error("threads or the number of rows change the noise")
	}
	for _, other := range []Noise{{0.5, 2, 2, 3}, {0.5, 1, 3, 3}, {0.5, 1, 2, 4}, {0.5, 1, 3, 2}} {
		same := 0
		for i, x := range noise(p, n, other) {
			if x == want[i] {
				same++
			}
		}
		if same > 2 {
			t.Errorf("%+v has %d numbers of %+v", other, same, s)
		}
	}
	sum, squares := 0.0, 0.0
	for _, x := range want {
		if x < -0.5 || x >= 0.5 {
			t.Fatalf("%v is out of bounds", x)
		}
		sum += float64(x)
		squares += float64(x) * float64(x)
	}
	mean, variance := sum/(n*c), squares/(n*c)
	if math.Abs(mean) > 0.02 || math.Abs(variance-0.25/3) > 0.005 {
		t.Errorf("mean %v and variance %v, want 0 and %v", mean, variance, 0.25/3)
	}
}
