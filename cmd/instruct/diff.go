package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"instruct/train/experiment"
)

func newDiff(s *streams) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{Use: "diff RUN1 RUN2", Short: "What differs between two runs: recipe, data, losses, weights",
		Long: `What differs between two runs: keys of the recipe, contents of data and base model, program; the first step
whose loss, gradient norm, rate or number of tokens has other bits, with both values; and the weights, by tensor. Exit
code 0: every loss and every weight is the same; 1: something differs.`,
		Example: `  instruct diff runs/a runs/b
  instruct diff runs/a runs/b --json`,
		RunE: func(_ *cobra.Command, dirs []string) error {
			if len(dirs) != 2 {
				return mistake("diff takes the folders of two runs, got %q", dirs)
			}
			d, err := experiment.Diff(dirs[0], dirs[1])
			if err != nil {
				return err
			}
			if asJSON {
				text, err := json.MarshalIndent(d, "", "  ")
				if err != nil {
					return err
				}
				fmt.Fprintf(s.out, "%s\n", text)
			} else {
				printDiff(s.out, d)
			}
			if !d.Same {
				return fmt.Errorf("%s and %s differ", dirs[0], dirs[1])
			}
			return nil
		}}
	c.Flags().BoolVar(&asJSON, "json", false, "print what differs as JSON")
	return c
}

// shownTensors is how many tensors that differ are named for people.
const shownTensors = 10

func printDiff(w io.Writer, d *experiment.Difference) {
	for _, part := range []struct {
		name string
		of   []experiment.Values
	}{{"recipe", d.Recipe}, {"record", d.Record}} {
		if len(part.of) == 0 {
			fmt.Fprintf(w, "%-8s  the same\n", part.name)
		}
		for _, v := range part.of {
			fmt.Fprintf(w, "%-8s  %s: %s, %s\n", part.name, v.Name, said(v.Values[0]), said(v.Values[1]))
		}
	}
	switch {
	case d.Step != nil:
		fmt.Fprintf(w, "steps     %d, %d; the first that differs is step %d: %s %v, %v\n", d.Steps[0], d.Steps[1],
			d.Step.Step, d.Step.What, d.Step.Values[0], d.Step.Values[1])
		if d.Loss != nil && d.Loss.Step != d.Step.Step {
			fmt.Fprintf(w, "          the first loss that differs is that of step %d: %v, %v\n", d.Loss.Step, d.Loss.Values[0],
				d.Loss.Values[1])
		}
	case d.Steps[0] != d.Steps[1]:
		fmt.Fprintf(w, "steps     %d, %d; those that both made have the same bits\n", d.Steps[0], d.Steps[1])
	default:
		fmt.Fprintf(w, "steps     %d, all with the same bits\n", d.Steps[0])
	}
	switch {
	case d.Weights != "":
		fmt.Fprintf(w, "weights   not compared: %s\n", d.Weights)
		return
	case len(d.Tensors) == 0:
		fmt.Fprintf(w, "weights   the same bits in all %d tensors\n", d.Of)
		return
	}
	fmt.Fprintf(w, "weights   %d of %d tensors differ, the furthest apart first\n", len(d.Tensors), d.Of)
	for _, t := range d.Tensors[:min(len(d.Tensors), shownTensors)] {
		if t.Differ == 0 {
			fmt.Fprintf(w, "  %s: shapes %v, %v\n", t.Name, t.Shapes[0], t.Shapes[1])
			continue
		}
		fmt.Fprintf(w, "  %s: %d of %d values, by up to %.3g at %s: %v, %v\n", t.Name, t.Differ, t.Values, t.Largest, t.At,
			t.Of[0], t.Of[1])
	}
	if more := len(d.Tensors) - shownTensors; more > 0 {
		fmt.Fprintf(w, "  and %d more; --json lists them\n", more)
	}
}

// said is a value for a line.
func said(v string) string {
	switch {
	case v == "":
		return "(none)"
	case len(v) > 60:
		return fmt.Sprintf("%.57q...", v)
	}
	return v
}
