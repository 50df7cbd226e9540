package train

import (
	"context"
	"math"

	"instruct/data"
)

// smoothRows is by how many rows the smoothness of a run is measured, at most.
const smoothRows = 16

// someRows are rows of steps at equal distances, the first step among them: there AdamW divides by the first gradients.
func (p *Past) someRows() []bool {
	some := make([]bool, p.Rows())
	visits := p.Visits()
	for i := range min(smoothRows, len(visits)) {
		some[visits[i*len(visits)/min(smoothRows, len(visits))][0]] = true
	}
	return some
}

// smoothness makes the run again with a little less weight of some rows, and without them, and gives the cosine of the
// two changes of the model's weights. Where a run is a straight function of what its rows weigh it is 1; where it is
// far below, what a little less of a row does, which is what a derivative says, is not what happens without it.
func (u *unroll) smoothness(ctx context.Context, steps int, some []bool) (float64, error) {
	whole := u.trainer.feed.objective
	defer func() { u.trainer.feed.objective = whole }()
	end, less := u.sum, u.along // which nothing else needs yet
	u.copyTo(end)
	for _, weight := range []float32{1 - 1.0/64, 0} {
		u.restore(u.kept[0])
		u.trainer.feed.objective = lessOf{some: some, weight: weight}
		for range steps {
			if err := ctx.Err(); err != nil {
				return 0, err
			}
			if _, err := u.trainer.Step(); err != nil {
				return 0, err
			}
			u.seen()
		}
		if weight > 0 {
			u.copyTo(less)
		}
	}
	both, one, two := 0.0, 0.0, 0.0
	for i, q := range u.params {
		for k, w := range end[i] {
			little, whole := float64(less[i][k])-float64(w), float64(q.Value[k])-float64(w)
			both += float64(little * whole)
			one += float64(little * little)
			two += float64(whole * whole)
		}
	}
	if one == 0 || two == 0 {
		return 1, nil // nothing moves
	}
	return both / math.Sqrt(one*two), nil
}

// copyTo copies the weights.
func (u *unroll) copyTo(weights [][]float32) {
	for i, q := range u.params {
		copy(weights[i], q.Value)
	}
}

// lessOf is the mean loss in which some rows weigh less, over the same divisor.
type lessOf struct {
	MaskedMean
	some   []bool
	weight float32
}

// Weigh implements [Objective].
func (o lessOf) Weigh(b *data.Batch) func([]float64, []float32) float64 {
	return func(logprobs []float64, weights []float32) (loss float64) {
		copy(weights, b.Weights)
		for k, row := range b.Rows {
			if row < 0 || !o.some[row] {
				continue
			}
			for n := b.Segments[k].Start; n < b.Segments[k].End; n++ {
				weights[n] *= o.weight
			}
		}
		for n, w := range weights {
			loss -= float64(float64(w) * logprobs[n])
		}
		return loss
	}
}
