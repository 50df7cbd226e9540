package kernel

import "instruct/model/kernel/exact"

// Segment is one example in the flat batch: rows [Start, End) attend causally to themselves and to all of rows
// [PrefixStart, PrefixEnd), which come before them. The prefix is itself a segment, or the beginning of one, that
// stands before this one, computed once for all that share it; it is empty when PrefixStart == PrefixEnd. A prefix may
// have a prefix, which those behind it attend to as well, and so on, up to [MaxPrefixes].
type Segment struct{ PrefixStart, PrefixEnd, Start, End int }

// MaxPrefixes is how many prefixes a segment has at most, each that of the one behind it.
const MaxPrefixes = 7

// Parent is the segment in which the prefix of segs[i] lies, -1 where there is none.
func Parent(segs []Segment, i int) int {
	s := segs[i]
	if s.PrefixStart == s.PrefixEnd {
		return -1
	}
	for i--; i >= 0; i-- {
		if t := segs[i]; t.Start == s.PrefixStart && s.PrefixEnd <= t.End {
			return i
		}
	}
	return -1
}

// Attention is causal scaled dot-product attention with grouped key/value heads (Vaswani et al. 2017; Ainslie et al.
// 2023), inside segments only, and with a Window inside that many positions (Beltagy et al. 2020): a query at position
// q of prefix and segment together sees the keys at positions q-Window < k <= q. It belongs to one op: it keeps the
// scratch of its workers, sized at first use.
//
// The (N, T) scores never exist: a block of at most 24 query rows meets all its keys at once, without those that lie
// before the window of its first row. A row's results depend only on its own segment, so they have the same bits
// wherever the segment stands in the batch. Rows outside all segments are left alone.
type Attention struct {
	Heads, KVHeads, D int     // query heads, key/value heads, head size
	Scale             float32 // of the scores; usually 1/sqrt(D)
	Window            int     // positions that a query sees, its own included; 0: all before it

	scratch  [][]float32 // by worker
	keys     [][]cache   // by worker; of Decode
	blocks   []queryBlock
	first    []int // block of each segment, and how many there are
	groups   []int // first segments of what Backward works on apart
	spans    []spanBlock
	forward  attentionForward
	backward attentionBackward
	decode   attentionDecode
}

// span is rows [lo, hi).
type span struct{ lo, hi int }

func (s span) len() int { return s.hi - s.lo }

// queryBlock is rows [lo, hi) of a segment, and the keys that it meets: those of its prefixes, the outermost first, and
// its own.
type queryBlock struct {
	span
	keys [MaxPrefixes + 1]span // from the first; of the rest nothing
}

// seen is how many keys the row at lo sees, of those that it meets.
func (b *queryBlock) seen() int { return b.met() - (b.hi - b.lo) + 1 }

// met is how many keys the block meets.
func (b *queryBlock) met() (n int) {
	for _, k := range b.keys {
		n += k.len()
	}
	return n
}

// queryRows is few, so that little above the diagonal is computed in vain, and a multiple of the six rows of the matrix
// product.
const queryRows = 24

// width of a row of packed q, k and v.
func (a *Attention) width() int { return (a.Heads + 2*a.KVHeads) * a.D }

// outside says how many of n keys, which end with the query's own, lie before its window.
func (a *Attention) outside(n int) int {
	if a.Window == 0 {
		return 0
	}
	return max(0, n-a.Window)
}

// prepare cuts segments into blocks and sizes the scratch for one or two (queryRows, longest) arrays; it returns the
// leading dimension of those.
func (a *Attention) prepare(p *Pool, segs []Segment, arrays int) int {
	if a.KVHeads <= 0 || a.Heads%a.KVHeads != 0 {
		panic("kernel: Attention wants Heads to be a multiple of KVHeads")
	}
	a.blocks, a.first = a.blocks[:0], a.first[:0]
	longest := 0
	for i, s := range segs {
		b := queryBlock{}
		n := 0 // prefixes
		for k := i; k >= 0 && segs[k].PrefixStart < segs[k].PrefixEnd; k = Parent(segs, k) {
			if n == MaxPrefixes {
				panic("kernel: a segment has too many prefixes")
			}
			copy(b.keys[1:], b.keys[:n])
			b.keys[0] = span{segs[k].PrefixStart, segs[k].PrefixEnd}
			n++
		}
		a.first = append(a.first, len(a.blocks))
		for r := s.Start; r < s.End; r += queryRows {
			b.span = span{r, min(s.End, r+queryRows)}
			b.keys[n] = span{s.Start, b.hi}
			a.blocks = append(a.blocks, b.seenBy(a))
			longest = max(longest, b.met())
		}
	}
	a.first = append(a.first, len(a.blocks))
	return a.reserve(p, queryRows, longest, arrays)
}

