package train

import (
	"context"
	"fmt"
	"math"

	"instruct/data"
	"instruct/model"
	"instruct/model/kernel"
	"instruct/train/preference"
)

// heldOut measures the loss on held-out rows with a forward graph of its own over the same weights. The mean is over
// all trained tokens together, so it does not depend on how rows are put into batches.
type heldOut struct {
	feed
	examples *data.Store
	batch    data.Batch
	batches  [][]int
	together int // rows of a unit of the batches

	listener *listener // of preferences, else nil
}

// heldOutOptions say what is measured, and how.
type heldOutOptions struct {
	examples *data.Store
	rows     int          // of a micro-batch
	share    bool         // rows of a micro-batch share their common prefix
	beside   *model.Graph // whose arena is used where it fits; may be nil
	prefers  *preferences // the loss is that; nil: the mean of the trained tokens
}

func newHeldOut(pool *kernel.Pool, m *model.Model, o heldOutOptions) (*heldOut, error) {
	together := 1
	if o.prefers != nil {
		together = data.AnswersTogether
	}
	lengths, err := o.examples.GroupLengths(together, o.share)
	if err != nil {
		return nil, err
	}
	plan := evaluationPlan(lengths, o.rows)
	g, err := m.NewEvaluation(pool, plan.MaxTokens(), o.beside)
	if err != nil {
		return nil, err
	}
	h := &heldOut{feed: feed{graph: g, objective: MaskedMean{}}, examples: o.examples, batch: data.Batch{Share: o.share},
		batches: plan.Epoch(0), together: together}
	if o.prefers != nil {
		o.prefers.asksOf(&h.batch)
		h.listener = &listener{preferences: o.prefers}
		h.objective = h.listener
	}
	return h, nil
}

func evaluationPlan(lengths []int32, rows int) *data.Plan {
	return data.NewPlan(lengths, data.PlanOptions{Rows: rows, Strategy: data.Sequential})
}

// each calls take with the summed loss of each micro-batch, which is in batch, and what it is to be divided by.
func (h *heldOut) each(ctx context.Context, take func(loss, divisor float64) error) error {
	var members []int
	for _, units := range h.batches {
		if err := ctx.Err(); err != nil {
			return err
		}
		members = data.Members(members[:0], units, h.together)
		if err := h.examples.Batch(&h.batch, members); err != nil {
			return err
		}
		loss, divisor, err := h.run(&h.batch)
		if err != nil {
			return err
		}
		if err := take(loss, divisor); err != nil {
			return err
		}
	}
	return nil
}

// heldOutLoss is the loss of held-out rows.
type heldOutLoss struct {
	Mean    float64                 // of a trained token
	Error   float64                 // standard error of Mean, from how micro-batches differ; 0 where there are too few
	Trained int                     // tokens
	Rewards *preference.EvalRewards // of preferences
}

// fewBatches are too few micro-batches to tell a standard error.
const fewBatches = 4

// loss measures the loss of the held-out rows.
func (h *heldOut) loss(ctx context.Context) (out heldOutLoss, err error) {
	if h.listener != nil {
		return h.preferenceLoss(ctx)
	}
	sum, divisor := 0.0, 0.0
	var parts [][2]float64
	err = h.each(ctx, func(loss, d float64) error {
		if !finite(loss) {
			return h.notFinite(loss)
		}
		sum += loss
		divisor += d
		out.Trained += h.batch.TrainedTokens
		parts = append(parts, [2]float64{loss, d})
		return nil
	})
	out.Mean = sum / divisor
	out.Error = ratioError(parts, out.Mean, divisor)
	return out, err
}

// notFinite names the rows of the micro-batch at hand.
func (h *heldOut) notFinite(loss float64) error {
	return fmt.Errorf("the held-out loss is %v; rows: %s; a lower learning_rate or a longer warm-up usually helps",
		loss, sources(h.examples, h.badRows(&h.batch)))
}

// ratioError is the standard error of a mean that is a ratio of sums, of which parts are the summands: that of the
// linearised ratio (Cochran 1977, Sampling Techniques, 2.11).
func ratioError(parts [][2]float64, mean, divisor float64) float64 {
	n := float64(len(parts))
	if n < fewBatches {
		return 0
	}
	squares := 0.0
	for _, p := range parts {
		d := p[0] - float64(mean*p[1])
		squares += float64(d * d)
	}
	return math.Sqrt(squares*n/(n-1)) / divisor
}

func (h *heldOut) close() { h.graph.Close() }
