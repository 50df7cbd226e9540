package attribute

import (
	"context"
	"fmt"

	"instruct/model/kernel"
	"instruct/model/pretrained"
	"instruct/train"
)

// Unroll scores every row of the run for each answer by differentiating the whole run ([train.Past.Unroll]): by how
// many nats the log-probability of the answer would fall, to first order, without the row.
func Unroll(ctx context.Context, p *train.Past, questions []Question, seen func(done, of int)) ([][]float64, error) {
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
