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

// GenerateResult is one measurement of reading prompts and decoding after them, of Rows sequences at one time. The
// speeds are medians of the rounds, of all rows together.
type GenerateResult struct {
	Model           string  `json:"model"`
	DType           string  `json:"dtype"`
	Threads         int     `json:"threads"`
	Kernels         string  `json:"kernels"`
	Rows            int     `json:"rows"`
	PromptTokens    int     `json:"prompt_tokens"` // of a row
	NewTokens       int     `json:"new_tokens"`    // of a row
	PromptPerSec    float64 `json:"prompt_tokens_per_second"`
	DecodePerSec    float64 `json:"decode_tokens_per_second"`
	SamplePerSec    float64 `json:"sample_tokens_per_second,omitempty"` // decoding at Temperature
	Temperature     float64 `json:"temperature,omitempty"`
	WeightBytes     int     `json:"weight_bytes"`
	WeightGBPerSec  float64 `json:"decode_weight_gigabytes_per_second"` // each step reads every weight once
	PeakRSS         int64   `json:"peak_rss_bytes"`
	NsPerDecodeStep float64 `json:"ns_per_new_token"`        // of all rows together
	CPUNsPrompt     float64 `json:"cpu_ns_per_prompt_token"` // mean of all threads together; 0 where it is not known
	CPUNsDecode     float64 `json:"cpu_ns_per_new_token"`

	Profile []OpTime `json:"profile,omitempty"` // of one step, longest first
}

// Generate measures inference as generate does it: with a cache, greedy and, where a temperature is given, also
// sampled; after one round that is not counted.
func Generate(ctx context.Context, o Options) (*GenerateResult, error) {
	o.Seq = cmp.Or(o.Seq, 256)
	o.NewTokens = cmp.Or(o.NewTokens, 128)
	o.Steps = cmp.Or(o.Steps, 3)
	o.Rows = cmp.Or(o.Rows, 1)
	if o.Seq < 1 || o.NewTokens < 1 || o.Steps < 1 || o.Rows < 1 {
		return nil, mistake("seq, max_new_tokens, steps and rows must be positive")
	}
	m, name, err := o.load()
	if err != nil {
		return nil, err
	}
	defer m.Close()
	if most := m.Config.MaxLength; o.Seq+o.NewTokens+o.Rows > most {
		return nil, mistake("a prompt of %d tokens and %d after it are too many for a model of %d positions", o.Seq,
			o.NewTokens, most)
	}
	pool := kernel.NewPool(o.Threads)
	defer pool.Close()
	d, err := m.NewDecoder(pool, model.DecoderOptions{Sequences: o.Rows})
	if err != nil {
		return nil, err
	}
	defer d.Close()
	res := &GenerateResult{Model: name, DType: o.DType.String(), Threads: pool.Threads(), Kernels: kernel.Path(),
		Rows: o.Rows, PromptTokens: o.Seq, NewTokens: o.NewTokens, WeightBytes: m.WeightBytes(),
		Temperature: o.Sampling.Temperature}
	greedy := answers{d: d, rows: o.Rows, seq: o.Seq, n: o.NewTokens, vocab: m.Config.Vocab}
	sampled := greedy
	sampled.sampling = o.Sampling
	for round := range o.Steps + 1 {
		if round == 1 {
			greedy.forget()
			sampled.forget()
			if o.Profile {
				d.Profile()
			}
		}
		if err := greedy.measure(ctx, 2*round); err != nil {
			return nil, err
		}
		if o.Profile {
			res.Profile = profile(d.Spent(), greedy.last, o.NewTokens)
			limit(res.Profile, decodeWork(m), 0)
		}
		if res.Temperature == 0 {
			continue
		}
		if err := sampled.measure(ctx, 2*round+1); err != nil {
			return nil, err
		}
	}
	prompt, tokens := float64(o.Rows*o.Seq), float64(o.Rows*o.NewTokens)
	res.PromptPerSec = prompt / median(greedy.read)
	res.DecodePerSec = tokens / median(greedy.decode)
	if res.Temperature > 0 {
		res.SamplePerSec = tokens / median(sampled.decode)
	}
	res.CPUNsPrompt = float64(greedy.readCPU) / prompt / float64(o.Steps)
	res.CPUNsDecode = float64(greedy.decodeCPU) / tokens / float64(o.Steps)
	res.NsPerDecodeStep = 1e9 / res.DecodePerSec
	res.WeightGBPerSec = float64(res.WeightBytes) * res.DecodePerSec / float64(o.Rows) / 1e9
	res.PeakRSS = machine.PeakRSS()
	return res, nil
}

