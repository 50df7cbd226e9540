package train

import (
	"fmt"

	"instruct/data"
	"instruct/model/kernel"
)

// describe says what will be done.
func (t *trainer) describe(checkpoint string) {
	m, c := t.assets.Model, &t.assets.Model.Config
	tokens := 0
	for _, n := range data.Lengths(t.set.train) {
		tokens += n
	}
	fmt.Fprintf(t.o.Log, "model     %s, %s parameters (%d layers, width %d, %d heads, vocabulary %d)\n", c.Family, count(m.Size()), c.Layers, c.Width, c.Heads, c.Vocab)
	fmt.Fprintf(t.o.Log, "data      %d rows to train on, %d held out; %s tokens an epoch, %s trained\n", len(t.set.train), len(t.set.heldOut), count(tokens), count(t.set.audit.TrainedTokens))
	if t.r.SharePrefix {
		if saved := data.Shared(t.set.train, t.plan.Epoch(0)); saved > 0 {
			t.set.notes = append(t.set.notes, fmt.Sprintf("rows of a micro-batch share their common prefix: %.0f %% of the tokens need not be computed again", 100*float64(saved)/float64(tokens)))
		}
	}
	for _, line := range t.set.notes {
		fmt.Fprintf(t.o.Log, "          %s\n", line)
	}
	fmt.Fprintf(t.o.Log, "run       %d steps of %d rows, %d threads (%s), about %s of memory, in %s\n", t.total, t.r.BatchSize*t.r.Accumulation, t.pool.Threads(), kernel.Path(), bytesText(t.memory.total()), t.r.OutputDir)
	if d, peak := t.estimateTime(tokens); d > 0 {
		fmt.Fprintf(t.o.Log, "time      about %s of training, if steps reach %.0f %% of the %.0f GFLOP/s that were measured here; progress shows a better estimate\n", timeText(d), 100*usualFraction, peak/1e9)
	}
	if checkpoint != "" {
		fmt.Fprintf(t.o.Log, "resuming  after step %d, from %s\n", t.st.Step, checkpoint)
	}
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
