package coach

import (
	"iter"

	"instruct/data"
	"instruct/model/kernel/rng"
)

// steps gives the micro-batch of one step after the other: every new correction, in one of its phrasings, some of the
// earlier ones, and some of the answers that are to stay: to prompts near the new corrections, and to others.
type steps struct {
	examples    []data.Example // all of them
	new         [][]int        // of each new correction, its phrasings
	broken      []int          // of the earlier corrections, those that are to be repaired
	earlier     [][]int        // of each earlier one
	all         []int          // answers to prompts near the new corrections, those that are made too
	near        []int          // of them, those that are trained
	earlierNear []int          // to prompts near earlier ones
	kept        []int          // to others
	first       int            // example of what is to stay; they come last
	answers     []Kept         // that those are of, in order
	extra       extra
	below       *below // the layers that are frozen; nil: they run with the others
	options     Options
	round       int
	step        int
	given       int // micro-batches of the step so far
	batch       data.Batch
	rows        []int
}

// add adds examples and gives their numbers.
func (s *steps) add(examples ...data.Example) []int {
	var numbers []int
	for _, e := range examples {
		numbers = append(numbers, len(s.examples))
		s.examples = append(s.examples, e)
	}
	return numbers
}

// longest is the most positions that a batch can have.
func (s *steps) longest() int {
	most := func(numbers []int) int {
		n := 0
		for _, i := range numbers {
			n = max(n, s.examples[i].Inputs())
		}
		return n
	}
	total, earlier := 0, 0
	for _, phrasings := range s.new {
		total += min(s.options.Phrasings, len(phrasings)) * most(phrasings)
	}
	for _, phrasings := range s.earlier {
		earlier = max(earlier, most(phrasings))
	}
	return total + min(s.options.Earlier, len(s.earlier))*earlier +
		min(s.options.NearRows, len(s.all))*most(s.all) +
		min(s.options.EarlierNear, len(s.earlierNear))*most(s.earlierNear) + min(s.options.KeptRows, len(s.kept))*most(s.kept)
}

// keep adds answers that are to stay, and gives their numbers. Nothing else may be added after them.
func (s *steps) keep(answers []Kept) []int {
	if len(s.answers) == 0 {
		s.first = len(s.examples)
	}
	s.answers = append(s.answers, answers...)
	var numbers []int
	for i := range answers {
		numbers = append(numbers, s.add(answers[i].example())...)
	}
	return numbers
}

// choose fills rows with the examples of the step.
func (s *steps) choose() {
	s.rows = s.rows[:0]
	for i, phrasings := range s.new {
		n := min(s.options.Phrasings, len(phrasings))
		for k := s.step * n; k < (s.step+1)*n; k++ {
			s.rows = append(s.rows, phrasings[s.pick("phrasing", i, k, len(phrasings))])
		}
	}
	earlier := func(i int) {
		s.rows = append(s.rows, s.earlier[i][s.pick("earlier phrasing", i, s.step, len(s.earlier[i]))])
	}
	again := min(len(s.broken), s.options.Earlier/2)
	s.turn(len(s.broken), again, "broken", func(i int) { earlier(s.broken[i]) })
	s.turn(len(s.earlier), s.options.Earlier-again, "earlier", earlier)
	s.turn(len(s.near), s.options.NearRows, "near", func(i int) { s.rows = append(s.rows, s.near[i]) })
	s.turn(len(s.earlierNear), s.options.EarlierNear, "earlier near", func(i int) {
		s.rows = append(s.rows, s.earlierNear[i])
	})
	s.turn(len(s.kept), s.options.KeptRows, "kept", func(i int) { s.rows = append(s.rows, s.kept[i]) })
}

// pick gives the k-th of n things, all of them before one comes again, in an order that the seed gives for i.
func (s *steps) pick(what string, i, k, n int) int {
	r := rng.NewRand(s.options.Seed, what, uint64(s.round)<<32|uint64(k/n), uint64(i))
	return r.Perm(n)[k%n]
}

// turn takes n of so many things, all of them before one comes again, in an order that the seed gives.
func (s *steps) turn(of, n int, what string, take func(i int)) {
	n = min(n, of)
	for k := s.step * n; k < (s.step+1)*n; k++ {
		take(s.pick(what, 0, k, of))
	}
}

// prepare makes the next step.
func (s *steps) prepare() error {
	s.choose()
	s.practise()
	s.step++
	s.given = 0
	if len(s.rows) == 0 {
		return nil
	}
	b := &s.batch
	b.Share = true
	soft, hidden := b.Soft, b.Hidden
	data.BuildBatch(b, s.examples, s.rows)
	b.Soft, b.Hidden = resized(soft, s.options.Top, len(b.Tokens)), hidden
	s.weigh(b)
	if s.below == nil {
		return nil
	}
	return s.below.fill(b, s.examples)
}

// Next implements train.Source: it gives the micro-batches of the step that was prepared.
func (s *steps) Next() iter.Seq2[*data.Batch, error] {
	return func(yield func(*data.Batch, error) bool) {
		give := func(b *data.Batch) bool {
			s.given++
			return yield(b, nil)
		}
		if len(s.rows) == 0 {
			s.extra.give(give)
			return
		}
		if give(&s.batch) {
			s.extra.give(give)
		}
	}
}

// resized gives empty distributions of n positions.
func resized(soft data.Soft, k, n int) data.Soft {
	if cap(soft.IDs) < k*n {
		soft.IDs, soft.Probs = make([]int32, k*n), make([]float32, k*n)
	}
	soft.K, soft.IDs, soft.Probs = k, soft.IDs[:k*n], soft.Probs[:k*n]
	clear(soft.IDs)
	clear(soft.Probs)
	return soft
}

// What a row of a step is, for its weight.
const (
	corrected = iota
	stays     // an answer that is to stay, to whatever is not near a correction, or to all
	nearby    // to a prompt near a correction, where these have a weight of their own
	kinds
)

// kind is what a row is.
func (s *steps) kind(row int) int {
	switch {
	case row < s.first || len(s.answers) == 0:
		return corrected
	case s.options.NearWeight > 0 && row < s.first+len(s.all)+len(s.earlierNear):
		return nearby
	}
	return stays
}

// weigh makes the loss the mean over the tokens of corrections plus, each times its weight, the means over those that
// are kept.
func (s *steps) weigh(b *data.Batch) {
	var tokens [kinds]int
	factors := [kinds]float64{1, s.options.KeptWeight, s.options.NearWeight}
	for i, row := range b.Rows {
		if row < 0 { // what the rows share
			continue
		}
		for _, w := range b.Weights[b.Segments[i].Start:b.Segments[i].End] {
			if w != 0 {
				tokens[s.kind(row)]++
			}
		}
	}
	for i, row := range b.Rows {
		if row < 0 {
			continue
		}
		kind, at := s.kind(row), b.Segments[i]
		if kind != corrected {
			s.answers[row-s.first].fill(b, at)
		}
		weight := float32(factors[kind] / float64(tokens[kind]))
		for j, w := range b.Weights[at.Start:at.End] {
			if w != 0 {
				b.Weights[at.Start+j] = weight
			}
		}
	}
}

// sum is the loss of weights that were made by weigh: nothing is left to divide the sum of a step's micro-batches by.
type sum struct{ of *steps }

// Divisor implements train.Objective.
func (s sum) Divisor(*data.Batch) float64 {
	if s.of.given > 1 {
		return 0
	}
	return 1
}

// Weigh implements train.Objective.
func (sum) Weigh(*data.Batch) func([]float64, []float32) float64 { return nil }
