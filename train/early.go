package train

import "fmt"

// take takes a held-out loss and tells whether it is the best so far. Only one that is better by more than a threshold
// ends the waiting of early stopping, as in transformers' EarlyStoppingCallback.
func (b *best) take(loss float64, step int, threshold float64) bool {
	before := *b
	better := b.Step == 0 || loss < b.Loss
	if better {
		b.Loss, b.Step = loss, step
	}
	b.Since++
	if before.Step == 0 || before.Loss-loss > threshold {
		b.Since = 0
	}
	return better
}

// early tells whether the held-out loss has not become better for early_stopping_patience evaluations.
func (u *run) early() bool {
	return u.Recipe.StopPatience > 0 && u.best.Since >= u.Recipe.StopPatience
}

// over tells whether no step is left to make.
func (u *run) over() bool { return u.trainer.Done.Step >= u.Steps || u.early() }

// sayEarly says why a run ended before its last step.
func (u *run) sayEarly() {
	if u.early() && u.trainer.Done.Step < u.Steps {
		fmt.Fprintf(u.o.Log, "stopped early after step %d of %d: no better held-out loss in %d evaluations than %.4f "+
			"of step %d\n", u.trainer.Done.Step, u.Steps, u.best.Since, u.best.Loss, u.best.Step)
	}
}
