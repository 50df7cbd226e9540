package train

import (
	"iter"

	"instruct/data"
)

// Place is where a run stands in its data. The order of the rows is a function of seed and epoch, so two numbers say
// it.
type Place struct {
	Epoch    int `json:"epoch"`    // epoch of the next micro-batch, from 0
	Position int `json:"position"` // micro-batches of that epoch already used
}

// Cursor walks over the rows of a run, epoch by epoch. A checkpoint stores its Place.
type Cursor struct {
	Place

	examples     []data.Example
	plan         *data.Plan
	accumulation int // micro-batches of a step
	batch        data.Batch
	epoch        int     // that batches are of
	batches      [][]int // rows of each micro-batch
}

// NewCursor stands at the beginning. With share the rows of a micro-batch share their common prefix.
func NewCursor(examples []data.Example, plan *data.Plan, accumulation int, share bool) *Cursor {
	return &Cursor{examples: examples, plan: plan, accumulation: accumulation, batch: data.Batch{Share: share}}
}

// Next gives the micro-batches of the next step and moves on behind them. Each is overwritten by the one after it.
// The last step of an epoch may have fewer than the others.
func (c *Cursor) Next() iter.Seq[*data.Batch] {
	return func(yield func(*data.Batch) bool) {
		batches := c.current()
		end := min(c.Position+c.accumulation, len(batches))
		for _, rows := range batches[c.Position:end] {
			data.BuildBatch(&c.batch, c.examples, rows)
			if !yield(&c.batch) {
				return
			}
		}
		c.Position = end
		if end == len(batches) {
			c.Place = Place{Epoch: c.Epoch + 1}
		}
	}
}

// current returns the micro-batches of the epoch at hand.
func (c *Cursor) current() [][]int {
	if c.batches == nil || c.epoch != c.Epoch {
		c.batches, c.epoch = c.plan.Epoch(c.Epoch), c.Epoch
	}
	return c.batches
}

// EpochStarts tells whether the next micro-batch is the first of an epoch.
func (c *Cursor) EpochStarts() bool { return c.Position == 0 }

// Passes returns how often the data were passed over so far.
func (c *Cursor) Passes() float64 {
	if c.EpochStarts() {
		return float64(c.Epoch)
	}
	return float64(c.Epoch) + float64(c.Position)/float64(len(c.current()))
}

// shared returns how many positions of the first epoch need not be computed since rows share prefixes.
func (c *Cursor) shared() int {
	if !c.batch.Share {
		return 0
	}
	return data.Shared(c.examples, c.plan.Epoch(0))
}
