package coach

import (
	"slices"

	"instruct/data"
	"instruct/model"
)

// below runs the layers that are frozen, once for each example: what they give of it stays the same in every step.
type below struct {
	graph    *model.Graph // of the frozen layers
	width    int
	hidden   [][]float32 // of each example, (Inputs, width); nil: it has not run yet
	batch    data.Batch
	segments []model.Segment
}

// newBelow makes the graph of the layers below the given one, for batches of up to capacity positions.
func (t *teacher) newBelow(s *steps, layer, capacity int) (*below, error) {
	g, err := t.model.NewLower(t.pool, capacity, layer)
	if err != nil {
		return nil, err
	}
	return &below{graph: g, width: t.model.Config.Width, hidden: make([][]float32, len(s.examples))}, nil
}

// close gives the graph's memory back. x may be nil.
func (x *below) close() {
	if x != nil {
		x.graph.Close()
	}
}

// fill gives a batch of examples what the layers below give of it.
func (x *below) fill(b *data.Batch, examples []data.Example) error {
	var missing []int
	for _, row := range b.Rows {
		if row >= 0 && x.hidden[row] == nil {
			missing = append(missing, row)
			x.hidden[row] = make([]float32, examples[row].Inputs()*x.width)
		}
	}
	if len(missing) > 0 {
		if err := x.run(examples, missing); err != nil {
			return err
		}
	}
	n := len(b.Tokens) * x.width
	b.Hidden = slices.Grow(b.Hidden[:0], n)[:n]
	x.each(b, func(at, row []float32) { copy(at, row) }, b.Hidden)
	return nil
}

// run runs the layers on examples that have not run yet.
func (x *below) run(examples []data.Example, rows []int) error {
	b := &x.batch
	b.Share = true
	data.BuildBatch(b, examples, rows)
	x.segments = x.segments[:0]
	for _, s := range b.Segments {
		x.segments = append(x.segments, model.Segment(s))
	}
	if _, err := x.graph.Run(model.Batch{Tokens: b.Tokens, Positions: b.Positions, Targets: b.Targets,
		Weights: b.Weights, Segments: x.segments}); err != nil {
		return err
	}
	x.each(b, func(at, row []float32) { copy(row, at) }, x.graph.Hidden())
	return nil
}

// each pairs what a batch has of each row, and of what it shares with others, with the row's own.
func (x *below) each(b *data.Batch, pair func(at, row []float32), all []float32) {
	for i, row := range b.Rows {
		if row < 0 {
			continue
		}
		s, h := b.Segments[i], x.hidden[row]
		shared := (s.PrefixEnd - s.PrefixStart) * x.width
		pair(all[s.PrefixStart*x.width:s.PrefixEnd*x.width], h[:shared])
		pair(all[s.Start*x.width:s.End*x.width], h[shared:])
	}
}
