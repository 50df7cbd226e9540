package main

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"instruct/checkpoints"
	"instruct/model/pretrained"
	"instruct/train"
	"instruct/train/coach"
	"instruct/train/recipe"
)

func newReport(s *streams) *cobra.Command {
	var file string
	c := &cobra.Command{Use: "report RUN-or-BEHAVIOUR",
		Short: "One page about a run or a behaviour, for people who have to sign",
		Long: `Write one HTML file, which needs no network, no script and no other file. Of a run: losses, what it was trained
on with the hash of every file and an account of every row, answers, recipe, machine, how to repeat it, its record. Of a
behaviour: every round with who wanted it, verdict, suites and rules before and after, what got worse, every correction
with the answers, and its record. A run's own report.html is that of its end.`,
		Example: `  instruct report runs/mine --html mine.html
  instruct report shop --html shop.html`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return mistake("report takes the folder of one run or behaviour, got %q", args)
			}
			if err := required(cmd, "html"); err != nil {
				return err
			}
			return writeReport(s, args[0], file)
		}}
	c.Flags().StringVar(&file, "html", "", "the file to write")
	return c
}

// writeReport writes the page of a folder to a file.
func writeReport(s *streams, dir, file string) error {
	write := func(w io.Writer) error { return train.WritePage(w, dir) }
	if pretrained.IsBehaviour(dir) {
		write = func(w io.Writer) error { return coach.WriteHistory(w, dir) }
	}
	if recipe.SameFile(dir, filepath.Dir(file)) && train.ReadsOfRun(filepath.Base(file)) {
		return mistake("html: %s is a file of the run itself, which its record names; write to another one", file)
	}
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return err
	}
	if err := checkpoints.WriteFile(file, b.Bytes()); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%s\n", file)
	return nil
}
