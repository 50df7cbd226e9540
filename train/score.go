package train

import (
	"context"

	"instruct/data"
	"instruct/model"
	"instruct/model/kernel"
)

// RowScore is what a model says of one row.
type RowScore struct {
	Row           int       `json:"row"`
	Source        string    `json:"source"`
	IDs           []int32   `json:"ids"`
	Mask          []int     `json:"mask"`
	Logprobs      []float64 `json:"logprobs"` // of the trained tokens, in order
	LossSum       float64   `json:"loss_sum"`
	TrainedTokens int       `json:"trained_tokens"`
}

// Score computes the log-probability of every trained token of the examples, and hands each row's result to emit, in
// order.
func Score(ctx context.Context, m *model.Model, pool *kernel.Pool, examples []data.Example,
	emit func(RowScore) error) error {
	if err := checkIDs(examples, m.Config.Vocab); err != nil {
		return err
	}
	h, err := newHeldOut(pool, m, heldOutOptions{examples: examples, rows: 1})
	if err != nil {
		return err
	}
	defer h.close()
	return h.each(ctx, func(loss, _ float64) error {
		e := &examples[h.batch.Rows[0]]
		s := RowScore{Row: e.Row, Source: e.Source, IDs: e.IDs, Mask: make([]int, len(e.Mask)), Logprobs: []float64{},
			LossSum: loss, TrainedTokens: h.batch.TrainedTokens}
		for i, trained := range e.Mask {
			if trained {
				s.Mask[i] = 1
			}
		}
		for i, l := range h.graph.Logprobs() {
			if h.batch.Weights[i] != 0 {
				s.Logprobs = append(s.Logprobs, l)
			}
		}
		return emit(s)
	})
}
