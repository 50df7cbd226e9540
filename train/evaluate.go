package train

import (
	"context"
	"fmt"

	"instruct/data"
	"instruct/model"
	"instruct/model/kernel"
)

// evaluator measures the loss on held-out rows with a forward graph of its own over the same weights. The mean is over
// all trained tokens together, so it does not depend on how rows are put into batches.
type evaluator struct {
	graph   *model.Graph
	b       batcher
	batches [][]int
	trained int
}

// newEvaluator makes an evaluator that uses the arena of beside where it fits; beside may be nil.
func newEvaluator(pool *kernel.Pool, m *model.Model, examples []data.Example, rows int, share bool, beside *model.Graph) (*evaluator, error) {
	e := &evaluator{b: newBatcher(examples, share)}
	plan := evaluationPlan(examples, rows)
	e.batches = plan.Epoch(0)
	for i := range examples {
		e.trained += examples[i].Trained()
	}
	var err error
	e.graph, err = m.NewEvaluation(pool, plan.MaxTokens(), beside)
	return e, err
}

func evaluationPlan(examples []data.Example, rows int) *data.Plan {
	return data.NewPlan(data.Lengths(examples), data.PlanOptions{Rows: rows, Strategy: data.Sequential})
}

// loss returns the mean loss of a held-out trained token.
func (e *evaluator) loss(ctx context.Context) (float64, error) {
	sum := 0.0
	for _, idx := range e.batches {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		b, d := e.b.build(idx)
		s, err := e.graph.Run(b)
		if err != nil {
			return 0, err
		}
		if !finite(s) {
			return 0, fmt.Errorf("the held-out loss is %v; rows: %s; a lower learning_rate or a longer warm-up usually helps", s, badRows(e.graph, d, e.b.examples))
		}
		sum += s
	}
	return sum / float64(e.trained), nil
}
