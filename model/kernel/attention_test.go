package kernel

import (
	"math"
	"slices"
	"testing"

	"instruct/model/kernel/rng"
)

// attentionRef is causal attention in float64, straight from the definition; it also gives the loss Σ out·dout.
func attentionRef(a *Attention, qkv []float64, segs []Segment, rows int) (out, lse []float64) {
	c, d := a.width(), a.D
	out, lse = make([]float64, rows*a.Heads*d), make([]float64, rows*a.Heads)
	for i, s := range segs {
		for r := s.Start; r < s.End; r++ {
			keys := before(segs, i)
			for j := s.Start; j <= r; j++ {
				keys = append(keys, j)
			}
			if a.Window > 0 {
				keys = keys[max(0, len(keys)-a.Window):]
			}
			for h := range a.Heads {
				k := (a.Heads + h/(a.Heads/a.KVHeads)) * d
				v := k + a.KVHeads*d
				p := make([]float64, len(keys))
				m := math.Inf(-1)
				for i, j := range keys {
					for x := range d {
						p[i] += qkv[r*c+h*d+x] * qkv[j*c+k+x]
					}
					p[i] *= float64(a.Scale)
					m = max(m, p[i])
				}
				var sum float64
				for i := range p {
					p[i] = math.Exp(p[i] - m)
					sum += p[i]
				}
				lse[r*a.Heads+h] = m + math.Log(sum)
				for i, j := range keys {
					for x := range d {
						out[(r*a.Heads+h)*d+x] += p[i] / sum * qkv[j*c+v+x]
					}
				}
			}
		}
	}
	return out, lse
}

// before are the rows of all prefixes of segs[i].
func before(segs []Segment, i int) (rows []int) {
	s := segs[i]
	for k := range i {
		if segs[k].Start == s.PrefixStart && s.PrefixStart < s.PrefixEnd {
			rows = before(segs, k)
		}
	}
	for j := s.PrefixStart; j < s.PrefixEnd; j++ {
		rows = append(rows, j)
	}
	return rows
}

func widen(x []float32) []float64 {
	y := make([]float64, len(x))
	for i := range x {
		y[i] = float64(x[i])
	}
	return y
}

// near checks got against want within tol of the largest want.
func near(t *testing.T, name string, got []float32, want []float64, tol float64) {
	t.Helper()
	scale := 1e-3
	for _, v := range want {
		scale = max(scale, math.Abs(v))
	}
	for i := range want {
		if !(math.Abs(float64(got[i])-want[i]) <= tol*scale) {
			t.Fatalf("%s: element %d is %g, want %g", name, i, got[i], want[i])
		}
	}
}

// numeric is the central difference of loss by every element of x.
func numeric(x []float64, loss func() float64) []float64 {
	g := make([]float64, len(x))
	for i, v := range x {
		h := 1e-5 * max(1, math.Abs(v))
		x[i] = v + h
		up := loss()
		x[i] = v - h
		g[i] = (up - loss()) / (2 * h)
		x[i] = v
	}
	return g
}

func weigh(x []float64, w []float32) (s float64) {
	for i := range x {
		s += x[i] * float64(w[i])
	}
	return s
}

