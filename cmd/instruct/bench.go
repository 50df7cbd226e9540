package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"instruct/model/kernel"
	"instruct/train"
)

func newBench(s *streams) *cobra.Command {
	var o train.BenchOptions
	var dtype string
	var asJSON bool
	c := &cobra.Command{Use: "bench", Short: "Measure training steps: speed and memory, in benchstat's format", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if dtype != "fp32" {
				return mistake("dtype is %q; known: fp32", dtype)
			}
			if err := kernel.CheckCPU(); err != nil {
				return err
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
	fl.IntVar(&o.Batch, "batch", 0, "rows a step; 0: the preset's")
	fl.IntVar(&o.Seq, "seq", 0, "tokens a row; 0: the preset's")
	fl.IntVar(&o.Steps, "steps", 10, "steps to measure, after two that are not counted")
	fl.IntVar(&o.Threads, "threads", 0, "worker threads; 0: one a core")
	fl.BoolVar(&o.Profile, "profile", false, "break a step down by op")
	fl.StringVar(&dtype, "dtype", "fp32", "number format: fp32")
	fl.BoolVar(&asJSON, "json", false, "one JSON object")
	return c
}
