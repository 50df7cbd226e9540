package kernel

import (
	"math"
	"testing"

	"instruct/model/kernel/rng"
)

func plus(x []float64, y []float32) []float64 {
	z := make([]float64, len(x))
	for i := range x {
		z[i] = x[i] + float64(y[i])
	}
	return z
}

// headRMSNormRef is RMSNorm of the vectors (i, h) in float64; the rest of a row is 0.
func headRMSNormRef(x, w []float64, s headShape, eps float64) []float64 {
	out := make([]float64, len(x))
	for i := range s.n {
		for h := range s.heads {
			at := i*s.stride + s.offset + h*s.d
			var q float64
			for j := range s.d {
				q += x[at+j] * x[at+j]
			}
			for j := range s.d {
				out[at+j] = w[j] * x[at+j] / math.Sqrt(q/float64(s.d)+eps)
			}
		}
	}
	return out
}

func TestRMSNorm(t *testing.T) {
	for _, s := range []headShape{{3, 5, 0, 1, 5}, {2, 40, 0, 1, 40}, {3, 20, 4, 2, 6}, {2, 50, 16, 1, 33}} {
		r := rng.NewRand(1, "rmsnorm", uint64(s.d), 0)
		x, w, dy, dres := normals(&r, s.n*s.stride), normals(&r, s.d), normals(&r, s.n*s.stride), normals(&r, s.n*s.stride)
		for i := range x { // outside the heads the loss must not look
			if c := i % s.stride; c < s.offset || c >= s.offset+s.heads*s.d {
				dy[i], dres[i] = 0, 0
			}
		}
		p := NewPool(2)
		out, inv := make([]float32, len(x)), make([]float32, s.n*s.heads)
		if s.d == s.stride {
			p.RMSNorm(out, x, w, inv, s.n, s.d, 1e-5)
		} else {
			p.HeadRMSNorm(out, x, w, inv, s.n, s.stride, s.offset, s.heads, s.d, 1e-5)
		}
		wx, ww := widen(x), widen(w)
		near(t, "out", out, headRMSNormRef(wx, ww, s, 1e-5), 1e-6)
		loss := func() float64 { return weigh(headRMSNormRef(wx, ww, s, 1e-5), dy) }
		wantX, wantW := numeric(wx, loss), numeric(ww, loss)

		dx, dw := make([]float32, len(x)), normals(&r, s.d)
		wantW = plus(wantW, dw)
		if s.d != s.stride {
			p.HeadRMSNormBackward(dx, dy, x, w, inv, dw, s.n, s.stride, s.offset, s.heads, s.d)
			near(t, "dx", dx, wantX, 1e-5)
			near(t, "dw", dw, wantW, 1e-5)
			alias := append([]float32(nil), dy...)
			p.HeadRMSNormBackward(alias, alias, x, w, inv, nil, s.n, s.stride, s.offset, s.heads, s.d)
			for i := range alias {
				if dy[i] != 0 && !sameBits(alias[i], dx[i]) {
					t.Fatal("dx = dy gives other bits")
				}
			}
			continue
		}
		p.RMSNormBackward(dx, dy, x, w, inv, dw, nil, s.n, s.d)
		near(t, "dx", dx, wantX, 1e-5)
		near(t, "dw", dw, wantW, 1e-5)
		p.RMSNormBackward(dx, dy, x, w, inv, nil, dres, s.n, s.d)
		near(t, "dx + dres", dx, plus(wantX, dres), 1e-5)
		a, b := append([]float32(nil), dy...), append([]float32(nil), dres...)
		dwAlias := make([]float32, s.d)
		dwPlain := make([]float32, s.d)
		p.RMSNormBackward(a, a, x, w, inv, dwAlias, dres, s.n, s.d)
		p.RMSNormBackward(b, dy, x, w, inv, dwPlain, b, s.n, s.d)
		if firstDifference(a, dx) >= 0 || firstDifference(b, dx) >= 0 || firstDifference(dwAlias, dwPlain) >= 0 {
			t.Error("dx = dy or dx = dres gives other bits")
		}
		p.Close()
	}
}

