package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"instruct/model/kernel"
	"instruct/train"
)

func newBench(s *streams) *cobra.Command {
	var o train.BenchOptions
	var a against
	var dtype, recipe string
	var asJSON bool
	c := &cobra.Command{Use: "bench", Short: "Measure training steps: speed and memory, in benchstat's format", Args: noArgs,
		Long: `Measure training steps (forward, backward, global norm, AdamW): speed and memory, in benchstat's format. A preset has random weights,
and every token is trained; a recipe brings its own model and data.`,
		Example: `  instruct bench --preset smollm2-135m --steps 3 --profile
  instruct bench --recipe recipe.yaml --against old/instruct     is this program slower than the older one?
  instruct bench --recipe new.yaml --against old.yaml            is this recipe slower than the other?`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if dtype != "fp32" {
				return mistake("dtype is %q; known: fp32", dtype)
			}
			if err := kernel.CheckCPU(); err != nil {
				return err
			}
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
			res, err := train.Bench(cmd.Context(), o)
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(s.out, res)
			}
			fmt.Fprintln(s.out, res)
			for _, p := range res.Profile {
				fmt.Fprintf(s.out, "# %-24s %8.3f ms %5.1f %%\n", p.Name, p.Ns/1e6, 100*p.Ns/res.NsPerStep)
			}
			return nil
		}}
	fl := c.Flags()
	fl.StringVar(&o.Preset, "preset", "lessons-1m", "model shape: smollm2-135m, gpt2-124m, tiny-15m or lessons-1m")
	fl.StringVar(&recipe, "recipe", "", "measure the first steps of this recipe, on its own model and data")
	fl.IntVar(&o.Batch, "batch", 0, "rows a step; 0: the preset's")
	fl.IntVar(&o.Seq, "seq", 0, "tokens a row; 0: the preset's")
	fl.IntVar(&o.Steps, "steps", 10, "steps to measure, after two that are not counted")
	fl.IntVar(&o.Threads, "threads", 0, "worker threads; 0: one a core")
	fl.BoolVar(&o.Profile, "profile", false, "break a step down by op")
	fl.BoolVar(&o.Checkpointing, "gradient_checkpointing", false, "keep only each layer's input and compute the rest again in the backward pass")
	fl.StringVar(&dtype, "dtype", "fp32", "number format: fp32")
	fl.BoolVar(&asJSON, "json", false, "one JSON object a line")
	fl.StringVar(&a.other, "against", "", "compare with this older program, or with this other recipe (.yaml), in alternating rounds; exit 1 when slower")
	fl.IntVar(&a.rounds, "rounds", 8, "rounds of --against; each measures both sides once")
	fl.BoolVar(&a.sameLoss, "same_loss", false, "with --against: exit 1 also when the loss has other bits")
	return c
}
