package kernel

import (
	"math"
	"slices"
	"testing"
)

// TestDropout: about the share that is asked for is dropped, the rest is scaled; threads do not matter, other numbers
// do.
func TestDropout(t *testing.T) {
	const n, c, rate = 300, 77, 0.2
	x := make([]float32, n*c)
	for i := range x {
		x[i] = float32(i%13 + 1)
	}
	drop := func(threads int, d Drop, add bool) []float32 {
		p := NewPool(threads)
		defer p.Close()
		out := slices.Repeat([]float32{1}, n*c)
		p.Dropout(out, x, n, c, d, add)
		return out
	}
	d := Drop{Rate: rate, Seed: 1, A: 2, B: 3}
	want := drop(1, d, false)
	dropped := 0
	for i, y := range want {
		switch y {
		case 0:
			dropped++
		case float32(x[i] * float32(1/(1-rate))):
		default:
			t.Fatalf("value %d: %v became %v", i, x[i], y)
		}
	}
	if share := float64(dropped) / (n * c); math.Abs(share-rate) > 0.01 {
		t.Errorf("%v of the values were dropped", share)
	}
	if !slices.Equal(drop(3, d, false), want) {
		t.Error("three threads drop other values")
	}
	for i, y := range drop(2, d, true) {
		if y != want[i]+1 {
			t.Fatalf("value %d: %v was added as %v", i, want[i], y)
		}
	}
	for _, other := range []Drop{{rate, 9, 2, 3}, {rate, 1, 9, 3}, {rate, 1, 2, 9}} {
		if slices.Equal(drop(1, other, false), want) {
			t.Errorf("%+v drops the same values", other)
		}
	}
	if got := drop(1, Drop{}, false); !slices.Equal(got, x) {
		t.Error("rate 0 changes values")
	}
}
