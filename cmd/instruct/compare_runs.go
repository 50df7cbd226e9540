package main

import (
	"bytes"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"instruct/checkpoints"
	"instruct/train/experiment"
)

func newCompare(s *streams) *cobra.Command {
	var csv, html string
	var markdown bool
	c := &cobra.Command{Use: "compare RUN...", Short: "Hold runs against each other: means over seeds, curves",
		Long: `Hold runs against each other. Runs whose recipes differ in the seed alone are one group; of each group the
mean and its 95 % interval over the seeds are given, beside the keys in which the groups differ. Files count by what is
in them. A folder that is no run and holds some, as a sweep's, means all of them.`,
		Example: `  instruct compare runs/a runs/b
  instruct compare runs/sweep --html compare.html --csv compare.csv
  instruct compare runs/sweep --markdown      a table for a paper`,
		RunE: func(_ *cobra.Command, dirs []string) error {
			if len(dirs) == 0 {
				return mistake("compare takes folders of runs, or folders that hold some")
			}
			all, err := experiment.Read(dirs)
			if err != nil {
				return err
			}
			return writeComparison(s, experiment.Compare(all), csv, html, markdown)
		}}
	fl := c.Flags()
	fl.StringVar(&csv, "csv", "", "write a line a run to this file")
	fl.StringVar(&html, "html", "", "write a page with the curves of all runs over each other to this file")
	fl.BoolVar(&markdown, "markdown", false, "print the table as Markdown")
	return c
}

// writeComparison prints the table, and writes what was asked for.
func writeComparison(s *streams, c *experiment.Comparison, csv, html string, markdown bool) error {
	for _, r := range c.Left {
		fmt.Fprintf(s.err, "note: %s is not finished and does not count (%d of %d steps)\n", r.Dir, r.Steps(),
			r.Manifest.Steps)
	}
	if len(c.Groups) == 0 {
		return mistake("none of the runs is finished")
	}
	for _, f := range []struct {
		path  string
		write func(io.Writer) error
	}{{csv, c.WriteCSV}, {html, c.WriteHTML}} {
		if f.path == "" {
			continue
		}
		var text bytes.Buffer
		if err := f.write(&text); err != nil {
			return err
		}
		if err := checkpoints.WriteFile(f.path, text.Bytes()); err != nil {
			return err
		}
	}
	if markdown {
		return c.WriteMarkdown(s.out)
	}
	return c.WriteText(s.out)
}
