package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"instruct/train"
)

func newImport(s *streams) *cobra.Command {
	var out string
	c := &cobra.Command{Use: "import DIR", Short: "Take back a run that was exported with --to trl",
		Long: `Take back a run that was handed over with 'instruct export RUN --to trl --out DIR' and went on there with
continue.py: a run folder with a checkpoint that training goes on from, the losses of the steps that were made, and
lineage.json, which says where it comes from.`,
		Example: `  instruct import handed --out runs/back
  instruct train runs/back/recipe.yaml --resume_from_checkpoint true`,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return mistake("import takes one folder, got %q", args)
			}
			if out == "" {
				return mistake("import: set --out, the folder of the run")
			}
			if _, err := os.Lstat(out); err == nil {
				return mistake("import: %s is there already; name a folder that is not", out)
			}
			back, err := train.TakeBack(args[0], out)
			if err != nil {
				return err
			}
			fmt.Fprintf(s.out, "%s  step %d of %d  weights sha256 %s\n", back.Checkpoint, back.Step, back.Steps,
				back.WeightsHash)
			return nil
		}}
	c.Flags().StringVar(&out, "out", "", "folder of the run; it must not be there yet")
	return c
}
