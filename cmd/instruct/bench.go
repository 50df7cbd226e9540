package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"instruct/model/kernel"
	"instruct/train/bench"
)

const benchHelp = `Measure training steps (forward, backward, global norm, AdamW): speed and memory, in benchstat's
format. A preset has random weights, and every token is trained; a recipe brings its own model and data.`

const benchExample = `  instruct bench --preset smollm2-135m --steps 3 --profile
  instruct bench --recipe recipe.yaml --against old/instruct     is this program slower than the older one?
  instruct bench --recipe new.yaml --against old.yaml            is this recipe slower than the other?`

// benchmark measures what the flags say.
type benchmark struct {
	options        bench.Options
	against        against
	dtype, recipe  string
	generate, json bool
}

func newBench(s *streams) *cobra.Command {
	var b benchmark
	c := &cobra.Command{Use: "bench", Short: "Measure training steps: speed and memory, in benchstat's format",
		Long: benchHelp, Example: benchExample, Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return b.run(cmd, s) }}
	fl := c.Flags()
	fl.StringVar(&b.options.Preset, "preset", "lessons-1m",
		"model shape: smollm2-135m, gpt2-124m, tiny-15m or lessons-1m")
	fl.StringVar(&b.recipe, "recipe", "", "measure the first steps of this recipe, on its own model and data")
	fl.IntVar(&b.options.Batch, "batch", 0, "rows a step; 0: the preset's")
	fl.IntVar(&b.options.Seq, "seq", 0, "tokens a row; 0: the preset's. With --generate those of the prompt; 0: 256")
	fl.IntVar(&b.options.Steps, "steps", 0,
		"steps to measure, after two that are not counted; 0: 10. With --generate rounds; 0: 3")
	fl.IntVar(&b.options.Threads, "threads", 0, threadsHelp)
	fl.BoolVar(&b.options.Profile, "profile", false, "break a step down by op")
	fl.BoolVar(&b.options.Checkpointing, "gradient_checkpointing", false,
		"keep only each layer's input and compute the rest again in the backward pass")
	fl.StringVar(&b.dtype, "dtype", "fp32",
		"arithmetic of products: fp32 or bf16; with --generate the format of the weights, q8_0 and q4_0 too")
	fl.BoolVar(&b.generate, "generate", false,
		"measure inference in place of training: tokens a second of reading a prompt, and of decoding")
	fl.StringVar(&b.options.Model, "model", "", "with --generate: a folder or .gguf file to measure, in place of a preset")
	fl.IntVar(&b.options.NewTokens, "max_new_tokens", 128, "with --generate: tokens to decode")
	fl.IntVar(&b.options.Rows, "rows", 1, "with --generate: prompts that are answered at one time")
	fl.Float64Var(&b.options.Sampling.Temperature, "temperature", 0, "with --generate: above 0, measure sampling too")
	fl.BoolVar(&b.json, "json", false, "one JSON object a line")
	fl.StringVar(&b.against.other, "against", "",
		"compare with this older program, or with this other recipe (.yaml), in alternating rounds; exit 1 when slower, "+
			"3 when the machine is too noisy to tell")
	fl.IntVar(&b.against.rounds, "rounds", 8, "rounds of --against; each measures both sides once")
	fl.BoolVar(&b.against.sameLoss, "same_loss", false, "with --against: exit 1 also when the loss has other bits")
	fl.BoolVar(&b.against.github, "github", false, "with --against: also write the verdict as GitHub's annotation")
	return c
}

func (b *benchmark) run(cmd *cobra.Command, s *streams) (err error) {
	o := &b.options
	if o.DType, err = kernel.ParseDType(b.dtype); err != nil {
		return err
	}
	if err := kernel.CheckCPU(); err != nil {
		return err
	}
	if b.generate {
		res, err := bench.Generate(cmd.Context(), *o)
		if err != nil {
			return err
		}
		return b.write(s, res, res.Profile, res.NsPerDecodeStep*float64(res.Rows))
	}
	if err := b.checkSteps(cmd, s); err != nil {
		return err
	}
	if b.against.other != "" {
		return b.against.run(cmd, s, b.json)
	}
	res, err := bench.Steps(cmd.Context(), *o)
	if err != nil {
		return err
	}
	return b.write(s, res, res.Profile, res.NsPerStep)
}

// checkSteps refuses what training steps do not know, and reads the recipe.
func (b *benchmark) checkSteps(cmd *cobra.Command, s *streams) error {
	switch {
	case b.options.Model != "":
		return mistake("--model is measured with --generate; training steps are measured on a --preset")
	case b.against.github && (b.against.other == "" || b.json):
		return mistake("github annotates the verdict of --against, beside text; use it without json")
	case b.options.DType.InBlocks():
		return mistake("dtype %s is for --generate; training steps know fp32 and bf16", b.options.DType)
	case b.recipe == "":
		return nil
	case cmd.Flags().Changed("preset"):
		return mistake("bench measures a --preset or a --recipe, not both")
	}
	r, err := readRecipe(s.err, []string{b.recipe}, nil)
	b.options.Recipe = &r
	return err
}

// write writes a result and, where it is for people, the time of each kind of op with its share of whole nanoseconds.
func (b *benchmark) write(s *streams, res fmt.Stringer, ops []bench.OpTime, whole float64) error {
	if err := writeResult(s, b.json, res); err != nil || b.json {
		return err
	}
	for _, op := range ops {
		speed := ""
		if op.GFLOPS > 0 {
			speed = fmt.Sprintf(" %8.1f GFLOP/s", op.GFLOPS)
		}
		if op.PeakFraction > 0 && op.PeakFraction <= 1 {
			speed += fmt.Sprintf(" %5.1f %% of the peak", 100*op.PeakFraction)
		}
		if op.GBPerSec > 0 {
			speed = fmt.Sprintf(" %8.1f GB/s", op.GBPerSec)
		}
		fmt.Fprintf(s.out, "# %-24s %8.3f ms %5.1f %%%s\n", op.Name, op.Ns/1e6, 100*op.Ns/whole, speed)
	}
	return nil
}