func TestAttention(t *testing.T) {
	nested := []Segment{{0, 0, 0, 3}, {0, 3, 3, 5}, {3, 5, 5, 8}, {3, 5, 8, 9},
		{0, 3, 9, 11}, {9, 11, 11, 14}, {0, 3, 14, 15}}
	deep := []Segment{{0, 0, 0, 3}, {0, 3, 3, 5}, {3, 5, 5, 8}, {5, 8, 8, 9}, {5, 7, 9, 12}, {8, 9, 12, 14},
		{12, 14, 14, 15}, {14, 15, 15, 16}, {15, 16, 16, 18}, {3, 5, 18, 20}}
	tests := []struct {
		name      string
		heads, kv int
		d         int
		segs      []Segment
		rows      int
		gradient  bool
		window    int
	}{
		{"one", 2, 1, 4, []Segment{{0, 0, 0, 5}}, 5, true, 0},
		{"two segments", 4, 2, 4, []Segment{{0, 0, 0, 3}, {3, 3, 3, 7}}, 7, true, 0},
		{"gap and order", 2, 2, 3, []Segment{{0, 0, 4, 8}, {0, 0, 0, 2}}, 8, true, 0},
		{"prefix", 2, 1, 4, []Segment{{0, 0, 0, 3}, {0, 3, 3, 6}, {0, 3, 6, 8}}, 8, true, 0},
		{"two prefixes", 2, 2, 4, []Segment{{0, 0, 0, 3}, {0, 3, 3, 6}, {0, 3, 6, 8}, {0, 0, 8, 10}, {8, 10, 10, 13},
			{8, 10, 13, 14}}, 14, true, 0},
		{"prefix before another segment", 2, 1, 4, []Segment{{0, 0, 0, 3}, {0, 0, 3, 5}, {0, 3, 5, 8}}, 8, true, 0},
		{"blocks", 3, 1, 8, []Segment{{0, 0, 0, 150}, {0, 0, 150, 214}}, 214, false, 0},
		{"many heads to a key", 40, 1, 4, []Segment{{0, 0, 0, 30}}, 30, false, 0},
		{"large heads", 2, 1, 512, []Segment{{0, 0, 0, 40}}, 40, false, 0},
		{"long prefix", 2, 1, 16, []Segment{{0, 0, 0, 70}, {0, 70, 70, 140}}, 140, false, 0},
		{"window", 2, 1, 4, []Segment{{0, 0, 0, 7}}, 7, true, 3},
		{"window of one", 2, 2, 3, []Segment{{0, 0, 0, 4}}, 4, true, 1},
		{"window and prefix", 2, 1, 4, []Segment{{0, 0, 0, 4}, {0, 4, 4, 9}, {0, 4, 9, 11}}, 11, true, 3},
		{"window as long as the prefix", 2, 1, 4, []Segment{{0, 0, 0, 4}, {0, 4, 4, 9}}, 9, true, 5},
		{"prefix of prefixes", 2, 1, 4, nested, 15, true, 0},
		{"window and prefix of prefixes", 2, 1, 4, nested, 15, true, 4},
		{"window over a prefix of prefixes", 2, 2, 4, nested, 15, true, 7},
		{"as many prefixes as there may be", 2, 1, 4, deep, 20, true, 0},
		{"window over many prefixes", 2, 2, 4, deep, 20, true, 6},
		{"window in blocks", 3, 1, 8, []Segment{{0, 0, 0, 150}, {0, 0, 150, 214}}, 214, false, 20},
		{"window over blocks", 4, 2, 8, []Segment{{0, 0, 0, 150}}, 150, false, 60},
		{"window and long prefix", 2, 1, 16, []Segment{{0, 0, 0, 70}, {0, 70, 70, 170}}, 170, false, 50},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := rng.NewRand(1, tt.name, 0, 0)
			a := &Attention{Heads: tt.heads, KVHeads: tt.kv, D: tt.d, Scale: 0.7, Window: tt.window}
			if tt.d > 64 {
				a.Scale = 0.04 // so that scores are no larger
			}
			n := tt.rows
			qkv, dout := normals(&r, n*a.width()), normals(&r, n*tt.heads*tt.d)
			wide := widen(qkv)
			wantOut, wantLSE := attentionRef(a, wide, tt.segs, n)
			for _, threads := range []int{1, 2, 3} {
				p := NewPool(threads)
				out, lse := make([]float32, n*tt.heads*tt.d), make([]float32, n*tt.heads)
				a.Forward(p, out, qkv, lse, tt.segs)
				near(t, "out", out, wantOut, 1e-5)
				near(t, "lse", lse, wantLSE, 1e-5)
				if len(tt.segs) == 1 {
					if at := decodeDifference(a, p, qkv, out, 1, 3); at >= 0 {
						t.Errorf("decoding row by row differs from the forward at %d", at)
					}
				}
				dqkv := make([]float32, len(qkv))
				a.Backward(p, dqkv, dout, out, qkv, lse, tt.segs)
				if tt.gradient && threads == 1 {
					want := numeric(wide, func() float64 {
						o, _ := attentionRef(a, wide, tt.segs, n)
						return weigh(o, dout)
					})
					near(t, "dqkv", dqkv, want, 1e-5)
				}
				if threads == 1 {
					continue
				}
				one := NewPool(1)
				out1, lse1, dqkv1 := make([]float32, len(out)), make([]float32, len(lse)), make([]float32, len(qkv))
				a.Forward(one, out1, qkv, lse1, tt.segs)
				a.Backward(one, dqkv1, dout, out1, qkv, lse1, tt.segs)
				if firstDifference(out, out1) >= 0 || firstDifference(lse, lse1) >= 0 || firstDifference(dqkv, dqkv1) >= 0 {
					t.Errorf("%d threads give other bits than one", threads)
				}
				p.Close()
			}
		})
	}
}

