// Package bench measures training steps and inference: time, processor time, memory and allocations.
package bench

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"time"

	"instruct/data"
	"instruct/model"
	"instruct/model/kernel"
	"instruct/model/kernel/rng"
	"instruct/train"
	"instruct/train/machine"
	"instruct/train/recipe"
)

// Options choose what [Steps] and [Generate] measure; zero values take the preset's, or the defaults named here.
type Options struct {
	Preset  string // a shape with random weights
	Steps   int    // to measure; 10. Of Generate rounds; 3
	Seq     int    // tokens of a row. Of Generate those of the prompt; 256
	Threads int
	DType   kernel.DType // of the weights in matrix products; Steps knows F32 and BF16
	Profile bool         // break the steps, or the decoding, down by op

	// Of Steps.
	Recipe        *recipe.Recipe // measure its model, data and batch in place of a preset's
	Batch         int
	Checkpointing bool                          // compute layers again in the backward pass
	Available     func() (bytes int64, ok bool) // memory that can be had; nil: ask the system

	// Of Generate.
	Model     string         // a folder or .gguf file in place of a preset
	NewTokens int            // decoded after the prompt, one by one; 128
	Rows      int            // prompts that are answered at one time; 1
	Sampling  model.Sampling // with a temperature decoding is measured twice, greedy and so
}

// OpTime is the mean time of one kind of op in a step, over all layers. Its speed is known of the matrix products of a
// preset, of AdamW and, in decoding, of what reads weights; it counts the least that there is to do.
type OpTime struct {
	Name         string  `json:"name"`
	Ns           float64 `json:"ns_per_step"`
	GFLOPS       float64 `json:"gflops,omitempty"`
	PeakFraction float64 `json:"peak_fraction,omitempty"`
	GBPerSec     float64 `json:"gigabytes_per_second,omitempty"` // from and to memory
}

// updateName is the global norm with AdamW in a profile.
const updateName = "norm and AdamW"

// Result is one measurement of training steps: a preset's with random weights and every token trained, or a recipe's.
type Result struct {
	Preset         string  `json:"preset"`
	Recipe         string  `json:"recipe,omitempty"`
	DType          string  `json:"dtype"`
	Batch          int     `json:"batch"`
	Seq            int     `json:"seq"` // with a recipe 0: its rows have lengths of their own
	Threads        int     `json:"threads"`
	Kernels        string  `json:"kernels"`
	NsPerStep      float64 `json:"ns_per_step"`     // median
	CPUNsPerStep   float64 `json:"cpu_ns_per_step"` // mean of all threads together; 0 where it is not known
	TokensPerSec   float64 `json:"tokens_per_second"`
	GFLOPS         float64 `json:"gflops"`
	PeakGFLOPS     float64 `json:"peak_gflops"` // multiply-adds in registers, measured in this process; 0: could not be
	PeakFraction   float64 `json:"peak_fraction"`
	PeakRSS        int64   `json:"peak_rss_bytes"`
	Checkpointing  bool    `json:"gradient_checkpointing"`
	EstimatedRSS   int64   `json:"estimated_rss_bytes"` // computed before the first step
	AllocsPerStep  float64 `json:"allocs_per_step"`
	ActivationSize int     `json:"activation_bytes"`
	Loss           float64 `json:"loss"` // mean over the last step's trained tokens; of exact bits

	Profile []OpTime `json:"profile,omitempty"` // longest first
}

// Steps measures training steps: forward, backward, global norm and AdamW.
func Steps(ctx context.Context, o Options) (*Result, error) {
	if o.Recipe != nil {
		return recipeSteps(ctx, o)
	}
	p, c, err := findPreset(o.Preset)
	if err != nil {
		return nil, err
	}
	o.Batch = cmp.Or(o.Batch, p.batch)
	o.Seq = cmp.Or(o.Seq, p.seq)
	o.Steps = cmp.Or(o.Steps, 10)
	switch {
	case o.Batch < 1 || o.Seq < 2 || o.Steps < 1:
		return nil, mistake("batch, seq and steps must be positive, seq at least 2")
	case o.Seq > c.MaxLength:
		return nil, mistake("seq is %d; preset %s reads at most %d positions", o.Seq, p.name, c.MaxLength)
	}
	return presetSteps(ctx, p.name, c, o)
}

// presetSteps measures steps of a model with random weights on one batch of random tokens.
func presetSteps(ctx context.Context, name string, c model.Config, o Options) (*Result, error) {
	pool := kernel.NewPool(o.Threads)
	defer pool.Close()
	r := recipe.Default()
	r.Scheduler, r.DType, r.Checkpointing = "constant", o.DType.String(), o.Checkpointing
	m, err := model.Outline(c)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	need, err := train.EstimateMemory(m, train.Workload{DType: o.DType, Tokens: o.Batch * o.Seq,
		Threads: pool.Threads(), Checkpointing: o.Checkpointing, Optim: r.Optim})
	if err != nil {
		return nil, err
	}
	advice := "use a smaller --batch or --seq"
	if !o.Checkpointing {
		advice += ", or --gradient_checkpointing"
	}
	if err := need.Check(o.Available, advice); err != nil {
		return nil, err
	}
	if err := m.Allocate(); err != nil {
		return nil, err
	}
	m.Init(1)
	t, err := train.NewTrainer(train.TrainerOptions{Pool: pool, Model: m, Recipe: &r, Capacity: o.Batch * o.Seq,
		Source: randomRows(o.Batch, o.Seq, c.Vocab), Objective: train.MaskedMean{}})
	if err != nil {
		return nil, err
	}
	defer t.Close()
	res := &Result{Preset: name, DType: o.DType.String(), Batch: o.Batch, Seq: o.Seq, Threads: pool.Threads(),
		Kernels: kernel.Path(), Checkpointing: o.Checkpointing, EstimatedRSS: need.Total()}
	before := pool.PeakFLOPS(m.Rounds)
	if err := res.measure(ctx, t, o.Steps, o.Profile); err != nil {
		return nil, err
	}
	tokens := float64(o.Batch * o.Seq)
	res.TokensPerSec = tokens / res.NsPerStep * 1e9
	res.GFLOPS = tokens * (train.BodyFLOPs(m, float64(o.Seq)) + train.HeadFLOPs(m)) / res.NsPerStep
	res.against(max(before, pool.PeakFLOPS(m.Rounds)) / 1e9)
	limit(res.Profile, stepWork(m, tokens, float64(o.Seq)), res.PeakGFLOPS)
	return res, nil
}

