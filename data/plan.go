package data

import (
	"fmt"
	"slices"

	"instruct/model/kernel/rng"
)

// The orders in which an epoch visits the rows.
const (
	Random        = "random"
	Sequential    = "sequential"
	GroupByLength = "group_by_length"
)

// groupBatches is how many micro-batches group_by_length sorts at a time, as in transformers' trainer.
const groupBatches = 50

// PlanOptions says how rows are ordered and put into micro-batches.
type PlanOptions struct {
	// Rows is the number of rows in a micro-batch (per_device_train_batch_size) without packing.
	Rows int
	// Packing fills micro-batches with whole rows up to Capacity positions instead.
	Packing bool
	// Capacity is the number of positions of a packed micro-batch. A longer row stands alone.
	Capacity int
	// Strategy is Random, Sequential or GroupByLength. Empty means Random.
	Strategy string
	// Seed keys the order of every epoch.
	Seed uint64
	// Order is the order of the rows where they are the beginning of an epoch that has Whole rows; there is no other
	// epoch then, and no packing.
	Order []int
	Whole int
	// Shares are the parts that the rows are of, one after the other, where an epoch mixes them ([Mixture]); a row may
	// then occur more than once in an epoch, or not at all.
	Shares []Share
}

// Validate says what is wrong with the options.
func (o PlanOptions) Validate() error {
	known := []string{"", Random, Sequential, GroupByLength}
	switch {
	case !slices.Contains(known, o.Strategy):
		return mistake("data: train_sampling_strategy %q is unknown; use %s, %s or %s",
			o.Strategy, Random, Sequential, GroupByLength)
	case o.Packing && o.Capacity < 1:
		return mistake("data: packing needs a capacity of at least 1 position, got %d", o.Capacity)
	case !o.Packing && o.Rows < 1:
		return mistake("data: per_device_train_batch_size must be at least 1, got %d", o.Rows)
	}
	return nil
}

// Plan divides the rows of each epoch into micro-batches. An epoch depends on the options and its number only.
type Plan struct {
	lengths []int32
	options PlanOptions
}

// NewPlan plans over rows of the given lengths (Lengths), which must stay as they are. It panics on options that
// Validate refuses.
func NewPlan(lengths []int32, o PlanOptions) *Plan {
	if err := o.Validate(); err != nil {
		panic(fmt.Sprintf("data: NewPlan: %v", err))
	}
	if o.Strategy == "" {
		o.Strategy = Random
	}
	return &Plan{lengths: lengths, options: o}
}

// Epoch gives the micro-batches of epoch e (from 0) as indices of rows. Every row occurs exactly once, except in a
// mixture.
func (p *Plan) Epoch(e int) [][]int {
	order := p.order(e)
	var batches [][]int
	start := 0
	tokens := 0
	for i, row := range order {
		full := i-start == p.options.Rows
		if p.options.Packing {
			full = i > start && tokens+int(p.lengths[row]) > p.options.Capacity
		}
		if full {
			batches = append(batches, order[start:i:i])
			start = i
			tokens = 0
		}
		tokens += int(p.lengths[row])
	}
	if start < len(order) {
		batches = append(batches, order[start:])
	}
	return batches
}

// Beginning is the number of micro-batches of the whole epoch of which the plan has the beginning; 0: it is no
// beginning.
func (p *Plan) Beginning() int {
	if p.options.Order == nil {
		return 0
	}
	return (p.options.Whole + p.options.Rows - 1) / p.options.Rows
}

// Packs tells whether micro-batches are filled, so that epochs may have different numbers of them.
func (p *Plan) Packs() bool { return p.options.Packing }

// order gives the rows of epoch e in the order of the strategy.
func (p *Plan) order(e int) []int {
	if p.options.Order != nil {
		return p.options.Order
	}
	var order []int
	if p.options.Shares != nil {
		order = p.mixed(e)
	} else {
		order = ordered[int](len(p.lengths), e, p.options)
	}
	if p.options.Strategy == GroupByLength {
		p.group(order)
	}
	return order
}

// ordered gives the numbers of n rows in the order of an epoch, but for their lengths.
func ordered[T int | uint32](n, epoch int, o PlanOptions) []T {
	order := make([]T, n)
	for i := range order {
		order[i] = T(i)
	}
	if o.Strategy != Sequential {
		r := rng.NewRand(o.Seed, "data order", uint64(epoch), 0)
		r.Shuffle(n, func(i, j int) { order[i], order[j] = order[j], order[i] })
	}
	return order
}

// group sorts runs of the shuffled order by length, longest first, and puts the longest row of all in front, so that
// a micro-batch that does not fit in memory shows itself at once.
func (p *Plan) group(order []int) {
	batch := max(p.options.Rows, 1)
	if p.options.Packing && len(order) > 0 {
		mean := max(sum(p.lengths)/len(order), 1)
		batch = max(p.options.Capacity/mean, 1)
	}
	runs := slices.Collect(slices.Chunk(order, groupBatches*batch))
	longest := 0
	for i, run := range runs {
		slices.SortStableFunc(run, func(a, b int) int { return int(p.lengths[b] - p.lengths[a]) })
		if p.lengths[run[0]] > p.lengths[runs[longest][0]] {
			longest = i
		}
	}
	if longest > 0 {
		// Swapping the two heads keeps every row in exactly one place.
		runs[0][0], runs[longest][0] = runs[longest][0], runs[0][0]
	}
}

// MaxTokens is a bound on the positions of any micro-batch of any epoch, for planning memory.
func (p *Plan) MaxTokens() int {
	switch {
	case len(p.lengths) == 0:
		return 0
	case p.options.Packing && p.options.Shares != nil:
		return max(p.longest(1), p.options.Capacity)
	case p.options.Packing:
		return max(p.longest(1), min(p.options.Capacity, sum(p.lengths)))
	case p.options.Strategy == Sequential && p.options.Shares == nil || p.options.Order != nil:
		bound := 0
		for _, batch := range p.Epoch(0) {
			n := 0
			for _, row := range batch {
				n += int(p.lengths[row])
			}
			bound = max(bound, n)
		}
		return bound
	}
	return p.longest(p.options.Rows)
}

// longest is the sum of the n longest rows, of which one may occur more than once in a mixture.
func (p *Plan) longest(n int) (total int) {
	counts := make([]int, slices.Max(p.lengths)+1) // by length
	most := p.most(n)
	for _, length := range p.lengths {
		counts[length]++
	}
	for length := len(counts) - 1; length >= 0 && n > 0; length-- {
		of := min(n, counts[length]*most)
		total += of * length
		n -= of
	}
	return total
}

func sum(list []int32) int {
	total := 0
	for _, n := range list {
		total += int(n)
	}
	return total
}