// A shared prefix must give what a copy of it in front of every segment gives, and a segment the same bits wherever it
// stands: with no window, with one that ends in the prefix, in the segment, and with one that is longer than both.
func TestAttentionPlace(t *testing.T) {
	const h, kv, d, prefix, own = 4, 2, 8, 70, 75
	r := rng.NewRand(2, "place", 0, 0)
	p := NewPool(2)
	defer p.Close()
	a := &Attention{Heads: h, KVHeads: kv, D: d, Scale: 0.3}
	c := a.width()
	whole := normals(&r, (prefix+own)*c)
	dout := normals(&r, (prefix+own)*h*d)
	run := func(qkv, dout []float32, segs []Segment) (out, lse, dqkv []float32) {
		n := len(qkv) / c
		out, lse, dqkv = make([]float32, n*h*d), make([]float32, n*h), make([]float32, n*c)
		a.Forward(p, out, qkv, lse, segs)
		a.Backward(p, dqkv, dout, out, qkv, lse, segs)
		return
	}
	everything, _, gradients := run(whole, dout, []Segment{{0, 0, 0, prefix + own}})
	for _, window := range []int{0, 5, 33, 100, prefix + own} {
		a = &Attention{Heads: h, KVHeads: kv, D: d, Scale: 0.3, Window: window}
		out, lse, dqkv := run(whole, dout, []Segment{{0, 0, 0, prefix + own}})
		if all := window == 0 || window >= prefix+own; all != (firstDifference(out, everything) < 0) ||
			all != (firstDifference(dqkv, gradients) < 0) {
			t.Errorf("window %d: the bits of no window: %v, want %v", window, !all, all)
		}
		for _, lead := range []int{1, 16, 37} {
			x := append(normals(&r, lead*c), whole...)
			y := append(normals(&r, lead*h*d), dout...)
			o, l, g := run(x, y, []Segment{{0, 0, 0, lead}, {0, 0, lead, lead + prefix + own}})
			if firstDifference(o[lead*h*d:], out) >= 0 || firstDifference(l[lead*h:], lse) >= 0 ||
				firstDifference(g[lead*c:], dqkv) >= 0 {
				t.Errorf("window %d: other bits after %d rows", window, lead)
			}
		}
		for name, segs := range map[string][]Segment{
			"shared prefix":      {{0, 0, 0, prefix}, {0, prefix, prefix, prefix + own}},
			"prefix of a prefix": {{0, 0, 0, 30}, {0, 30, 30, prefix}, {30, prefix, prefix, prefix + own}},
		} {
			o, l, g := run(whole, dout, segs)
			if at := firstDifference(o, out); at >= 0 {
				t.Errorf("window %d, %s: out differs at %d: %g %g", window, name, at, o[at], out[at])
			}
			if firstDifference(l, lse) >= 0 {
				t.Errorf("window %d, %s: lse differs", window, name)
			}
			near(t, "dqkv with "+name, g, widen(dqkv), 1e-5)
		}

		for _, step := range []int{1, 5, 100} {
			for _, pieces := range []int{1, 2, 7} {
				if i := decodeDifference(a, p, whole, out, step, pieces); i >= 0 {
					t.Errorf("window %d: decoding by %d from %d pieces: row %d differs from the forward", window, step,
						pieces, i/(h*d))
				}
			}
		}
	}
}

// decodeDifference decodes the rows of qkv in pieces of step, beside another sequence, and says where the result first
// differs from out, which Forward gave; -1 is nowhere. The cache holds them in so many pieces, the last one first.
func decodeDifference(a *Attention, p *Pool, qkv, out []float32, step, pieces int) int {
	c, w := a.width(), a.KVHeads*a.D
	n := len(qkv) / c
	var runs []Run
	for i := range pieces {
		lo, hi := i*n/pieces, (i+1)*n/pieces
		runs = append(runs, Run{n - hi, hi - lo})
	}
	k, v := make([]float32, n*w), make([]float32, n*w)
	i := 0
	for _, r := range runs {
		for at := r.Start; at < r.Start+r.Len; at++ {
			copy(k[at*w:(at+1)*w], qkv[i*c+a.Heads*a.D:])
			copy(v[at*w:(at+1)*w], qkv[i*c+a.Heads*a.D+w:])
			i++
		}
	}
	q, o := slices.Concat(qkv, qkv), make([]float32, 2*len(out)) // the other sequence is n rows further on
	for at := 0; at < n; at += step {
		hi := min(n, at+step)
		spans := []Span{{Lo: at, Hi: hi, Keys: first(runs, hi)}, {Lo: n + at, Hi: n + at + 1, Keys: first(runs, at+1)}}
		a.Decode(p, o, q, c, spans, k, v)
	}
	return firstDifference(o[:len(out)], out)
}

// first gives the runs of the first n rows.
func first(runs []Run, n int) (out []Run) {
	for _, r := range runs {
		r.Len = min(r.Len, n)
		n -= r.Len
		out = append(out, r)
	}
	return out
}

func TestAttentionAllocatesNothing(t *testing.T) {
	r := rng.NewRand(3, "alloc", 0, 0)
	a := &Attention{Heads: 2, KVHeads: 1, D: 8, Scale: 1, Window: 30}
	p := NewPool(2)
	defer p.Close()
	qkv := normals(&r, 100*a.width())
	out, lse, dqkv := make([]float32, 100*16), make([]float32, 100*2), make([]float32, len(qkv))
	segs := []Segment{{0, 0, 0, 70}, {0, 0, 70, 100}}
	spans := []Span{{0, 1, []Run{{40, 1}}}, {1, 3, []Run{{0, 5}, {50, 41}}}}
	if n := testing.AllocsPerRun(20, func() {
		a.Forward(p, out, qkv, lse, segs)
		a.Backward(p, dqkv, out, out, qkv, lse, segs)
		a.Decode(p, out, qkv, a.width(), spans, qkv, qkv)
	}); n != 0 {
		t.Errorf("%g allocations", n)
	}
}
