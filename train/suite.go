package train

import (
	"context"
	"errors"
	"fmt"

	"instruct/train/eval"
)

// askBefore asks the untrained model what the data set's suite asks; a resumed run does not ask again.
func (u *run) askBefore(ctx context.Context) error {
	if u.rows.suite == nil || u.o.scratch {
		return nil
	}
	u.report = &eval.Report{Suite: u.rows.suite}
	if u.resumed != "" {
		return nil
	}
	fmt.Fprintf(u.o.Log, "asking the untrained model %d held-out instructions\n", len(u.rows.suite.Tests))
	var err error
	u.report.Before, err = u.ask(ctx)
	return err
}

// askAfter asks the trained one.
func (u *run) askAfter(ctx context.Context) (err error) {
	if u.report != nil {
		u.report.After, err = u.ask(ctx)
	}
	return err
}

func (u *run) ask(ctx context.Context) ([]eval.Sample, error) {
	session, err := u.Model.NewSession(u.Pool, eval.Rows)
	if err != nil {
		return nil, err
	}
	defer session.Close()
	samples, err := u.rows.suite.Ask(ctx, session)
	if !errors.Is(err, context.Canceled) {
		return samples, err
	}
	if u.trainer.Done.Step == 0 {
		return nil, u.interrupt()
	}
	fmt.Fprintf(u.said, "stopped; the model after step %d of %d is whole\n", u.trainer.Done.Step, u.Steps)
	return nil, ErrInterrupted
}
