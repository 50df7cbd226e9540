package train

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"time"

	"instruct/model"
	"instruct/model/kernel"
	"instruct/model/kernel/rng"
)

// preset is a model shape to measure, with the batch that is usual for it.
type preset struct {
	name       string
	batch, seq int
	config     map[string]any
}

func presets() []preset {
	llama := func(width, layers, heads, kv, hidden, vocab int) map[string]any {
		return map[string]any{"model_type": "llama", "hidden_size": width, "num_hidden_layers": layers, "num_attention_heads": heads, "num_key_value_heads": kv,
			"intermediate_size": hidden, "vocab_size": vocab, "max_position_embeddings": 2048, "tie_word_embeddings": true}
	}
	return []preset{
		{"smollm2-135m", 4, 256, llama(576, 30, 9, 3, 1536, 49152)},
		{"gpt2-124m", 4, 256, map[string]any{"model_type": "gpt2", "n_embd": 768, "n_layer": 12, "n_head": 12, "vocab_size": 50257, "n_positions": 1024}},
		{"tiny-15m", 8, 256, llama(288, 6, 6, 6, 768, 32000)},
		{"lessons-1m", 24, 64, llama(128, 4, 8, 8, 344, 260)},
	}
}

// BenchOptions choose what to measure; zero values take the preset's.
type BenchOptions struct {
	Preset     string
	Batch, Seq int
	Steps      int
	Threads    int
	DType      kernel.DType // of the weights in matrix products: F32 or BF16
	Profile    bool         // break the steps down by op
	Recipe     *Recipe      // measure its model, data and batch instead of a preset's

	Checkpointing bool                          // compute layers again in the backward pass
	Available     func() (bytes int64, ok bool) // memory that can be had; nil: ask the system
}

// OpTime is the mean time of one kind of op in a step, over all layers.
type OpTime struct {
	Name string  `json:"name"`
	Ns   float64 `json:"ns_per_step"`
}

// BenchResult is one measurement of training steps: a preset's with random weights and every token trained, or a recipe's.
type BenchResult struct {
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
	PeakGFLOPS     float64 `json:"peak_gflops"` // multiply-adds in registers, measured in this process
	PeakFraction   float64 `json:"peak_fraction"`
	PeakRSS        int64   `json:"peak_rss_bytes"`
	Checkpointing  bool    `json:"gradient_checkpointing"`
	EstimatedRSS   int64   `json:"estimated_rss_bytes"` // computed before the first step
	AllocsPerStep  float64 `json:"allocs_per_step"`
	ActivationSize int     `json:"activation_bytes"`
	Loss           float64 `json:"loss"` // mean over the last step's trained tokens; of exact bits

	Profile []OpTime `json:"profile,omitempty"` // longest first
}

// Bench measures training steps: forward, backward, global norm and AdamW.
func Bench(ctx context.Context, o BenchOptions) (*BenchResult, error) {
	if o.Recipe != nil {
		return benchRecipe(ctx, o)
	}
	p, err := findPreset(o.Preset)
	if err != nil {
		return nil, err
	}
	o.Batch, o.Seq, o.Steps = cmp.Or(o.Batch, p.batch), cmp.Or(o.Seq, p.seq), cmp.Or(o.Steps, 10)
	if o.Batch < 1 || o.Seq < 2 || o.Steps < 1 {
		return nil, mistake("batch, seq and steps must be positive, seq at least 2")
	}
	text, err := json.Marshal(p.config)
	if err != nil {
		return nil, err
	}
	c, err := model.ParseConfig("preset "+p.name, text)
	if err != nil {
		return nil, err
	}
	if o.Seq > c.MaxLength {
		return nil, mistake("seq is %d; preset %s reads at most %d positions", o.Seq, p.name, c.MaxLength)
	}
	pool := kernel.NewPool(o.Threads)
	defer pool.Close()
	m, err := model.Outline(c)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	need, err := estimateMemory(m, o.DType, o.Batch*o.Seq, 0, pool.Threads(), o.Checkpointing, "adamw")
	if err != nil {
		return nil, err
	}
	advice := "use a smaller --batch or --seq"
	if !o.Checkpointing {
		advice += ", or --gradient_checkpointing"
	}
	if err := need.check(o.Available, advice); err != nil {
		return nil, err
	}
	if err := m.Allocate(); err != nil {
		return nil, err
	}
	m.Init(1)
	if o.DType == kernel.BF16 {
		if err := m.CopyToBF16(pool); err != nil {
			return nil, err
		}
	}
	g, err := m.NewTraining(pool, o.Batch*o.Seq, o.Checkpointing)
	if err != nil {
		return nil, err
	}
	defer g.Close()
	opt, err := newOptimizer(pool, m, "adamw")
	if err != nil {
		return nil, err
	}
	defer opt.close()
	b, r := randomBatch(o.Batch, o.Seq, c.Vocab), DefaultRecipe()
	res := &BenchResult{Preset: p.name, DType: o.DType.String(), Batch: o.Batch, Seq: o.Seq, Threads: pool.Threads(), Kernels: kernel.Path(),
		ActivationSize: g.Bytes(), Checkpointing: o.Checkpointing, EstimatedRSS: need.total()}
	var update time.Duration
	step := func() error {
		sum, err := g.Run(b)
		if err != nil {
			return err
		}
		start, weight := time.Now(), float64(b.Len())
		res.Loss = sum / weight
		if err := opt.step(&r, 1e-4, opt.gradNorm(weight), weight); err != nil {
			return err
		}
		update += time.Since(start)
		return ctx.Err()
	}
	for range 2 {
		if err := step(); err != nil {
			return nil, err
		}
	}
	if update = 0; o.Profile {
		g.Profile()
	}
	times, err := res.measure(o.Steps, step)
	if err != nil {
		return nil, err
	}
	if o.Profile {
		res.Profile = profile(g.Spent(), update, times)
	}
	tokens := float64(o.Batch * o.Seq)
	res.TokensPerSec = tokens / res.NsPerStep * 1e9
	res.GFLOPS = tokens * (bodyFLOPs(m, float64(o.Seq)) + headFLOPs(m)) / res.NsPerStep
	res.PeakGFLOPS = pool.PeakFLOPS() / 1e9
	if res.PeakGFLOPS > 0 {
		res.PeakFraction = res.GFLOPS / res.PeakGFLOPS
	}
	return res, nil
}

