package bench

import (
	"cmp"
	"context"
	"fmt"
	"os"

	"instruct/model/kernel"
	"instruct/train"
)

// recipeSteps measures the first steps that a recipe makes: its model, rows, order, batch and packing. Nothing is evaluated
// or saved.
func recipeSteps(ctx context.Context, o Options) (*Result, error) {
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
		return nil, fmt.Errorf("bench: %w", err)
	}
	defer os.RemoveAll(dir)
	name := r.Name()
	r.OutputDir, r.Resume = dir, ""
	r = r.Resolved()
	if err := r.Validate(); err != nil {
		return nil, err
	}
	r.Checkpointing = r.Checkpointing || o.Checkpointing
	s, err := train.NewSetup(ctx, &r, train.SetupOptions{Available: o.Available, SkipHeldOut: true})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if err := s.Model.ReadWeights(kernel.F32); err != nil {
		return nil, err
	}
	t, err := s.NewTrainer()
	if err != nil {
		return nil, err
	}
	defer t.Close()
	res := &Result{Recipe: name, DType: "fp32", Batch: r.BatchSize * r.Accumulation, Threads: s.Pool.Threads(),
		Kernels: kernel.Path(), Checkpointing: r.Checkpointing, EstimatedRSS: s.Memory.Total()}
	return res, res.measure(ctx, t, o.Steps, false)
}
