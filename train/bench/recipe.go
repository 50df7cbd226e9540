package bench

import (
	"cmp"
	"context"

	"instruct/model/kernel"
	"instruct/train"
)

// recipeSteps measures the first steps that a recipe makes: its model, rows, order, batch and packing. Nothing is
// evaluated or saved.
func recipeSteps(ctx context.Context, o Options) (*Result, error) {
	r := *o.Recipe
	if o.Batch != 0 || o.Seq != 0 || o.Profile {
		return nil, mistake("a recipe brings its own batch and sequences; " +
			"--batch, --seq and --profile go with a preset")
	}
	o.Steps = cmp.Or(o.Steps, 10)
	if o.Steps < 1 {
		return nil, mistake("steps is %d; it must be at least 1", o.Steps)
	}
	if o.Threads > 0 {
		r.Threads = o.Threads
	}
	r.Resume = ""
	r = r.Resolved()
	if err := r.Validate(); err != nil {
		return nil, err
	}
	r.Checkpointing = r.Checkpointing || o.Checkpointing
	s, err := train.NewSetup(ctx, &r, train.SetupOptions{Available: o.Available, SkipHeldOut: true,
		Steps: o.Steps + warmUp})
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
	res := &Result{Recipe: r.Name(), DType: r.DType, Batch: r.BatchSize * r.Accumulation, Threads: s.Pool.Threads(),
		Kernels: kernel.Path(), Checkpointing: r.Checkpointing, EstimatedRSS: s.Memory.Total()}
	return res, res.measure(ctx, t, o.Steps, false)
}
