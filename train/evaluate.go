package train

import (
	"context"
	"errors"
	"fmt"

	"instruct/model/kernel/exact"
)

// evaluate measures the held-out loss, and tells whether it is the best so far.
func (u *run) evaluate(ctx context.Context) (better bool, err error) {
	u.metrics.note("evaluating")
	step := u.trainer.Done.Step
	var loss heldOutLoss
	err = u.trainer.ema.during(func() (err error) {
		loss, err = u.heldOut.loss(ctx)
		return err
	})
	if err != nil {
		when := fmt.Sprintf("after step %d", step)
		if step == 0 {
			when = "before the first step"
		}
		return false, fmt.Errorf("evaluation %s: %w", when, err)
	}
	row := Metric{Step: step, Epoch: u.Cursor.Passes(), EvalLoss: &loss.Mean,
		EvalError: loss.Error, EvalTokens: loss.Trained}
	row.EvalRewards = loss.Rewards
	if p := exact.Exp(loss.Mean); finite(p) && loss.Rewards == nil {
		row.EvalPerplexity = p
	}
	if err := u.metrics.add(row); err != nil {
		return false, err
	}
	return step > 0 && u.best.take(loss.Mean, step, u.Recipe.StopThreshold), nil
}

// evaluateBefore measures the held-out loss before the first step, to which every later one is compared.
func (u *run) evaluateBefore(ctx context.Context) error {
	if u.heldOut == nil || u.Recipe.EvalStrategy == "no" || u.trainer.Done.Step > 0 {
		return nil
	}
	_, err := u.evaluate(ctx)
	if errors.Is(err, context.Canceled) {
		return u.interrupt()
	}
	return err
}