// seenBy is b without the keys that lie before the window of its first row.
func (b queryBlock) seenBy(a *Attention) queryBlock {
	skip := a.outside(b.seen())
	for i := range b.keys {
		k := &b.keys[i]
		n := min(skip, k.len())
		k.lo += n
		skip -= n
	}
	return b
}

// reserve sizes every worker's scratch for arrays times (rows, longest) scores and two numbers a row.
func (a *Attention) reserve(p *Pool, rows, longest, arrays int) int {
	if a.Window > 0 {
		longest = min(longest, a.Window+queryRows)
	}
	ld := (longest+15)/16*16 + 16 // the 16 keep rows from lying a power of two apart
	for len(a.scratch) < p.Threads() {
		a.scratch = append(a.scratch, nil)
	}
	size := arrays*rows*ld + 2*rows
	for w := range a.scratch {
		if len(a.scratch[w]) < size {
			a.scratch[w] = make([]float32, size+size/4)
		}
	}
	return ld
}

// cache is rows of keys and values for one head; row i begins at k[i·stride] and v[i·stride].
type cache struct {
	k, v []float32
	n    int
}

// query is m query vectors, q[i·stride:], with their results. Vector i sees the first seen + i·step keys, or the last
// Window of those.
type query struct {
	q, out, lse                  []float32
	m                            int
	stride, outStride, lseStride int
	seen, step                   int
}

// attend computes softmax(scale·Q·Kᵀ)·V for one block: exp of the scores first, O = E·V, then the rows of O over
// the sums. What a row does not see is a zero in E, which changes no bit of its chain of fused multiply-adds. The keys
// may lie in several pieces, which changes no bit either: the scores of a row are one array, and each piece of V
// continues the chain.
func (a *Attention) attend(p *Pool, w, ld int, q query, keys []cache, kvStride int) {
	s := a.scratch[w]
	total := 0
	for _, c := range keys {
		p.GemmSerial(w, NT, q.m, c.n, a.D, q.q, q.stride, c.k, kvStride, s[total:], ld, false)
		total += c.n
	}
	top, sum := s[q.m*ld:], s[q.m*ld+q.m:] // by row: the largest score, Σ exp
	for i := range q.m {
		n := q.seen + i*q.step
		first := a.outside(n)
		row := s[i*ld+first : i*ld+n]
		top[i] = maxScale(row, a.Scale)
		sum[i] = expSum(row, row, top[i])
		clear(s[i*ld : i*ld+first])
		clear(s[i*ld+n : i*ld+total])
	}
	done := 0
	for _, c := range keys {
		p.GemmSerial(w, NN, q.m, a.D, c.n, s[done:], ld, c.v, kvStride, q.out, q.outStride, done > 0)
		done += c.n
	}
	for i := range q.m {
		scale(q.out[i*q.outStride:i*q.outStride+a.D], 1/sum[i])
	}
	if q.lse != nil {
		for i := range q.m {
			q.lse[i*q.lseStride] = float32(float64(top[i]) + exact.Log(float64(sum[i])))
		}
	}
}

// Forward: for each row i and head h, out[i, h] = Σ_j softmax_j(Scale·q[i, h]·k[j, h'])·v[j, h'] over the rows j
// that i sees, h' = h·KVHeads/Heads. qkv (N, (Heads+2·KVHeads)·D) holds the query heads, then the key heads, then
// the value heads of a row, already rotated; out (N, Heads·D); lse (N, Heads) gets the log-sum-exp of the scaled
// scores, for the backward.
func (a *Attention) Forward(p *Pool, out, qkv, lse []float32, segs []Segment) {
	ld := a.prepare(p, segs, 1)
	a.forward = attentionForward{a, p, out, qkv, lse, ld}
	p.Do(len(a.blocks)*a.Heads, &a.forward)
}

type attentionForward struct {
	a             *Attention
	p             *Pool
	out, qkv, lse []float32
	ld            int
}

func (t *attentionForward) Run(w, i int) {
	a := t.a
	b, h := &a.blocks[i/a.Heads], i%a.Heads
	c, d := a.width(), a.D
	k := (a.Heads + h*a.KVHeads/a.Heads) * d
	v := k + a.KVHeads*d
	rows := func(at, lo int) []float32 { return t.qkv[lo*c+at:] }
	var pieces [MaxPrefixes + 1]cache
	n := 0
	for _, x := range b.keys {
		if x.len() > 0 {
			pieces[n] = cache{rows(k, x.lo), rows(v, x.lo), x.len()}
			n++
		}
	}
	a.attend(t.p, w, t.ld, query{
		q: rows(h*d, b.lo), stride: c, m: b.hi - b.lo,
		out: t.out[b.lo*a.Heads*d+h*d:], outStride: a.Heads * d,
		lse: t.lse[b.lo*a.Heads+h:], lseStride: a.Heads,
		seen: b.seen(), step: 1,
	}, pieces[:n], c)
}
