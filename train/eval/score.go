package eval

import (
	"context"
	"fmt"
	"math"

	"instruct/data"
	"instruct/model"
	"instruct/model/kernel"
)

const (
	scoreRows      = 128  // examples that are put into micro-batches together, and handed out together
	scorePositions = 1024 // of a micro-batch, unless one example has more
)

// Score computes the log-probability, in nats, of every trained token of examples that have some: by the forward
// graph, so they are those that training sees. It hands them to emit, some examples at a time in their order, from that
// of index from on; they are emit's to keep. They do not depend on which examples are scored together, nor on the
// number of threads.
func Score(ctx context.Context, m *model.Model, pool *kernel.Pool, examples []data.Example,
	emit func(from int, logprobs [][]float64) error) error {
	var windows [][][]int
	most := 0
	for from := 0; from < len(examples); from += scoreRows {
		window := examples[from:min(from+scoreRows, len(examples))]
		for i := range window {
			if err := model.CheckIDs(window[i].IDs, m.Config.Vocab); err != nil {
				return mistake("%s: %w", window[i].Source, err)
			}
		}
		batches, positions := data.Group(window, scorePositions)
		windows = append(windows, batches)
		most = max(most, positions)
	}
	if most == 0 {
		return nil
	}
	g, err := m.NewEvaluation(pool, most, nil)
	if err != nil {
		return err
	}
	defer g.Close()
	s := scoring{graph: g, batch: data.Batch{Nested: true}}
	for w, batches := range windows {
		from := w * scoreRows
		window := examples[from:min(from+scoreRows, len(examples))]
		logprobs := make([][]float64, len(window))
		for _, rows := range batches {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := s.run(window, rows, logprobs); err != nil {
				return err
			}
		}
		if err := emit(from, logprobs); err != nil {
			return err
		}
	}
	return nil
}

// scoring hands micro-batches to a graph.
type scoring struct {
	graph    *model.Graph
	batch    data.Batch
	segments []model.Segment
}

// run scores the examples that rows name, and gives the log-probabilities to their places.
func (s *scoring) run(examples []data.Example, rows []int, logprobs [][]float64) error {
	b := &s.batch
	data.BuildBatch(b, examples, rows)
	s.segments = s.segments[:0]
	for _, segment := range b.Segments {
		s.segments = append(s.segments, model.Segment(segment))
	}
	if _, err := s.graph.Run(model.Batch{Tokens: b.Tokens, Positions: b.Positions, Targets: b.Targets,
		Weights: b.Weights, Segments: s.segments}); err != nil {
		return err
	}
	all := s.graph.Logprobs()
	for k, row := range b.Rows {
		if row < 0 {
			continue // a prefix that the rows share, of which nothing is trained
		}
		for i := b.Segments[k].Start; i < b.Segments[k].End; i++ {
			if b.Weights[i] == 0 {
				continue
			}
			if math.IsNaN(all[i]) || math.IsInf(all[i], 0) {
				return fmt.Errorf("%s: a log-probability is %v; are the weights of the model finite?", examples[row].Source, all[i])
			}
			logprobs[row] = append(logprobs[row], all[i])
		}
	}
	return nil
}

// RowScore is what a model says of one row of a data set.
type RowScore struct {
	Row      int       `json:"row"`
	Source   string    `json:"source"`
	IDs      []int32   `json:"ids"`
	Mask     []int     `json:"mask"`
	Logprobs []float64 `json:"logprobs"` // of the trained tokens, in order
	Loss
}

// ScoreRows is [Score] that says everything of a row.
func ScoreRows(ctx context.Context, m *model.Model, pool *kernel.Pool, examples []data.Example,
	emit func(RowScore) error) error {
	return Score(ctx, m, pool, examples, func(from int, logprobs [][]float64) error {
		for k, l := range logprobs {
			if err := emit(newRowScore(&examples[from+k], l)); err != nil {
				return err
			}
		}
		return nil
	})
}

func newRowScore(e *data.Example, logprobs []float64) RowScore {
	s := RowScore{Row: e.Row, Source: e.Source, IDs: e.IDs, Mask: make([]int, len(e.Mask)), Logprobs: logprobs,
		Loss: lossOf(logprobs)}
	for i, trained := range e.Mask {
		if trained {
			s.Mask[i] = 1
		}
	}
	return s
}
