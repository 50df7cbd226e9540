package train

import (
	"fmt"
	"slices"
	"strings"

	"instruct/data"
	"instruct/model/kernel"
)

// describe says what will be done.
func (u *run) describe() error {
	r, m, c, log := u.Recipe, u.Model, &u.Model.Config, u.o.Log
	tokens := 0
	for _, n := range u.rows.train.Lengths() {
		tokens += int(n)
	}
	shared, err := u.Cursor.shared()
	if err != nil {
		return err
	}
	fmt.Fprintf(log, "model     %s, %s parameters (%d layers, width %d, %d heads, vocabulary %d)\n", c.Family,
		count(m.Size()), c.Layers, c.Width, c.Heads, c.Vocab)
	if a := u.Model.Adapter(); a != nil {
		fmt.Fprintf(log, "adapter   %s parameters (%s) beside %s; all else is frozen, in %s\n",
			count(trainedValues(u.Model.Model)), kindText(a.R, a.Alpha, a.RSLoRA, a.DoRA),
			strings.Join(u.Model.TargetNames(), ", "), r.DType)
	}
	if r.Freezes() {
		fmt.Fprintf(log, "trained   %s of the parameters; all else is frozen\n", count(trainedValues(u.Model.Model)))
	}
	what, all := "rows", "an epoch"
	if u.preferences != nil {
		what = u.preferences.units()
	}
	if u.rows.beginning.Rows > 0 || len(r.DatasetWeights) > 0 {
		all = "in what was read"
	}
	fmt.Fprintf(log, "data      %d %s to train on, %d held out; %s tokens %s, %s trained\n", u.rows.count(), what,
		u.rows.countHeldOut(), count(tokens), all, count(u.rows.audit().TrainedTokens))
	for _, line := range slices.Concat(u.Model.Notes, u.rows.notes) {
		if u.o.Quiet {
			break
		}
		fmt.Fprintf(log, "          %s\n", data.Visible(line))
	}
	if shared > 0 {
		sharing := "rows of a micro-batch share their common prefix"
		if u.preferences != nil {
			sharing = "the answers to a prompt share it"
		}
		fmt.Fprintf(log, "          %s: %.0f %% of the tokens need not be computed again\n", sharing, 100*shared)
	}
	fmt.Fprintf(log, "run       %d steps of %d %s, %d threads (%s), about %s of memory, in %s\n", u.Steps,
		r.BatchSize*r.Accumulation, what, u.Pool.Threads(), kernel.Path(), bytesText(u.Memory.Total()), r.OutputDir)
	u.sayExplain()
	if d, peak := u.estimateTime(tokens, shared); d > 0 {
		fmt.Fprintf(log, "time      about %s of training, if steps reach %.0f %% of the %.0f GFLOP/s "+
			"that were measured here; progress shows a better estimate\n", timeText(d), 100*usualFraction, peak/1e9)
	}
	if u.resumed != "" {
		fmt.Fprintf(log, "resuming  after step %d, from %s\n", u.trainer.Done.Step, u.resumed)
	}
	return nil
}

// count writes a number of things shortly.
func count(n int) string {
	switch {
	case n >= 10_000_000:
		return fmt.Sprintf("%.0f M", float64(n)/1e6)
	case n >= 1_000_000:
		return fmt.Sprintf("%.2f M", float64(n)/1e6)
	case n >= 10_000:
		return fmt.Sprintf("%.0f k", float64(n)/1e3)
	}
	return fmt.Sprint(n)
}

// bytesText writes bytes in powers of ten.
func bytesText(n int64) string {
	if n >= 1e9 {
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	}
	return fmt.Sprintf("%.0f MB", float64(n)/1e6)
}
