package train

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"

	"instruct/model/kernel"
)

// benchRecipe measures the first steps that a recipe makes: its model, rows, order, batch and packing. Nothing is evaluated or saved.
func benchRecipe(ctx context.Context, o BenchOptions) (*BenchResult, error) {
	r := *o.Recipe
	if o.Batch != 0 || o.Seq != 0 || o.Profile {
		return nil, mistake("a recipe brings its own batch and sequences; --batch, --seq and --profile go with a preset")
	}
	if o.Steps = cmp.Or(o.Steps, 10); o.Steps < 1 {
		return nil, mistake("steps is %d; it must be at least 1", o.Steps)
	}
	if o.Threads > 0 {
		r.Threads = o.Threads
	}
	dir, err := os.MkdirTemp("", "instruct-bench-")
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	defer os.RemoveAll(dir)
	name := r.name()
	r.OutputDir, r.Resume = dir, ""
	r = r.Resolved()
	if err := r.Validate(); err != nil {
		return nil, err
	}
	r.Checkpointing = r.Checkpointing || o.Checkpointing
	t := &trainer{r: &r, o: Options{Log: io.Discard, Quiet: true, Available: o.Available}, pool: kernel.NewPool(r.Threads)}
	defer t.pool.Close()
	if err := t.load(ctx, ""); err != nil {
		return nil, err
	}
	t.set.heldOut = nil // held out still, but not measured
	if err := t.planRun(); err != nil {
		return nil, err
	}
	defer t.close()
	if err := t.assets.ReadWeights(); err != nil {
		return nil, err
	}
	if err := t.prepare(""); err != nil {
		return nil, err
	}
	t.progress = newProgress(t.o, t.total, 0, 1)
	res := &BenchResult{Recipe: name, DType: "fp32", Batch: r.BatchSize * r.Accumulation, Threads: t.pool.Threads(), Kernels: kernel.Path(),
		ActivationSize: t.graph.Bytes(), Checkpointing: r.Checkpointing, EstimatedRSS: t.memory.total()}
	batches := t.plan.Epoch(0)
	step := func() error {
		if t.st.Position == len(batches) {
			t.st.Epoch, t.st.Position = t.st.Epoch+1, 0
			batches = t.plan.Epoch(t.st.Epoch)
		}
		t.perEpoch = len(batches)
		end := min(t.st.Position+r.Accumulation, len(batches))
		if err := t.step(batches[t.st.Position:end]); err != nil {
			return err
		}
		t.st.Position = end
		return ctx.Err()
	}
	for range 2 {
		if err := step(); err != nil {
			return nil, err
		}
	}
	before := t.st.NumTokens
	times, err := res.measure(o.Steps, step)
	if err != nil {
		return nil, err
	}
	total := 0.0
	for _, ns := range times {
		total += ns
	}
	res.TokensPerSec = float64(t.st.NumTokens-before) / total * 1e9
	res.Loss = *t.metrics.rows[len(t.metrics.rows)-1].Loss
	return res, nil
}
