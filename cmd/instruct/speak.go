package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"instruct/data"
	"instruct/model"
	"instruct/model/kernel"
	"instruct/model/pretrained"
)

// Help of flags that several commands share.
const (
	modelHelp    = "a Hugging Face folder, a run or checkpoint folder, or a .gguf file"
	templateHelp = "a built-in template's name or a Jinja file, in place of the model's own"
	dtypeHelp    = "format of the weights in memory: fp32, bf16 (half the memory), q8_0 (a quarter) or q4_0 (a sixth, " +
		"coarse)"
	threadsHelp = "worker threads; 0: one a core"
)

// speakFlags are the flags of commands that let a model answer.
type speakFlags struct {
	model, template, dtype string
	maxNew, threads, rows  int
	sampling               model.Sampling
}

func (f *speakFlags) add(c *cobra.Command) {
	fl := c.Flags()
	fl.StringVar(&f.model, "model", "", modelHelp)
	fl.StringVar(&f.template, "chat_template", "", templateHelp)
	fl.StringVar(&f.dtype, "dtype", "fp32", dtypeHelp)
	fl.IntVar(&f.maxNew, "max_new_tokens", 256, "longest answer in tokens")
	fl.Float64Var(&f.sampling.Temperature, "temperature", 0, "0: always the most likely token; higher: more varied")
	fl.IntVar(&f.sampling.TopK, "top_k", 0, "choose among the k most likely tokens; 0: all")
	fl.Float64Var(&f.sampling.TopP, "top_p", 1, "choose among the most likely tokens that together reach this probability")
	fl.Float64Var(&f.sampling.RepetitionPenalty, "repetition_penalty", 1,
		"above 1: tokens that already occurred become less likely")
	fl.Uint64Var(&f.sampling.Seed, "seed", 0, "seed of the sampling")
	fl.IntVar(&f.threads, "threads", 0, threadsHelp)
}

// printNotes says where a model's files contradict each other.
func printNotes(w io.Writer, m *pretrained.Model) {
	for _, n := range m.Notes {
		fmt.Fprintln(w, "note:", data.Visible(n))
	}
}

// speaker is a loaded model that answers.
type speaker struct {
	*pretrained.Session
	model *pretrained.Model
	pool  *kernel.Pool
	flags *speakFlags
}

// load loads the model that the flags name. The caller closes the speaker.
func (f *speakFlags) load(cmd *cobra.Command) (*speaker, error) {
	m, pool, err := f.read(cmd)
	if err != nil {
		return nil, err
	}
	session, err := m.NewSession(pool, f.rows)
	if err != nil {
		pool.Close()
		return nil, err
	}
	return &speaker{Session: session, model: m, pool: pool, flags: f}, nil
}

// read reads the model that the flags name, and starts its workers, which the caller closes.
func (f *speakFlags) read(cmd *cobra.Command) (*pretrained.Model, *kernel.Pool, error) {
	if err := required(cmd, "model"); err != nil {
		return nil, nil, err
	}
	if f.maxNew < 1 {
		return nil, nil, mistake("max_new_tokens is %d; it must be at least 1", f.maxNew)
	}
	if err := f.sampling.Validate(); err != nil {
		return nil, nil, err
	}
	if err := kernel.CheckCPU(); err != nil {
		return nil, nil, err
	}
	d, err := kernel.ParseDType(f.dtype)
	if err != nil {
		return nil, nil, err
	}
	m, err := pretrained.Outline(f.model, f.template)
	if err != nil {
		return nil, nil, err
	}
	if err := readWeights(cmd.ErrOrStderr(), m, d); err != nil {
		return nil, nil, err
	}
	printNotes(cmd.ErrOrStderr(), m)
	return m, kernel.NewPool(f.threads), nil
}

func (s *speaker) close() {
	s.Session.Close()
	s.pool.Close()
}

// systemPrompt is what the flag --system says or, where it is not given, the prompt that is kept with the model.
func systemPrompt(cmd *cobra.Command, s *streams, given, kept string) string {
	if cmd.Flags().Changed("system") || kept == "" {
		return given
	}
	fmt.Fprintf(s.err, "note: asked with the system prompt of the training: %.60q; --system \"\" leaves it out\n", kept)
	return kept
}

// decoding is what the flags say; emit receives the text as it grows and may be nil.
func (s *speaker) decoding(emit func(string)) pretrained.Decoding {
	return pretrained.Decoding{MaxNew: s.flags.maxNew, Sampling: s.flags.sampling, Emit: emit}
}
