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
	memory := 16*m.Size() + t.graph.ArenaBytes()
	fmt.Fprintf(t.o.Log, "run       %d steps of %d rows, %d threads (%s), about %s of memory, in %s\n", t.total, t.r.BatchSize*t.r.Accumulation, t.pool.Threads(), kernel.Path(), bytesText(memory), t.r.OutputDir)
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

func bytesText(n int) string {
	if n >= 1<<30 {
		return fmt.Sprintf("%.1f GB", float64(n)/(1<<30))
	}
	return fmt.Sprintf("%.0f MB", float64(n)/(1<<20))
}
