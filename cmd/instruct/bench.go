package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"instruct/model/kernel"
	"instruct/train/bench"
)

func newBench(s *streams) *cobra.Command {
	var o bench.Options
	var a against
	var g bench.GenerateOptions
	var dtype, recipe string
	var asJSON, generate bool
	c := &cobra.Command{Use: "bench", Short: "Measure training steps: speed and memory, in benchstat's format", Args: noArgs,
		Long: `Measure training steps (forward, backward, global norm, AdamW): speed and memory, in benchstat's format. A preset has random weights,
and every token is trained; a recipe brings its own model and data.`,
		Example: `  instruct bench --preset smollm2-135m --steps 3 --profile
  instruct bench --recipe recipe.yaml --against old/instruct     is this program slower than the older one?
  instruct bench --recipe new.yaml --against old.yaml            is this recipe slower than the other?`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := kernel.ParseDType(dtype)
			if err != nil {
				return err
			}
			if err := kernel.CheckCPU(); err != nil {
				return err
			}
			if generate {
				g.DType, g.Preset, g.Prompt, g.Threads, g.Profile = d, o.Preset, o.Seq, o.Threads, o.Profile
				if cmd.Flags().Changed("steps") {
					g.Rounds = o.Steps
				}
				return benchGenerate(cmd, s, g, asJSON)
			}
			if g.Model != "" {
				return mistake("--model is measured with --generate; training steps are measured on a --preset")
			}
			if d == kernel.Q8_0 {
				return mistake("dtype q8_0 is for --generate; training steps know fp32 and bf16")
			}
			o.DType = d
			if recipe != "" {
				if cmd.Flags().Changed("preset") {
					return mistake("bench measures a --preset or a --recipe, not both")
				}
				r, err := readRecipe(s, []string{recipe}, nil)
				if err != nil {
					return err
				}
				o.Recipe = &r
			}
			if a.other != "" {
				return a.run(cmd, s, asJSON)
			}
			res, err := bench.Steps(cmd.Context(), o)
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(s.out, res)
			}
			fmt.Fprintln(s.out, res)
			printProfile(s, res.Profile, res.NsPerStep)
			return nil
		}}
	fl := c.Flags()
	fl.StringVar(&o.Preset, "preset", "lessons-1m", "model shape: smollm2-135m, gpt2-124m, tiny-15m or lessons-1m")
	fl.StringVar(&recipe, "recipe", "", "measure the first steps of this recipe, on its own model and data")
	fl.IntVar(&o.Batch, "batch", 0, "rows a step; 0: the preset's")
	fl.IntVar(&o.Seq, "seq", 0, "tokens a row; 0: the preset's. With --generate those of the prompt; 0: 256")
	fl.IntVar(&o.Steps, "steps", 10, "steps to measure, after two that are not counted. With --generate rounds; 3 where not given")
	fl.IntVar(&o.Threads, "threads", 0, "worker threads; 0: one a core")
	fl.BoolVar(&o.Profile, "profile", false, "break a step down by op")
	fl.BoolVar(&o.Checkpointing, "gradient_checkpointing", false, "keep only each layer's input and compute the rest again in the backward pass")
	fl.StringVar(&dtype, "dtype", "fp32", "format of the weights: fp32, bf16, or (with --generate) q8_0")
	fl.BoolVar(&generate, "generate", false, "measure inference in place of training: tokens a second of reading a prompt, and of decoding")
	fl.StringVar(&g.Model, "model", "", "with --generate: a folder or .gguf file to measure, in place of a preset")
	fl.IntVar(&g.NewTokens, "new_tokens", 128, "with --generate: tokens to decode")
	fl.BoolVar(&asJSON, "json", false, "one JSON object a line")
	fl.StringVar(&a.other, "against", "", "compare with this older program, or with this other recipe (.yaml), in alternating rounds; exit 1 when slower")
	fl.IntVar(&a.rounds, "rounds", 8, "rounds of --against; each measures both sides once")
	fl.BoolVar(&a.sameLoss, "same_loss", false, "with --against: exit 1 also when the loss has other bits")
	return c
}

func benchGenerate(cmd *cobra.Command, s *streams, g bench.GenerateOptions, asJSON bool) error {
	res, err := bench.Generate(cmd.Context(), g)
	if err != nil {
		return err
	}
	if asJSON {
		return writeJSON(s.out, res)
	}
	fmt.Fprintln(s.out, res)
	printProfile(s, res.Profile, res.NsPerDecodeStep)
	return nil
}

// printProfile writes the time of each kind of op and its share of whole nanoseconds.
func printProfile(s *streams, ops []bench.OpTime, whole float64) {
	for _, p := range ops {
		fmt.Fprintf(s.out, "# %-24s %8.3f ms %5.1f %%\n", p.Name, p.Ns/1e6, 100*p.Ns/whole)
	}
}
