package train

import (
	"context"
	"fmt"

	"instruct/data"
	"instruct/train/recipe"
)

// highRate is the learning rate above which a loss of preferences usually ruins a model.
const highRate = 2e-5

// encodeAnswers is encode for a loss of preferences, of rows that are in memory: examples are two of each pair, or of
// each labelled answer.
func (d *dataset) encodeAnswers(ctx context.Context, r *recipe.Recipe, e *data.Encoder, o data.SetOptions) (err error) {
	k, _ := r.Preference()
	encode := func(rows []data.Row) (set *data.Set, a *answers, err error) {
		var examples []data.Example
		var audit *data.Audit
		var good []bool
		if k.Labelled {
			examples, good, audit, err = e.EncodeLabelled(ctx, rows, o.Threads, r.BatchSize)
		} else {
			examples, audit, err = e.EncodePairs(ctx, rows, o.Threads)
		}
		if err == nil {
			set, err = data.SetOf(rows, examples, audit, o)
		}
		return set, newAnswers(&k, examples, good), err
	}
	if d.train, d.answers, err = encode(d.rows); err != nil {
		return err
	}
	if len(d.evalRows) > 0 {
		if d.heldOut, d.heldOutAnswers, err = encode(d.evalRows); err != nil {
			return fmt.Errorf("held-out rows: %w", err)
		}
	}
	d.notes = append(d.notes, balance(d.answers.good, r)...)
	if r.LearningRate > highRate {
		d.notes = append(d.notes, fmt.Sprintf("learning_rate %g is high for a loss of preferences; TRL's is 1e-6",
			r.LearningRate))
	}
	return nil
}

// balance says where good and bad answers do not count about the same together: KTO's paper advises that the good ones
// count 1 to 4/3 times as much as the bad ones (arXiv:2402.01306, eq. 8).
func balance(labels []bool, r *recipe.Recipe) []string {
	good := 0
	for _, is := range labels {
		if is {
			good++
		}
	}
	bad := len(labels) - good
	share := float64(good) * r.Desirable / (float64(bad) * r.Undesirable)
	if good == 0 || bad == 0 || share >= 0.995 && share <= 4./3+0.005 {
		return nil
	}
	return []string{fmt.Sprintf("%d answers are good and %d bad: desirable_weight %.2f would let both count the same",
		good, bad, float64(bad)*r.Undesirable/float64(good))}
}
