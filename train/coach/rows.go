package coach

import (
	"context"
	"slices"

	"instruct/data"
)

// extra are the rows of a lesson that are only trained: so many of them in each step, in turn, in micro-batches of
// their own behind that of the corrections. The loss gains the mean over their trained tokens.
type extra struct {
	rows    []data.Example
	batches [][]int // of the step, rows by their numbers
	batch   data.Batch
}

// most is the least number of positions that a micro-batch of rows may take: rows of a step that are longer together
// come in several, so that memory follows from the longest row and not from how many are in a step.
const most = 1024

// newExtra encodes rows.
func newExtra(ctx context.Context, e *data.Encoder, rows []data.Row) (x extra, err error) {
	if len(rows) > 0 {
		x.rows, _, err = e.EncodeAll(ctx, rows, 1)
	}
	return x, err
}

// capacity is the most positions of a micro-batch of rows.
func (x *extra) capacity() int {
	if len(x.rows) == 0 {
		return 0
	}
	return max(most, int(slices.Max(data.Lengths(x.rows))))
}

// length is the number of steps of a try. The first one goes over the rows so many times.
func (s *steps) length(try int) int {
	n := min(s.options.Rows, len(s.extra.rows))
	if n == 0 || try > 0 {
		return s.options.Steps
	}
	passes := (len(s.extra.rows)*s.options.Passes + n - 1) / n
	if len(s.new) == 0 {
		return passes
	}
	return max(passes, s.options.Steps)
}

// practise chooses the rows of the step and divides them into micro-batches.
func (s *steps) practise() {
	x := &s.extra
	x.batches = x.batches[:0]
	room := 0
	s.turn(len(x.rows), s.options.Rows, "rows", func(i int) {
		n := x.rows[i].Inputs()
		if n > room {
			x.batches = append(x.batches, nil)
			room = x.capacity()
		}
		last := len(x.batches) - 1
		x.batches[last] = append(x.batches[last], i)
		room -= n
	})
}

// give gives the micro-batches of the rows until no more are wanted. Their weights add up to 1.
func (x *extra) give(give func(*data.Batch) bool) {
	trained := 0
	for _, i := range slices.Concat(x.batches...) {
		trained += x.rows[i].Trained()
	}
	weight := float32(1 / float64(trained))
	for _, rows := range x.batches {
		b := &x.batch
		b.Share = true
		data.BuildBatch(b, x.rows, rows)
		for i, w := range b.Weights {
			if w != 0 {
				b.Weights[i] = weight
			}
		}
		if !give(b) {
			return
		}
	}
}
