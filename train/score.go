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
	longest := 1
	for i := range examples {
		longest = max(longest, examples[i].Inputs())
	}
	g, err := m.NewEvaluation(pool, longest, nil)
	if err != nil {
		return err
	}
	defer g.Close()
	f := feed{graph: g, objective: MaskedMean{}}
	var b data.Batch
	for i := range examples {
		if err := ctx.Err(); err != nil {
			return err
		}
		data.BuildBatch(&b, examples, []int{i})
		e := &examples[i]
		s := RowScore{Row: e.Row, Source: e.Source, IDs: e.IDs, Mask: make([]int, len(e.Mask)), Logprobs: []float64{},
			TrainedTokens: b.TrainedTokens}
		for j, trained := range e.Mask {
			if trained {
				s.Mask[j] = 1
			}
		}
		if s.LossSum, _, err = f.run(&b); err != nil {
			return err
		}
		for j, l := range g.Logprobs() {
			if b.Weights[j] != 0 {
				s.Logprobs = append(s.Logprobs, l)
			}
		}
		if err := emit(s); err != nil {
			return err
		}
	}
	return nil
}