func median(x []float64) float64 { return slices.Sorted(slices.Values(x))[len(x)/2] }

// answers measures rounds of rows that are answered at one time.
type answers struct {
	d                   *model.Decoder
	rows, seq, n, vocab int
	sampling            model.Sampling

	read, decode       []float64 // seconds, by round
	last               time.Duration
	readCPU, decodeCPU time.Duration
}

func (a *answers) forget() {
	a.read, a.decode = nil, nil
	a.readCPU, a.decodeCPU = 0, 0
}

// measure reads a prompt of each row, and decodes. Reading is the time until every row has its first new token; of rows
// that were read first it is already the time of others. Decoding is that of n further tokens of each row.
func (a *answers) measure(ctx context.Context, round int) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	started, new := 0, 0
	begin, cpu := time.Now(), machine.CPUTime()
	var first time.Time
	asked := 0
	next := func(bool) (r model.Request, ok bool) {
		if asked == a.rows {
			return r, false
		}
		r = model.Request{Prompt: a.prompt(round, asked), MaxNew: a.n + 1 + a.rows, Sampling: a.sampling}
		r.Sampling.Seed = uint64(asked)
		asked++
		fresh := true
		r.Emit = func(int32) {
			if started == a.rows {
				new++
			}
			if fresh {
				fresh = false
				started++
				if started == a.rows {
					first = time.Now()
					a.readCPU += machine.CPUTime() - cpu
					cpu = machine.CPUTime()
					a.d.Spent() // of the prompts
				}
			}
			if new == a.n*a.rows {
				a.last = time.Since(first)
				a.decodeCPU += machine.CPUTime() - cpu
				cancel()
			}
		}
		return r, true
	}
	err := a.d.Generate(ctx, next, func(got model.Answer) error { return got.Err })
	if new < a.n*a.rows {
		return err
	}
	a.read = append(a.read, first.Sub(begin).Seconds())
	a.decode = append(a.decode, a.last.Seconds())
	return nil
}

// prompt is random tokens, others in each round, since a decoder would remember those of the last one.
func (a *answers) prompt(round, row int) []int32 {
	r := rng.NewRand(1, "bench", uint64(round), uint64(row))
	prompt := make([]int32, a.seq)
	for i := range prompt {
		prompt[i] = int32(r.Intn(a.vocab))
	}
	return prompt
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
		return fmt.Sprintf("Benchmark%s/model=%s/dtype=%s/rows=%d/tokens=%d-%d 1 %.0f ns/op %.0f cpu-ns/op %.1f tokens/s",
			what, r.Model, r.DType, r.Rows, tokens, r.Threads, ns, cpu, perSecond)
	}
	out := line("ReadPromptToken", r.PromptTokens, r.PromptPerSec, 1e9/r.PromptPerSec, r.CPUNsPrompt) + "\n" +
		line("DecodeToken", r.NewTokens, r.DecodePerSec, r.NsPerDecodeStep, r.CPUNsDecode) +
		fmt.Sprintf(" %.1f weight-GB/s %d peak-RSS-bytes", r.WeightGBPerSec, r.PeakRSS)
	if r.Temperature > 0 {
		out += "\n" + line("SampleToken", r.NewTokens, r.SamplePerSec, 1e9/r.SamplePerSec, 0)
	}
	return out
}
