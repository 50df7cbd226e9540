package train

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"instruct/model"
	"instruct/model/kernel"
	"instruct/model/kernel/rng"
)

// GenerateBenchOptions choose what to measure; zero values take the defaults.
type GenerateBenchOptions struct {
	Preset    string // a shape with random weights, or
	Model     string // a folder or .gguf file
	DType     kernel.DType
	Prompt    int // tokens of the prompt; 256
	NewTokens int // tokens decoded after it, one by one; 128
	Rounds    int // 3
	Threads   int
	Profile   bool // break the decoding down by op
}

// GenerateBenchResult is one measurement of reading a prompt and decoding after it, on one stream. The speeds are medians of the rounds.
type GenerateBenchResult struct {
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

// findPreset looks up a model shape by name.
func findPreset(name string) (preset, error) {
	var names []string
	for _, x := range presets() {
		names = append(names, x.name)
		if x.name == name {
			return x, nil
		}
	}
	return preset{}, mistake("unknown preset %q; known are %s", name, strings.Join(names, ", "))
}

// BenchGenerate measures inference as generate does it: greedy, with a cache, after one round that is not counted.
func BenchGenerate(ctx context.Context, o GenerateBenchOptions) (*GenerateBenchResult, error) {
	o.Prompt, o.NewTokens, o.Rounds = cmp.Or(o.Prompt, 256), cmp.Or(o.NewTokens, 128), cmp.Or(o.Rounds, 3)
	if o.Prompt < 1 || o.NewTokens < 1 || o.Rounds < 1 {
		return nil, mistake("seq, new_tokens and steps must be positive")
	}
	m, name, err := o.load()
	if err != nil {
		return nil, err
	}
	pool := kernel.NewPool(o.Threads)
	defer pool.Close()
	d, err := m.NewDecoder(pool, o.Prompt+o.NewTokens)
	if err != nil {
		return nil, err
	}
	res := &GenerateBenchResult{Model: name, DType: o.DType.String(), Threads: pool.Threads(), Kernels: kernel.Path(), PromptTokens: o.Prompt, NewTokens: o.NewTokens, WeightBytes: m.WeightBytes()}
	r := rng.NewRand(1, "bench", 0, 0)
	prompt := make([]int32, o.Prompt)
	for i := range prompt {
		prompt[i] = int32(r.Intn(m.Config.Vocab))
	}
	var read, decode []float64
	for round := range o.Rounds + 1 {
		var first, last time.Time
		var cpuFirst time.Duration
		start, cpu := time.Now(), cpuTime()
		_, _, err := d.Generate(ctx, model.Request{Prompt: prompt, MaxNew: o.NewTokens + 1, Emit: func(int32) {
			if last = time.Now(); first.IsZero() {
				first, cpuFirst = last, cpuTime()
				d.Spent() // of the prompt
			}
		}})
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		if round == 0 {
			if o.Profile {
				d.Profile()
			}
			continue
		}
		res.CPUNsPrompt += float64(cpuFirst-cpu) / float64(o.Prompt*o.Rounds)
		res.CPUNsDecode += float64(cpuTime()-cpuFirst) / float64(o.NewTokens*o.Rounds)
		read, decode = append(read, first.Sub(start).Seconds()), append(decode, last.Sub(first).Seconds())
		if o.Profile {
			steps := make([]float64, o.NewTokens)
			for i := range steps {
				steps[i] = decode[len(decode)-1] * 1e9 / float64(o.NewTokens)
			}
			res.Profile = profile(d.Spent(), 0, steps)
		}
	}
	slices.Sort(read)
	slices.Sort(decode)
	t := decode[o.Rounds/2] / float64(o.NewTokens)
	res.PromptPerSec, res.DecodePerSec = float64(o.Prompt)/read[o.Rounds/2], 1/t
	res.NsPerDecodeStep, res.WeightGBPerSec = t*1e9, float64(res.WeightBytes)/t/1e9
	res.PeakRSS = peakRSS()
	return res, nil
}

// load loads the model, or makes the preset's.
func (o *GenerateBenchOptions) load() (*model.Model, string, error) {
	if o.Model != "" {
		a, err := LoadForInference(o.Model, "", o.DType)
		if err != nil {
			return nil, "", err
		}
		return a.Model, o.Model, nil
	}
	p, err := findPreset(o.Preset)
	if err != nil {
		return nil, "", err
	}
	text, err := json.Marshal(p.config)
	if err != nil {
		return nil, "", err
	}
	c, err := model.ParseConfig("preset "+p.name, text)
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
func (r *GenerateBenchResult) String() string {
	line := func(what string, tokens int, perSecond, ns, cpu float64) string {
		return fmt.Sprintf("Benchmark%s/model=%s/dtype=%s/tokens=%d-%d 1 %.0f ns/op %.0f cpu-ns/op %.1f tokens/s", what, r.Model, r.DType, tokens, r.Threads, ns, cpu, perSecond)
	}
	return line("ReadPromptToken", r.PromptTokens, r.PromptPerSec, 1e9/r.PromptPerSec, r.CPUNsPrompt) + "\n" +
		line("DecodeToken", r.NewTokens, r.DecodePerSec, r.NsPerDecodeStep, r.CPUNsDecode) + fmt.Sprintf(" %.1f weight-GB/s %d peak-RSS-bytes", r.WeightGBPerSec, r.PeakRSS)
}