// measure times n steps one by one and fills in what is known without knowing the model.
func (r *BenchResult) measure(n int, step func() error) (times []float64, err error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	cpu := cpuTime()
	times = make([]float64, n)
	for i := range times {
		start := time.Now()
		if err := step(); err != nil {
			return nil, err
		}
		times[i] = float64(time.Since(start))
	}
	r.CPUNsPerStep = float64(cpuTime()-cpu) / float64(n)
	runtime.ReadMemStats(&after)
	r.AllocsPerStep = float64(after.Mallocs-before.Mallocs) / float64(n)
	r.NsPerStep = slices.Sorted(slices.Values(times))[n/2]
	r.PeakRSS = peakRSS()
	return times, nil
}

// profile turns the times of ops into a table; what no op accounts for is the graph's machine.
func profile(ops map[string]time.Duration, update time.Duration, times []float64) []OpTime {
	steps, rest := float64(len(times)), 0.0
	for _, t := range times {
		rest += t
	}
	ops["norm and AdamW"] = update
	var out []OpTime
	for name, d := range ops {
		out = append(out, OpTime{name, float64(d) / steps})
		rest -= float64(d)
	}
	out = append(out, OpTime{"graph", rest / steps})
	slices.SortFunc(out, func(a, b OpTime) int { return cmp.Or(cmp.Compare(b.Ns, a.Ns), cmp.Compare(a.Name, b.Name)) })
	return out
}

// randomBatch has batch rows of seq random tokens, all trained.
func randomBatch(batch, seq, vocab int) model.Batch {
	var b model.Batch
	r := rng.NewRand(1, "bench", 0, 0)
	for i := range batch {
		b.Segments = append(b.Segments, model.Segment{Start: i * seq, End: (i + 1) * seq})
		for j := range seq {
			b.Tokens = append(b.Tokens, int32(r.Intn(vocab)))
			b.Positions = append(b.Positions, int32(j))
			b.Targets = append(b.Targets, int32(r.Intn(vocab)))
			b.Weights = append(b.Weights, 1)
		}
	}
	return b
}

// String is a line in the format of Go benchmarks, for benchstat.
func (r *BenchResult) String() string {
	what, work := fmt.Sprintf("preset=%s/dtype=%s/batch=%d/seq=%d", r.Preset, r.DType, r.Batch, r.Seq),
		fmt.Sprintf("%.1f GFLOP/s %.1f peak-GFLOP/s %.1f %%peak ", r.GFLOPS, r.PeakGFLOPS, 100*r.PeakFraction)
	if r.Recipe != "" {
		what, work = fmt.Sprintf("recipe=%s/dtype=%s/batch=%d", r.Recipe, r.DType, r.Batch), ""
	}
	return fmt.Sprintf("BenchmarkStep/%s-%d 1 %.0f ns/op %.0f cpu-ns/op %.1f tokens/s %s%d peak-RSS-bytes %.0f allocs/op",
		what, r.Threads, r.NsPerStep, r.CPUNsPerStep, r.TokensPerSec, work, r.PeakRSS, r.AllocsPerStep)
}
