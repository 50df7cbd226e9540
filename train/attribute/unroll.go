package attribute

import (
	"context"
	"fmt"

	"instruct/model/kernel"
	"instruct/model/pretrained"
	"instruct/train"
)

// Unroll scores every row of the run for each answer by differentiating the whole run ([train.Past.Unroll]): by how
// many nats the log-probability of the answer would fall, to first order, without the row; and how smooth the run is,
// at most 1.
func Unroll(ctx context.Context, p *train.Past, questions []Question, seen func(done, of int)) (scores [][]float64,
	smooth float64, err error) {
	done, of := 0, p.UnrollCalls(len(questions))
	gradient := func(m *pretrained.Model, pool *kernel.Pool, i int) error {
		e := &questions[i].Example
		g, err := m.NewTraining(pool, e.Inputs(), false)
		if err != nil {
			return err
		}
		defer g.Close()
		_, err = g.Run(batchOf(e))
		return err
	}
	return p.Unroll(ctx, len(questions), gradient, func() {
		done++
		if seen != nil {
			seen(done, of)
		}
	})
}

// planUnroll says how much work unroll is.
func planUnroll(p *train.Past, questions int) string {
	runs := float64(p.UnrollCalls(questions)) / float64(len(p.Steps))
	text := fmt.Sprintf("unroll: the work of %.0f runs of %d steps", runs, len(p.Steps))
	if p.Seconds > 0 {
		text += fmt.Sprintf(", about %.0f s at the speed of the run", runs*p.Seconds)
	}
	return text
}

// smoothEnough is the smoothness of a run from which on unroll's ranking is worth something; docs/explain.md has the
// runs by which it was set.
const smoothEnough = 0.5

// roughNote is what a ranking by unroll is worth nothing for, "" where it is.
func roughNote(smooth float64) string {
	if smooth >= smoothEnough {
		return ""
	}
	return fmt.Sprintf("this ranking is worth little: the run is too rough to be differentiated (smoothness %.2f of 1, "+
		"and from %.1f on it is worth something); a larger adam_epsilon and a warm-up make a run smoother, and "+
		"--method trace stands without it", smooth, smoothEnough)
}
