package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"instruct/checkpoints"
	"instruct/model/kernel"
	"instruct/model/pretrained"
)

func newModelMerge(s *streams) *cobra.Command {
	var out string
	c := &cobra.Command{Use: "merge RUN", Short: "Add an adapter to its base: a whole model folder",
		Long: `Add the adapter of a run, a checkpoint or a PEFT folder to the weights of its base, W + s*B*A in float32, and
write a whole Hugging Face folder, which needs neither of them any more.`,
		Example: `  instruct model merge runs/mine --out runs/mine-merged`,
		RunE: func(_ *cobra.Command, runs []string) error {
			if len(runs) != 1 {
				return mistake("model merge takes one folder of an adapter, got %q", runs)
			}
			return merge(s, runs[0], out)
		}}
	c.Flags().StringVar(&out, "out", "", "folder of the whole model; it must not be there yet")
	return c
}

func merge(s *streams, run, out string) error {
	if out == "" {
		return mistake("model merge: set --out, the folder of the whole model")
	}
	if _, err := os.Lstat(out); err == nil {
		return mistake("model merge: %s is there already; name a folder that is not", out)
	}
	m, err := pretrained.Outline(run, "")
	if err != nil {
		return err
	}
	if m.AdapterConfig() == nil {
		return mistake("model merge: %s is a whole model, not an adapter", run)
	}
	if err := m.ReadWeights(kernel.F32); err != nil {
		return err
	}
	defer m.Close()
	printNotes(s.err, m)
	if err := checkpoints.NewDir(out, m.Save); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%s  weights sha256 %s\n", out, m.WeightsHash())
	return nil
}
