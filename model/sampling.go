package model

import (
	"cmp"
	"math"
	"slices"

	"instruct/model/kernel"
	"instruct/model/kernel/exact"
	"instruct/model/kernel/rng"
)

// Sampling says how the next token is chosen from the logits. The order of the steps is that of transformers:
// repetition penalty, temperature, top-k, top-p.
type Sampling struct {
	Temperature       float64 // 0: greedy
	TopK              int     // keep the k most likely tokens; 0: all
	TopP              float64 // keep the smallest set of tokens whose probability reaches p; 0 or 1: all
	RepetitionPenalty float64 // Keskar et al. 2019, arXiv:1909.05858; 0 or 1: none
	Seed              uint64
}

// Validate checks the ranges.
func (s Sampling) Validate() error {
	switch {
	case !(s.Temperature >= 0) || math.IsInf(s.Temperature, 0): // NaN is not
		return mistake("temperature is %g; it must be 0 (greedy) or more", s.Temperature)
	case s.TopK < 0:
		return mistake("top_k is %d; it must be 0 (all tokens) or more", s.TopK)
	case !(s.TopP >= 0 && s.TopP <= 1):
		return mistake("top_p is %g; it must be between 0 and 1", s.TopP)
	case !(s.RepetitionPenalty >= 0) || math.IsInf(s.RepetitionPenalty, 0):
		return mistake("repetition_penalty is %g; it must be positive (1 means none)", s.RepetitionPenalty)
	}
	return nil
}

// penalises says whether it matters which tokens occurred.
func (s *Sampling) penalises() bool { return s.RepetitionPenalty != 0 && s.RepetitionPenalty != 1 }

// nucleus says whether top-p leaves tokens out.
func (s *Sampling) nucleus() bool { return s.TopP > 0 && s.TopP < 1 }

// chooseTask makes of each row of logits what it is needed for: a token that is chosen, or what is said of one.
type chooseTask struct {
	d       *Decoder
	rows    []logitRow
	scratch []candidates // by worker
}

// logitRow is a row of logits: those for the token at position at of s, which is in its prompt or is chosen now.
type logitRow struct {
	s  *sequence
	at int
}

func (t *chooseTask) run() { t.d.graph.env.Pool.Do(len(t.rows), t) }

// Run implements kernel.Task.
func (t *chooseTask) Run(worker, i int) {
	row, v, c := t.rows[i], t.d.config.Vocab, &t.scratch[worker]
	s, logits := row.s, t.d.graph.Logits()[i*v:(i+1)*v]
	var x Said
	var all float64
	if s.Say != nil || s.Top > 0 {
		x.Top, all = c.likeliest(logits, s.Top)
	}
	if row.at < len(s.Prompt) {
		x.ID = s.Prompt[row.at]
	} else {
		x.ID = c.next(&s.Request, logits, s.seen, len(s.answer))
	}
	x.Logprob = float32(float64(logits[x.ID]) - all)
	if row.at < len(s.Prompt) {
		s.run.said[row.at-s.begins()] = x
	} else {
		s.latest = x
	}
}

// candidates is the scratch in which a token is chosen. Most of a vocabulary is never chosen, and to sort it takes
// longer than to choose: so candidates lie in a heap, and leave it in the order of their logits only until it is
// certain which one it is. What is chosen is always what sorting all of them gives, see choose.
type candidates struct {
	changed []float32   // logits, where a request changes them
	weights []float32   // of all tokens: exp of the scaled logits, relative to the largest, in float32
	sum     float64     // of the weights
	margin  float64     // relative error of that, at most
	heap    []candidate // the first one is the most likely
	order   []candidate // most likely first
	prob    []float64   // of order, unscaled: 1 for the first
}

type candidate struct {
	logit float32
	id    int32
}

// compare orders candidates, the most likely first, of equals the one of the lower id.
func (a candidate) compare(b candidate) int {
	return cmp.Or(cmp.Compare(b.logit, a.logit), cmp.Compare(a.id, b.id))
}

// before says whether a is more likely than b; there is no NaN in a heap.
func (a candidate) before(b candidate) bool {
	return a.logit > b.logit || a.logit == b.logit && a.id < b.id
}