// RMSNormAdd has the bits of RMSNorm and a sum of its own.
func TestRMSNormAdd(t *testing.T) {
	const n, c, rows = 5, 37, 9
	r := rng.NewRand(1, "rmsnorm add", 0, 0)
	x, res, w := normals(&r, n*c), normals(&r, rows*c), normals(&r, c)
	p := NewPool(2)
	defer p.Close()
	want, out, inv := make([]float32, n*c), make([]float32, n*c), make([]float32, n)
	for _, ids := range [][]int32{nil, {0, 3, 4, 7, 8}} {
		p.RMSNorm(want, x, w, inv, n, c, 1e-5)
		for i := range n {
			row := i
			if ids != nil {
				row = int(ids[i])
			}
			p.Add(want[i*c:i*c+c], want[i*c:i*c+c], res[row*c:row*c+c])
		}
		p.RMSNormAdd(out, x, res, ids, w, inv, n, c, 1e-5)
		if at := firstDifference(out, want); at >= 0 {
			t.Errorf("ids %v: element %d is %g, want %g", ids, at, out[at], want[at])
		}
	}
}

func layerNormRef(x, w, b []float64, n, c int, eps float64) []float64 {
	out := make([]float64, len(x))
	for i := range n {
		var m, v float64
		for j := range c {
			m += x[i*c+j] / float64(c)
		}
		for j := range c {
			v += (x[i*c+j] - m) * (x[i*c+j] - m) / float64(c)
		}
		for j := range c {
			out[i*c+j] = (x[i*c+j]-m)/math.Sqrt(v+eps)*w[j] + b[j]
		}
	}
	return out
}

func TestLayerNorm(t *testing.T) {
	for _, s := range [][2]int{{3, 5}, {2, 40}, {4, 16}} {
		n, c := s[0], s[1]
		r := rng.NewRand(1, "layernorm", uint64(c), 0)
		x, w, b, dy, dres := normals(&r, n*c), normals(&r, c), normals(&r, c), normals(&r, n*c), normals(&r, n*c)
		p := NewPool(2)
		out, mean, rstd := make([]float32, n*c), make([]float32, n), make([]float32, n)
		p.LayerNorm(out, x, w, b, mean, rstd, n, c, 1e-5)
		wx, ww, wb := widen(x), widen(w), widen(b)
		near(t, "out", out, layerNormRef(wx, ww, wb, n, c, 1e-5), 2e-6)
		loss := func() float64 { return weigh(layerNormRef(wx, ww, wb, n, c, 1e-5), dy) }
		wantX, wantW, wantB := numeric(wx, loss), numeric(ww, loss), numeric(wb, loss)
		dx, dw, db := make([]float32, n*c), normals(&r, c), normals(&r, c)
		wantW, wantB = plus(wantW, dw), plus(wantB, db)
		p.LayerNormBackward(dx, dy, x, w, mean, rstd, dw, db, nil, n, c)
		near(t, "dx", dx, wantX, 1e-5)
		near(t, "dw", dw, wantW, 1e-5)
		near(t, "db", db, wantB, 1e-5)
		p.LayerNormBackward(dx, dy, x, w, mean, rstd, nil, nil, dres, n, c)
		near(t, "dx + dres", dx, plus(wantX, dres), 1e-5)
		a, d := append([]float32(nil), dy...), append([]float32(nil), dres...)
		dwAlias, dwPlain := make([]float32, c), make([]float32, c)
		p.LayerNormBackward(a, a, x, w, mean, rstd, dwAlias, nil, dres, n, c)
		p.LayerNormBackward(d, dy, x, w, mean, rstd, dwPlain, nil, d, n, c)
		if firstDifference(a, dx) >= 0 || firstDifference(d, dx) >= 0 || firstDifference(dwAlias, dwPlain) >= 0 {
			t.Error("dx = dy or dx = dres gives other bits")
		}
		p.Close()
	}
}
