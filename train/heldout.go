package train

import (
	"context"
	"fmt"

	"instruct/data"
	"instruct/model"
	"instruct/model/kernel"
)

// heldOut measures the loss on held-out rows with a forward graph of its own over the same weights. The mean is over
// all trained tokens together, so it does not depend on how rows are put into batches.
type heldOut struct {
	feed
	examples []data.Example
	batch    data.Batch
	batches  [][]int
}

// heldOutOptions say what is measured, and how.
type heldOutOptions struct {
	examples []data.Example
	rows     int          // of a micro-batch
	share    bool         // rows of a micro-batch share their common prefix
	beside   *model.Graph // whose arena is used where it fits; may be nil
}

func newHeldOut(pool *kernel.Pool, m *model.Model, o heldOutOptions) (*heldOut, error) {
	plan := evaluationPlan(o.examples, o.rows)
	g, err := m.NewEvaluation(pool, plan.MaxTokens(), o.beside)
	if err != nil {
		return nil, err
	}
	return &heldOut{feed: feed{graph: g, objective: MaskedMean{}}, examples: o.examples, batch: data.Batch{Share: o.share},
		batches: plan.Epoch(0)}, nil
}

func evaluationPlan(examples []data.Example, rows int) *data.Plan {
	return data.NewPlan(data.Lengths(examples), data.PlanOptions{Rows: rows, Strategy: data.Sequential})
}

// loss returns the mean loss of a held-out trained token, and how many there are.
func (h *heldOut) loss(ctx context.Context) (mean float64, trained int, err error) {
	sum, divisor := 0.0, 0.0
	for _, rows := range h.batches {
		if err := ctx.Err(); err != nil {
			return 0, 0, err
		}
		data.BuildBatch(&h.batch, h.examples, rows)
		loss, d, err := h.run(&h.batch)
		if err != nil {
			return 0, 0, err
		}
		if !finite(loss) {
			return 0, 0, fmt.Errorf("the held-out loss is %v; rows: %s; a lower learning_rate or a longer warm-up usually helps",
				loss, sources(h.examples, h.badRows(&h.batch)))
		}
		sum += loss
		divisor += d
		trained += h.batch.TrainedTokens
	}
	return sum / divisor, trained, nil
}

func (h *heldOut) close() { h.graph.Close() }
