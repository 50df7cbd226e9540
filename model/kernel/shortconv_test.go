package kernel

import (
	"testing"

	"instruct/model/kernel/rng"
)

// shortConvRef is the convolution in float64, straight from the definition.
func shortConvRef(bcx, w []float64, at []int32, n, c, taps int) []float64 {
	out := make([]float64, n*c)
	for i := range n {
		for j := range c {
			for k := range taps {
				if row := int(at[i*taps+k]); row >= 0 {
					out[i*c+j] += bcx[(3*i+1)*c+j] * w[j*taps+taps-1-k] * bcx[3*row*c+j] * bcx[(3*row+2)*c+j]
				}
			}
		}
	}
	return out
}

func TestShortConv(t *testing.T) {
	const n, c, taps = 7, 70, 3 // more columns than a block
	// Rows 0-2 come before rows 3-4 and before rows 5-6.
	at := []int32{0, -1, -1, 1, 0, -1, 2, 1, 0, 3, 2, 1, 4, 3, 2, 5, 2, 1, 6, 5, 2}
	r := rng.NewRand(1, "shortconv", 0, 0)
	bcx, w, dout, dw0 := normals(&r, 3*n*c), normals(&r, c*taps), normals(&r, n*c), normals(&r, c*taps)
	wide, ww := widen(bcx), widen(w)
	loss := func() float64 { return weigh(shortConvRef(wide, ww, at, n, c, taps), dout) }
	wantW := plus(numeric(ww, loss), dw0)
	wantX := numeric(wide, loss)
	for _, threads := range []int{1, 2} {
		p := NewPool(threads)
		out, cached, cache := make([]float32, n*c), make([]float32, n*c), make([]float32, n*c)
		p.ShortConv(out, bcx, w, at, n, c, taps)
		near(t, "out", out, shortConvRef(wide, ww, at, n, c, taps), 1e-6)
		p.ShortConvCached(cached, bcx, w, cache, at, n, c, taps)
		if i := firstDifference(out, cached); i >= 0 {
			t.Errorf("through a cache element %d differs", i)
		}
		dbcx, dw := make([]float32, len(bcx)), append([]float32(nil), dw0...)
		p.ShortConvBackward(dbcx, dw, dout, bcx, w, at, n, c, taps)
		near(t, "dbcx", dbcx, wantX, 1e-6)
		near(t, "dw", dw, wantW, 1e-6)
		p.ShortConvBackward(nil, nil, dout, bcx, w, at, n, c, taps) // nobody wants anything
		p.Close()
	}
}

func TestSpanRow(t *testing.T) {
	s := Span{Keys: []Run{{10, 3}, {40, 2}}}
	for pos, want := range map[int]int32{-1: -1, 0: 10, 2: 12, 3: 40, 4: 41, 5: -1} {
		if got := s.Row(pos); got != want {
			t.Errorf("position %d lies in row %d, want %d", pos, got, want)
		}
	}
}
