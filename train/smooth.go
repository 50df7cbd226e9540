package train

import (
	"context"

	"instruct/data"
	"instruct/model/kernel/rng"
)

// smoothShare is the share of the rows by which the smoothness of a run is measured.
const smoothShare = 0.02

// someRows draws them: at least one, and none that is withheld as it is.
func (p *Past) someRows() []bool {
	some := make([]bool, p.Rows())
	n := max(1, int(smoothShare*float64(len(some))))
	r := rng.NewRand(p.Seed(), "explain smoothness", 0, 0)
	for _, i := range r.Perm(len(some)) {
		if e, err := p.Row(i); err != nil || e.Withheld {
			continue
		}
		some[i] = true
		if n--; n == 0 {
			break
		}
	}
	return some
}

// smoothness makes the run again with half the weight of some rows, and without them, and tells how far the second half
// of the way moves each weight of the model in the direction of the first, from -1 to 1: the mean of the signs' products,
// each weight by how far it moved. It is the empirical metasmoothness of Engstrom et al. 2025 (arXiv:2503.13751, section
// 3). Where a run is a straight function of what its rows weigh it is 1; near 0 its derivative says nothing of what
// happens without a row.
func (u *unroll) smoothness(ctx context.Context, steps int, some []bool) (float64, error) {
	ends := [][][]float32{u.like(value)}
	whole := u.trainer.feed.objective
	defer func() { u.trainer.feed.objective = whole }()
	for _, weight := range []float32{0.5, 0} {
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
		ends = append(ends, u.like(value))
	}
	same, all := 0.0, 0.0
	for i := range ends[0] {
		for k, w := range ends[0][i] {
			first, second := float64(ends[1][i][k])-float64(w), float64(ends[2][i][k])-float64(ends[1][i][k])
			far := max(first, -first)
			all += far
			switch {
			case first*second > 0:
				same += far
			case first*second < 0:
				same -= far
			}
		}
	}
	if all == 0 {
		return 1, nil // nothing moves
	}
	return same / all, nil
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
