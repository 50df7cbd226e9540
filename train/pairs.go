package train

import (
	"context"
	"fmt"
	"slices"

	"instruct/data"
	"instruct/train/recipe"
)

// highRate is the learning rate above which a loss of preferences usually ruins a model.
const highRate = 2e-5

// encodeAnswers is encode for a loss of preferences: examples are two of each pair, or of each labelled answer.
func (d *dataset) encodeAnswers(ctx context.Context, e *data.Encoder, r *recipe.Recipe, threads, vocab int,
) (err error) {
	k, _ := r.Preference()
	encode := func(rows []data.Row) (examples []data.Example, a *answers, audit *data.Audit, err error) {
		var good []bool
		if k.Labelled {
			examples, good, audit, err = e.EncodeLabelled(ctx, rows, threads, r.BatchSize)
		} else {
			examples, audit, err = e.EncodePairs(ctx, rows, threads)
		}
		return examples, newAnswers(&k, examples, good), audit, err
	}
	if d.examples, d.answers, d.audit, err = encode(d.train); err != nil {
		return err
	}
	if len(d.evalRows) > 0 {
		if d.heldOut, d.heldOutAnswers, _, err = encode(d.evalRows); err != nil {
			return fmt.Errorf("held-out rows: %w", err)
		}
	}
	d.notes = append(d.notes, d.audit.Notes()...)
	if r.LearningRate > highRate {
		d.notes = append(d.notes, fmt.Sprintf("learning_rate %g is high for a loss of preferences; TRL's is 1e-6",
			r.LearningRate))
	}
	return checkIDs(slices.Concat(d.examples, d.heldOut), vocab)
}