// next chooses the step-th token of the answer to r; seen says which tokens occurred, where that matters.
func (c *candidates) next(r *Request, logits []float32, seen []bool, step int) int32 {
	s := &r.Sampling
	var allowed []uint64
	if r.Allowed != nil {
		allowed = r.Allowed()
	}
	if len(r.Bias) > 0 || s.penalises() || allowed != nil {
		c.changed = append(c.changed[:0], logits...)
		logits = c.changed
	}
	for id, by := range r.Bias {
		logits[id] += by
	}
	if s.penalises() {
		penalise(logits, seen, float32(s.RepetitionPenalty))
	}
	if allowed != nil {
		forbid(logits, allowed)
	}
	if s.Temperature == 0 {
		return argmax(logits)
	}
	u := rng.NewRand(s.Seed, "sample", uint64(step), 0)
	return c.choose(s, logits, u.Float64())
}

func penalise(logits []float32, seen []bool, p float32) {
	for id, seen := range seen {
		if !seen {
			continue
		}
		if logits[id] > 0 {
			logits[id] /= p
		} else {
			logits[id] *= p
		}
	}
}

// never is the logit of a token that is not allowed: its probability is 0 at every temperature.
var never = float32(math.Inf(-1))

// forbid leaves only the tokens whose bit is set.
func forbid(logits []float32, allowed []uint64) {
	for i := 0; i < len(logits); i += 64 {
		word := uint64(0)
		if i/64 < len(allowed) {
			word = allowed[i/64]
		}
		if word == math.MaxUint64 {
			continue
		}
		for j := range logits[i:min(i+64, len(logits))] {
			if word>>j&1 == 0 {
				logits[i+j] = never
			}
		}
	}
}

// choose gives the token at u, 0 to 1, of the probabilities of the candidates in their order. With top-k these are few
// and known. Else their sum, which u and top-p are shares of, is over the whole vocabulary. It is computed in float32
// first, with a bound of its error: mostly it is certain then which token it is, long before the last one is looked at.
func (c *candidates) choose(s *Sampling, logits []float32, u float64) int32 {
	c.weigh(logits, s.Temperature)
	for _, least := range []float32{0x1p-9, 0x1p-16, 0x1p-40} {
		if !(c.sum >= 0.5 && c.margin < 0.01) { // no numbers to rely on
			break
		}
		c.gather(logits, least)
		if s.TopK == 0 || s.TopK >= len(logits) {
			if id, certain := c.pick(s, u, least); certain {
				return id
			}
			continue
		}
		if len(c.heap) >= s.TopK {
			for range s.TopK {
				c.pop()
			}
			return c.draw(s, u)
		}
	}
	c.sort(logits, s.TopK)
	return c.draw(s, u)
}

// weigh computes the weights, their sum, and the relative error that it may have.
func (c *candidates) weigh(logits []float32, temperature float64) {
	if len(c.weights) != len(logits) {
		c.weights = make([]float32, len(logits))
	}
	var top float32
	top, c.sum = kernel.ScaledExp(c.weights, logits, float32(1/temperature))
	// A scaled logit is rounded three times before exp, and one that is 40 less than the largest adds nothing that counts.
	c.margin = 2e-5 + float64(4*0x1p-24*(math.Abs(float64(top))+40))
}

// gather makes the heap, of the tokens of at least that weight.
func (c *candidates) gather(logits []float32, least float32) {
	h := c.heap[:0]
	for id, w := range c.weights {
		if w >= least {
			h = append(h, candidate{logits[id], int32(id)})
		}
	}
	c.heap, c.order = h, c.order[:0]
	for i := len(h)/2 - 1; i >= 0; i-- {
		c.down(i)
	}
}

// down moves candidate i of the heap to its place below.
func (c *candidates) down(i int) {
	h := c.heap
	x := h[i]
	for {
		child := 2*i + 1
		if child >= len(h) {
			break
		}
		if child+1 < len(h) && h[child+1].before(h[child]) {
			child++
		}
		if x.before(h[child]) {
			break
		}
		h[i] = h[child]
		i = child
	}
	h[i] = x
}

// pop moves the most likely candidate from the heap to the end of the order.
func (c *candidates) pop() candidate {
	first, last := c.heap[0], len(c.heap)-1
	c.heap[0] = c.heap[last]
	c.heap = c.heap[:last]
	if last > 0 {
		c.down(0)
	}
	c.order = append(c.order, first)
	return first
}

