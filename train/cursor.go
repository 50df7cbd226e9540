package train

import (
	"fmt"
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

	examples     *data.Store
	plan         *data.Plan
	accumulation int // micro-batches of a step
	batch        data.Batch
	epoch        int                   // that batches are of
	batches      [][]int               // rows of each micro-batch
	together     int                   // examples of a row of the plan
	members      []int                 // of the micro-batch
	begin        func(batches [][]int) // is told the micro-batches of a step before they are built; may be nil
}

// NewCursor stands at the beginning. With share the rows of a micro-batch share their common prefix.
func NewCursor(examples *data.Store, plan *data.Plan, accumulation int, share bool) *Cursor {
	return &Cursor{examples: examples, plan: plan, accumulation: accumulation, batch: data.Batch{Share: share},
		together: 1}
}

// prefers makes the rows of the plan the answers to one prompt.
func (c *Cursor) prefers(p *preferences) {
	c.together, c.begin = data.AnswersTogether, p.begin
	p.asksOf(&c.batch)
}

// Next gives the micro-batches of the next step and moves on behind them. Each is overwritten by the one after it.
// The last step of an epoch may have fewer than the others.
func (c *Cursor) Next() iter.Seq2[*data.Batch, error] {
	return func(yield func(*data.Batch, error) bool) {
		batches := c.upcoming()
		if c.begin != nil {
			c.begin(batches)
		}
		for _, rows := range batches {
			c.members = data.Members(c.members[:0], rows, c.together)
			err := c.examples.Batch(&c.batch, c.members)
			if !yield(&c.batch, err) || err != nil {
				return
			}
		}
		c.moveOn(len(batches))
	}
}

// upcoming are the rows of the micro-batches of the next step.
func (c *Cursor) upcoming() [][]int {
	batches := c.current()
	return batches[c.Position:min(c.Position+c.accumulation, len(batches))]
}

// moveOn moves behind the next n micro-batches, which are of one epoch.
func (c *Cursor) moveOn(n int) {
	c.Position += n
	if c.Position == c.inEpoch() {
		c.Place = Place{Epoch: c.Epoch + 1}
	}
}

// current returns the micro-batches of the epoch at hand.
func (c *Cursor) current() [][]int {
	if c.batches == nil || c.epoch != c.Epoch {
		c.batches, c.epoch = c.plan.Epoch(c.Epoch), c.Epoch
	}
	return c.batches
}

// inEpoch is the number of micro-batches of the epoch at hand, of which a plan may have the beginning only.
func (c *Cursor) inEpoch() int {
	if n := c.plan.Beginning(); n > 0 {
		return n
	}
	return len(c.current())
}

// reached refuses a place that is none of the run's after so many steps. With packing, epochs have numbers of
// micro-batches of their own, and only the place itself is looked at.
func (c *Cursor) reached(p Place, steps int) error {
	wrong := func(why string) error {
		return fmt.Errorf("epoch %d and position %d after step %d: %s", p.Epoch, p.Position, steps, why)
	}
	if p.Epoch < 0 || p.Position < 0 || p.Epoch > steps {
		return wrong("expected an epoch of the run, from 0, and a micro-batch of it")
	}
	at := *c
	at.Place = Place{Epoch: p.Epoch}
	at.batches = nil
	in := at.inEpoch()
	if p.Position >= in {
		return wrong(fmt.Sprintf("the epoch has %d micro-batches", in))
	}
	made := ceil(p.Position, c.accumulation) + p.Epoch*ceil(in, c.accumulation)
	if !c.plan.Packs() && made != steps {
		return wrong(fmt.Sprintf("it is the place after step %d", made))
	}
	return nil
}

// EpochStarts tells whether the next micro-batch is the first of an epoch.
func (c *Cursor) EpochStarts() bool { return c.Position == 0 }

// Passes returns how often the data were passed over so far.
func (c *Cursor) Passes() float64 {
	if c.EpochStarts() {
		return float64(c.Epoch)
	}
	return float64(c.Epoch) + float64(c.Position)/float64(c.inEpoch())
}

// mostShared is how many micro-batches are looked at for what they share.
const mostShared = 1000

// shared returns which part of the positions need not be computed since rows share prefixes, in the first micro-batches
// of the first epoch.
func (c *Cursor) shared() (float64, error) {
	if !c.batch.Share {
		return 0, nil
	}
	batches := c.plan.Epoch(0)
	batches = batches[:min(len(batches), mostShared)]
	if c.together > 1 {
		for k, groups := range batches {
			batches[k] = data.Members(nil, groups, c.together)
		}
	}
	saved, err := c.examples.Shared(&c.batch, batches)
	total, lengths := 0, c.examples.Lengths()
	for _, rows := range batches {
		for _, i := range rows {
			total += int(lengths[i])
		}
	}
	return float64(saved) / float64(max(total, 1)), err
}
