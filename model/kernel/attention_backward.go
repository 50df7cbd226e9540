package kernel

// Backward: dqkv (N, (Heads+2·KVHeads)·D) is set, for the rows of the segments, from dout (N, Heads·D) and what
// Forward left. With P recomputed from lse and delta = Σ_d dout·out per row and head,
//
//	dV = Pᵀ·dO,  dS = Scale·P∘(dO·Vᵀ - delta),  dQ = dS·K,  dK = dSᵀ·Q
//
// (Dao et al. 2022). One unit of work is a segment and a key head with all its query heads and blocks in order, so the
// sums for dK and dV have one order; a segment and those after it that share a part of it are one unit. dqkv must not
// overlap the other slices.
func (a *Attention) Backward(p *Pool, dqkv, dout, out, qkv, lse []float32, segs []Segment) {
	ld := a.prepare(p, segs, 2)
	a.group(segs)
	a.backward = attentionBackward{a, p, dqkv, dout, out, qkv, lse, segs, ld}
	p.Do(len(a.groups)*a.KVHeads, &a.backward)
}

// group finds the first segments of what can be worked on apart: a segment without a prefix begins a group, whose
// others have their prefixes in it. Where some prefix lies elsewhere, all segments are one.
func (a *Attention) group(segs []Segment) {
	a.groups = a.groups[:0]
	for i, s := range segs {
		if s.PrefixEnd == s.PrefixStart {
			a.groups = append(a.groups, i)
		} else if len(a.groups) == 0 || !within(segs[a.groups[len(a.groups)-1]:i], s.PrefixStart, s.PrefixEnd) {
			a.groups = append(a.groups[:0], 0)
			return
		}
	}
}

// within tells whether rows [lo, hi) lie in one of the segments.
func within(segs []Segment, lo, hi int) bool {
	for _, s := range segs {
		if s.Start <= lo && hi <= s.End {
			return true
		}
	}
	return false
}

type attentionBackward struct {
	a                         *Attention
	p                         *Pool
	dqkv, dout, out, qkv, lse []float32
	segs                      []Segment
	ld                        int
}

func (t *attentionBackward) Run(w, i int) {
	a := t.a
	kv, group := i%a.KVHeads, i/a.KVHeads
	first, end := a.groups[group], len(t.segs)
	if group+1 < len(a.groups) {
		end = a.groups[group+1]
	}
	segs := t.segs[first:end]
	k := (a.Heads + kv) * a.D
	v := k + a.KVHeads*a.D
	for _, s := range segs {
		for r := s.Start; r < s.End; r++ {
			row := t.dqkv[r*a.width():]
			clear(row[k : k+a.D])
			clear(row[v : v+a.D])
		}
	}
	g := a.Heads / a.KVHeads
	for i := first; i < end; i++ {
		for h := kv * g; h < kv*g+g; h++ {
			for at := a.first[i]; at < a.first[i+1]; at++ {
				t.block(w, h, k, v, &a.blocks[at])
			}
		}
	}
}

// block adds what the query rows [lo, hi) of head h contribute. k and v are the places of key and value in a row.
func (t *attentionBackward) block(w, h, k, v int, b *queryBlock) {
	a, p, ld := t.a, t.p, t.ld
	d, c := a.D, a.width()
	m, seen := b.len(), b.seen()
	qkv := func(at, row int) []float32 { return t.qkv[row*c+at:] }
	dqkv := func(at, row int) []float32 { return t.dqkv[row*c+at:] }
	do := t.dout[(b.lo*a.Heads+h)*d:]
	wo := a.Heads * d
	ps := a.scratch[w][:queryRows*ld]
	ds := a.scratch[w][queryRows*ld : 2*queryRows*ld]
	total := 0 // of the keys
	for _, x := range b.keys {
		if n := x.len(); n > 0 {
			p.GemmSerial(w, NT, m, n, d, qkv(h*d, b.lo), c, qkv(k, x.lo), c, ps[total:], ld, false)
			p.GemmSerial(w, NT, m, n, d, do, wo, qkv(v, x.lo), c, ds[total:], ld, false)
			total += n
		}
	}
	for i := range m {
		row := b.lo + i
		n := seen + i
		delta := dot(do[i*wo:i*wo+d], t.out[(row*a.Heads+h)*d:(row*a.Heads+h)*d+d])
		first := a.outside(n)
		ps, ds := ps[i*ld:i*ld+total], ds[i*ld:i*ld+total]
		expScale(ps[first:n], a.Scale, t.lse[row*a.Heads+h])
		softmaxGrad(ds[first:n], ps[first:n], delta, a.Scale)
		for _, x := range [][]float32{ps, ds} {
			clear(x[:first])
			clear(x[n:])
		}
	}
	done := 0
	for _, x := range b.keys {
		n := x.len()
		if n == 0 {
			continue
		}
		p.GemmSerial(w, TN, n, d, m, ps[done:], ld, do, wo, dqkv(v, x.lo), c, true)
		p.GemmSerial(w, TN, n, d, m, ds[done:], ld, qkv(h*d, b.lo), c, dqkv(k, x.lo), c, true)
		p.GemmSerial(w, NN, m, d, n, ds[done:], ld, qkv(k, x.lo), c, dqkv(h*d, b.lo), c, done > 0)
		done += n
	}
}