// pick chooses among the candidates of at least that weight. It is not certain where the chosen one may not be among
// them, or where the error of the sum of all probabilities matters.
func (c *candidates) pick(s *Sampling, u float64, least float32) (id int32, certain bool) {
	share := u
	if s.nucleus() {
		share = s.TopP
	}
	low, high := share*c.sum*(1-c.margin), share*c.sum*(1+c.margin)
	c.prob = c.prob[:0]
	sum, top, refined := 0.0, c.heap[0].logit, false
	for len(c.heap) > 0 {
		x := c.pop()
		p := probability(x.logit, top, s.Temperature)
		c.prob = append(c.prob, p)
		before := sum
		sum += p
		if sum < low {
			continue
		}
		if (before >= low || sum <= high) && !refined {
			refined = true
			low, high = c.refine(sum, top, s.Temperature, least)
			low, high = share*low, share*high
		}
		switch {
		case sum < low:
		case before >= low || sum <= high:
			return 0, false
		case s.nucleus(): // these are all that top-p keeps
			return c.land(u, len(c.order), sum), true
		default:
			return x.id, true
		}
	}
	return 0, false
}

// refine bounds the sum of all probabilities more tightly: those of the candidates are added in float64, to the sum of
// those that have left the heap, and only what weighs less than least is known in float32.
func (c *candidates) refine(sum float64, top float32, temperature float64, least float32) (low, high float64) {
	for _, x := range c.heap {
		sum += probability(x.logit, top, temperature)
	}
	rest := 0.0
	for _, w := range c.weights {
		if w < least {
			rest += float64(w)
		}
	}
	low = float64(sum*(1-1e-10)) + float64(rest*(1-c.margin))
	high = float64(sum*(1+1e-10)) + float64(rest*(1+c.margin))
	return low, high
}

// probability is that of a logit relative to the largest one.
func probability(logit, top float32, temperature float64) float64 {
	return exact.Exp((float64(logit) - float64(top)) / temperature)
}

// sort makes the order of all candidates, or of the first k.
func (c *candidates) sort(logits []float32, k int) {
	c.order = c.order[:0]
	for id, l := range logits {
		if l != never {
			c.order = append(c.order, candidate{l, int32(id)})
		}
	}
	if len(c.order) == 0 { // nothing is likely
		c.order = append(c.order, candidate{never, 0})
	}
	slices.SortFunc(c.order, candidate.compare)
	if k > 0 {
		c.order = c.order[:min(k, len(c.order))]
	}
}

// draw chooses among the candidates in order, of which top-p keeps the first ones.
func (c *candidates) draw(s *Sampling, u float64) int32 {
	c.prob = c.prob[:0]
	sum := 0.0
	for _, x := range c.order {
		p := probability(x.logit, c.order[0].logit, s.Temperature)
		c.prob = append(c.prob, p)
		sum += p
	}
	if s.nucleus() {
		kept := 0.0
		for i, p := range c.prob {
			kept += p
			if kept >= s.TopP*sum {
				return c.land(u, i+1, kept)
			}
		}
	}
	return c.land(u, len(c.order), sum)
}

// land gives the candidate at u of the first n, whose probabilities have that sum.
func (c *candidates) land(u float64, n int, sum float64) int32 {
	left := float64(u * sum)
	for i, p := range c.prob[:n] {
		left -= p
		if left < 0 {
			return c.order[i].id
		}
	}
	return c.order[n-1].id
}

// likeliest gives the n likeliest tokens, and the logarithm of the sum of exp of all logits.
func (c *candidates) likeliest(logits []float32, n int) (t Top, all float64) {
	n = min(n, len(logits))
	c.weigh(logits, 1)
	for _, least := range []float32{0x1p-9, 0x1p-16, 0} {
		c.gather(logits, least)
		if len(c.heap) >= max(1, n) {
			break
		}
	}
	if len(c.heap) == 0 { // the logits are no numbers
		return t, math.NaN()
	}
	t = Top{IDs: make([]int32, n), Logprobs: make([]float32, n)}
	all = exact.Log(c.sum) + float64(c.heap[0].logit)
	for i := range n {
		x := c.pop()
		t.IDs[i], t.Logprobs[i] = x.id, float32(float64(x.logit)-all)
	}
	return t, all
}

// argmax returns the index of the largest value, the lowest of equals.
func argmax(x []float32) int32 {
	best := 0
	for i, v := range x {
		if v > x[best] {
			best = i
		}
	}
	return int32(best)
}
