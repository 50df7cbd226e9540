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
	var own Segment // the first of the group
	for i, s := range segs {
		switch {
		case s.PrefixEnd == s.PrefixStart:
			own = s
			a.groups = append(a.groups, i)
		case s.PrefixStart < own.Start || s.PrefixEnd > own.End:
			a.groups = append(a.groups[:0], 0)
			return
		}
	}
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
	segs := t.segs[a.groups[group]:]
	if group+1 < len(a.groups) {
		segs = t.segs[a.groups[group]:a.groups[group+1]]
	}
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
	for _, s := range segs {
		for h := kv * g; h < kv*g+g; h++ {
			for r := s.Start; r < s.End; r += queryRows {
				t.block(w, h, k, v, a.block(s, r, min(s.End, r+queryRows)))
			}
		}
	}
}

// block adds what the query rows [lo, hi) of head h contribute. k and v are the places of key and value in a row.
func (t *attentionBackward) block(w, h, k, v int, b queryBlock) {
	a, p, ld := t.a, t.p, t.ld
	d, c := a.D, a.width()
	m := b.hi - b.lo
	np, no := b.PrefixEnd-b.PrefixStart, b.hi-b.Start
	qkv := func(at, row int) []float32 { return t.qkv[row*c+at:] }
	dqkv := func(at, row int) []float32 { return t.dqkv[row*c+at:] }
	do := t.dout[(b.lo*a.Heads+h)*d:]
	wo := a.Heads * d
	ps := a.scratch[w][:queryRows*ld]
	ds := a.scratch[w][queryRows*ld : 2*queryRows*ld]
	a.scores(p, w, ps, ld, qkv(h*d, b.lo), c, m, qkv(k, b.PrefixStart), qkv(k, b.Start), c, np, no)
	a.scores(p, w, ds, ld, do, wo, m, qkv(v, b.PrefixStart), qkv(v, b.Start), c, np, no)
	for i := range m {
		row := b.lo + i
		n := np + row - b.Start + 1
		delta := dot(do[i*wo:i*wo+d], t.out[(row*a.Heads+h)*d:(row*a.Heads+h)*d+d])
		first := a.outside(n)
		ps, ds := ps[i*ld:i*ld+np+no], ds[i*ld:i*ld+np+no]
		expScale(ps[first:n], a.Scale, t.lse[row*a.Heads+h])
		softmaxGrad(ds[first:n], ps[first:n], delta, a.Scale)
		for _, x := range [][]float32{ps, ds} {
			clear(x[:first])
			clear(x[n:])
		}
	}
	if np > 0 {
		p.GemmSerial(w, TN, np, d, m, ps, ld, do, wo, dqkv(v, b.PrefixStart), c, true)
		p.GemmSerial(w, TN, np, d, m, ds, ld, qkv(h*d, b.lo), c, dqkv(k, b.PrefixStart), c, true)
		p.GemmSerial(w, NN, m, d, np, ds, ld, qkv(k, b.PrefixStart), c, dqkv(h*d, b.lo), c, false)
	}
	p.GemmSerial(w, TN, no, d, m, ps[np:], ld, do, wo, dqkv(v, b.Start), c, true)
	p.GemmSerial(w, TN, no, d, m, ds[np:], ld, qkv(h*d, b.lo), c, dqkv(k, b.Start), c, true)
	p.GemmSerial(w, NN, m, d, no, ds[np:], ld, qkv(k, b.Start), c, dqkv(h*d, b.lo), c, np > 0)
}
