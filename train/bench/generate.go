package bench

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"instruct/model"
	"instruct/model/kernel"
	"instruct/model/kernel/rng"
	"instruct/model/pretrained"
	"instruct/train/machine"
)

// GenerateResult is one measurement of reading a prompt and decoding after it, on one stream. The speeds are medians of
// the rounds.
type GenerateResult struct {
	Model           string  `json:"model"`
	DType           string  `json:"dtype"`
	Threads         int     `json:"threads"`
	Kernels         string  `json:"kernels"`
	PromptTokens    int     `json:"prompt_tokens"`
	NewTokens       int     `json:"new_tokens"`
	PromptPerSec    float64 `json:"prompt_tokens_per_second"`
	DecodePerSec    float64 `json:"decode_tokens_per_second"`
	WeightBytes     int     `json:"weight_bytes"`
	WeightGBPerSec  float64 `json:"decode_weight_gigabytes_per_second"` // each new token reads every weight once
	PeakRSS         int64   `json:"peak_rss_bytes"`
	NsPerDecodeStep float64 `json:"ns_per_new_token"`
	CPUNsPrompt     float64 `json:"cpu_ns_per_prompt_token"` // mean of all threads together; 0 where it is not known
	CPUNsDecode     float64 `json:"cpu_ns_per_new_token"`

	Profile []OpTime `json:"profile,omitempty"` // of one new token, longest first
}

// Generate measures inference as generate does it: greedy, with a cache, after one round that is not counted.
func Generate(ctx context.Context, o Options) (*GenerateResult, error) {
	o.Seq = cmp.Or(o.Seq, 256)
	o.NewTokens = cmp.Or(o.NewTokens, 128)
	o.Steps = cmp.Or(o.Steps, 3)
	if o.Seq < 1 || o.NewTokens < 1 || o.Steps < 1 {
		return nil, mistake("seq, new_tokens and steps must be positive")
	}
	m, name, err := o.load()
	if err != nil {
		return nil, err
	}
	defer m.Close()
	pool := kernel.NewPool(o.Threads)
	defer pool.Close()
	d, err := m.NewDecoder(pool, o.Seq+o.NewTokens)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	r := rng.NewRand(1, "bench", 0, 0)
	prompt := make([]int32, o.Seq)
	for i := range prompt {
		prompt[i] = int32(r.Intn(m.Config.Vocab))
	}
	res := &GenerateResult{Model: name, DType: o.DType.String(), Threads: pool.Threads(), Kernels: kernel.Path(),
		PromptTokens: o.Seq, NewTokens: o.NewTokens, WeightBytes: m.WeightBytes()}
	var read, decode []float64
	for round := range o.Steps + 1 {
		one, err := measureAnswer(ctx, d, prompt, o.NewTokens)
		if err != nil {
			return nil, err
		}
		if round == 0 {
			if o.Profile {
				d.Profile()
			}
			continue
		}
		read = append(read, one.read.Seconds())
		decode = append(decode, one.decode.Seconds())
		res.CPUNsPrompt += float64(one.readCPU) / float64(o.Seq*o.Steps)
		res.CPUNsDecode += float64(one.decodeCPU) / float64(o.NewTokens*o.Steps)
		if o.Profile {
			res.Profile = profile(d.Spent(), one.decode, o.NewTokens)
		}
	}
	slices.Sort(read)
	slices.Sort(decode)
	t := decode[o.Steps/2] / float64(o.NewTokens)
	res.PromptPerSec = float64(o.Seq) / read[o.Steps/2]
	res.DecodePerSec = 1 / t
	res.NsPerDecodeStep = t * 1e9
	res.WeightGBPerSec = float64(res.WeightBytes) / t / 1e9
	res.PeakRSS = machine.PeakRSS()
	return res, nil
}

// answerTime is the time of one answer: that of the prompt to the first new token, and that of the others.
type answerTime struct{ read, readCPU, decode, decodeCPU time.Duration }

// measureAnswer reads a prompt and decodes a first token and n after it.
func measureAnswer(ctx context.Context, d *model.Decoder, prompt []int32, n int) (answerTime, error) {
	var t answerTime
	start, cpu := time.Now(), machine.CPUTime()
	var first, last time.Time
	_, _, err := d.Generate(ctx, model.Request{Prompt: prompt, MaxNew: n + 1, Emit: func(int32) {
		last = time.Now()
		if first.IsZero() {
			first = last
			t.readCPU = machine.CPUTime() - cpu
			d.Spent() // of the prompt
		}
	}})
	if err == nil {
		err = ctx.Err()
	}
	t.read = first.Sub(start)
	t.decode = last.Sub(first)
	t.decodeCPU = machine.CPUTime() - cpu - t.readCPU
	return t, err
}

// load loads the model, or makes the preset's.
func (o *Options) load() (*model.Model, string, error) {
	if o.Model != "" {
		m, err := pretrained.Load(o.Model, pretrained.Options{DType: o.DType})
		if err != nil {
			return nil, "", err
		}
		return m.Model, o.Model, nil
	}
	p, c, err := findPreset(o.Preset)
	if err != nil {
		return nil, "", err
	}
	m, err := model.Outline(c)
	if err != nil {
		return nil, "", err
	}
	if err := m.AllocateIn(o.DType); err != nil {
		return nil, "", err
	}
	m.Init(1)
	return m, p.name, nil
}

// String is two lines in the format of Go benchmarks, for benchstat.
func (r *GenerateResult) String() string {
	line := func(what string, tokens int, perSecond, ns, cpu float64) string {
		return fmt.Sprintf("Benchmark%s/model=%s/dtype=%s/tokens=%d-%d 1 %.0f ns/op %.0f cpu-ns/op %.1f tokens/s",
			what, r.Model, r.DType, tokens, r.Threads, ns, cpu, perSecond)
	}
	return line("ReadPromptToken", r.PromptTokens, r.PromptPerSec, 1e9/r.PromptPerSec, r.CPUNsPrompt) + "\n" +
		line("DecodeToken", r.NewTokens, r.DecodePerSec, r.NsPerDecodeStep, r.CPUNsDecode) +
		fmt.Sprintf(" %.1f weight-GB/s %d peak-RSS-bytes", r.WeightGBPerSec, r.PeakRSS)
}
