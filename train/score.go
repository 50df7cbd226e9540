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
func Score(ctx context.Context, a *Assets, pool *kernel.Pool, examples []data.Example, emit func(RowScore) error) error {
	longest := 1
	for i := range examples {
		longest = max(longest, examples[i].Inputs())
		if err := model.CheckIDs(examples[i].IDs, a.Model.Config.Vocab); err != nil {
			return mistake("%s: %w", examples[i].Source, err)
		}
	}
	g, err := a.Model.NewEvaluation(pool, longest, nil)
	if err != nil {
		return err
	}
	defer g.Close()
	b := newBatcher(examples, false)
	for i := range examples {
		if err := ctx.Err(); err != nil {
			return err
		}
		e := &examples[i]
		s := RowScore{Row: e.Row, Source: e.Source, IDs: e.IDs, Mask: make([]int, len(e.Mask)), Logprobs: []float64{}}
		for j, m := range e.Mask {
			if m {
				s.Mask[j] = 1
			}
		}
		batch, d := b.build([]int{i})
		if s.LossSum, err = g.Run(batch); err != nil {
			return err
		}
		for j, l := range g.Logprobs() {
			if batch.Weights[j] != 0 {
				s.Logprobs = append(s.Logprobs, l)
			}
		}
		s.TrainedTokens = d.TrainedTokens
		if err := emit(s); err != nil {
			return err
		}
	}
	return nil
}
