package kernel

// Run is consecutive rows of a cache of keys and values: [Start, Start+Len).
type Run struct{ Start, Len int }

// Span is what one sequence brings to a batch of [Attention.Decode]: rows [Lo, Hi) of the batch, which are the last
// Hi-Lo positions of the sequence. Keys are the rows of the cache that hold the whole sequence, those positions
// included, in order.
type Span struct {
	Lo, Hi int
	Keys   []Run
}

// Len is how many positions the sequence has.
func (s *Span) Len() int {
	n := 0
	for _, r := range s.Keys {
		n += r.Len
	}
	return n
}

// Row is the row of the cache that holds position pos of the sequence; -1 before its beginning.
func (s *Span) Row(pos int) int32 {
	for _, r := range s.Keys {
		if pos < 0 {
			break
		}
		if pos < r.Len {
			return int32(r.Start + pos)
		}
		pos -= r.Len
	}
	return -1
}

// Decode computes attention for the rows of a batch against a cache: q row i begins at q[i·qStride] (Heads·D wide),
// out (N, Heads·D), kcache and vcache (rows, KVHeads·D) hold the positions of the batch already. Each row sees the
// positions of its own sequence up to itself, or the last Window of those. The bits are those of Forward on the
// sequence alone, wherever its positions lie and whatever else is in the batch.
func (a *Attention) Decode(p *Pool, out, q []float32, qStride int, spans []Span, kcache, vcache []float32) {
	longest, runs := 0, 0
	a.spans = a.spans[:0]
	for i := range spans {
		s := &spans[i]
		longest, runs = max(longest, s.Len()), max(runs, len(s.Keys))
		if s.Hi == s.Lo+1 {
			for h := range a.KVHeads {
				a.spans = append(a.spans, spanBlock{s, s.Lo, s.Hi, h})
			}
			continue
		}
		for lo := s.Lo; lo < s.Hi; lo += queryRows {
			for h := range a.Heads {
				a.spans = append(a.spans, spanBlock{s, lo, min(s.Hi, lo+queryRows), h})
			}
		}
	}
	ld := a.reserve(p, max(queryRows, a.Heads/a.KVHeads), longest, 1)
	for len(a.keys) < p.Threads() {
		a.keys = append(a.keys, nil)
	}
	for w := range a.keys {
		if cap(a.keys[w]) < runs {
			a.keys[w] = make([]cache, 0, 2*runs)
		}
	}
	a.decode = attentionDecode{a, p, out, q, kcache, vcache, qStride, ld}
	p.Do(len(a.spans), &a.decode)
}

// spanBlock is rows [lo, hi) of the batch, which belong to s. Of a span of one row head is a key head with all its
// query heads, which are the rows of one product; else it is a query head.
type spanBlock struct {
	s            *Span
	lo, hi, head int
}

type attentionDecode struct {
	a                      *Attention
	p                      *Pool
	out, q, kcache, vcache []float32
	qStride, ld            int
}

func (t *attentionDecode) Run(w, i int) {
	a, d := t.a, t.a.D
	b, g := &a.spans[i], a.Heads/a.KVHeads
	if b.s.Hi == b.s.Lo+1 {
		at := b.head * g * d
		keys, seen := t.keys(w, b, b.head*d)
		a.attend(t.p, w, t.ld, query{
			q: t.q[b.lo*t.qStride+at:], stride: d, m: g, out: t.out[b.lo*a.Heads*d+at:], outStride: d, seen: seen,
		}, keys, a.KVHeads*d)
		return
	}
	keys, seen := t.keys(w, b, b.head/g*d)
	a.attend(t.p, w, t.ld, query{
		q: t.q[b.lo*t.qStride+b.head*d:], stride: t.qStride, m: b.hi - b.lo,
		out: t.out[(b.lo*a.Heads+b.head)*d:], outStride: a.Heads * d, seen: seen, step: 1,
	}, keys, a.KVHeads*d)
}

// keys gives the keys and values, at place at of a cached row, that the rows of b meet, and how many of them the first
// row sees.
func (t *attentionDecode) keys(w int, b *spanBlock, at int) (keys []cache, seen int) {
	n := b.s.Len() - (b.s.Hi - b.hi) // positions up to the last row of b
	seen = n - (b.hi - b.lo) + 1
	skip := t.a.outside(seen)
	seen -= skip
	keys, n = t.a.keys[w][:0], n-skip
	for _, r := range b.s.Keys {
		gone := min(skip, r.Len)
		skip -= gone
		have := min(r.Len-gone, n)
		n -= have
		if have > 0 {
			at := (r.Start+gone)*t.a.KVHeads*t.a.D + at
			keys = append(keys, cache{t.kcache[at:], t.vcache[at:], have})
		}
	}
	return keys, seen
}