// against says how near the steps came to a peak, in GFLOP/s. One that they passed was not the peak: other programs had
// the cores while it was measured, and nothing is said.
func (r *Result) against(peak float64) {
	if peak > r.GFLOPS {
		r.PeakGFLOPS, r.PeakFraction = peak, r.GFLOPS/peak
	}
}

// warmUp is how many steps are made before those that are measured.
const warmUp = 2

// measure makes two steps that do not count and times n after them, one by one. It fills in what is known without
// knowing the model; the tokens a second are those of all n steps together.
func (r *Result) measure(ctx context.Context, t *train.Trainer, n int, profiled bool) error {
	r.ActivationSize = t.Graph.Bytes()
	for range warmUp {
		if _, err := t.Step(); err != nil {
			return err
		}
	}
	if profiled {
		t.Graph.Profile()
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	cpu := machine.CPUTime()
	times := make([]float64, n)
	tokens := 0
	var total, update time.Duration
	for i := range times {
		s, err := t.Step()
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		times[i] = float64(s.Time)
		tokens += s.Tokens
		total += s.Time
		update += s.Update
		r.Loss = s.Loss
	}
	r.CPUNsPerStep = float64(machine.CPUTime()-cpu) / float64(n)
	runtime.ReadMemStats(&after)
	r.AllocsPerStep = float64(after.Mallocs-before.Mallocs) / float64(n)
	r.NsPerStep = slices.Sorted(slices.Values(times))[n/2]
	r.TokensPerSec = float64(tokens) / total.Seconds()
	r.PeakRSS = machine.PeakRSS()
	if profiled {
		ops := t.Graph.Spent()
		ops[updateName] = update
		r.Profile = profile(ops, total, n)
	}
	return nil
}

// profile turns the times of ops into a table; what no op accounts for is the graph's machine.
func profile(ops map[string]time.Duration, total time.Duration, steps int) []OpTime {
	rest := total
	var out []OpTime
	for name, d := range ops {
		out = append(out, OpTime{Name: name, Ns: float64(d) / float64(steps)})
		rest -= d
	}
	out = append(out, OpTime{Name: "graph", Ns: float64(rest) / float64(steps)})
	slices.SortFunc(out, func(a, b OpTime) int {
		return cmp.Or(cmp.Compare(b.Ns, a.Ns), cmp.Compare(a.Name, b.Name))
	})
	return out
}

// repeated is one micro-batch again and again.
type repeated struct{ batch data.Batch }

// Next implements train.Source.
func (r *repeated) Next() iter.Seq2[*data.Batch, error] {
	return func(yield func(*data.Batch, error) bool) { yield(&r.batch, nil) }
}

// randomRows are rows of seq random tokens, all trained.
func randomRows(rows, seq, vocab int) *repeated {
	b := data.Batch{TrainedTokens: rows * seq, RowTokens: rows * seq}
	r := rng.NewRand(1, "bench", 0, 0)
	for i := range rows {
		b.Segments = append(b.Segments, data.Segment{Start: i * seq, End: (i + 1) * seq})
		b.Rows = append(b.Rows, i)
		for j := range seq {
			b.Tokens = append(b.Tokens, int32(r.Intn(vocab)))
			b.Positions = append(b.Positions, int32(j))
			b.Targets = append(b.Targets, int32(r.Intn(vocab)))
			b.Weights = append(b.Weights, 1)
		}
	}
	return &repeated{b}
}

// String is a line in the format of Go benchmarks, for benchstat.
func (r *Result) String() string {
	what := fmt.Sprintf("preset=%s/dtype=%s/batch=%d/seq=%d", r.Preset, r.DType, r.Batch, r.Seq)
	work := fmt.Sprintf("%.1f GFLOP/s ", r.GFLOPS)
	if r.PeakGFLOPS > 0 {
		work += fmt.Sprintf("%.1f peak-GFLOP/s %.1f %%peak ", r.PeakGFLOPS, 100*r.PeakFraction)
	}
	if r.Recipe != "" {
		what = fmt.Sprintf("recipe=%s/dtype=%s/batch=%d", r.Recipe, r.DType, r.Batch)
		work = ""
	}
	return fmt.Sprintf("BenchmarkStep/%s-%d 1 %.0f ns/op %.0f cpu-ns/op %.1f tokens/s %s%d peak-RSS-bytes %.0f allocs/op",
		what, r.Threads, r.NsPerStep, r.CPUNsPerStep, r.TokensPerSec, work, r.PeakRSS, r.AllocsPerStep)
}
