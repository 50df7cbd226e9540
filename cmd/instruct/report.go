package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
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
	var found []string
	var worst int
	c := &cobra.Command{Use: "report RUN-or-BEHAVIOUR",
		Short: "One page about a run or a behaviour, for people who have to sign",
		Long: `Write one HTML file, which needs no network, no script and no other file. Of a run: losses, what it was trained
on with the hash of every file and an account of every row, answers, recipe, machine, how to repeat it, its record. Of a
behaviour: every round with who wanted it, verdict, suites and rules before and after, what got worse, every correction
with the answers, and its record. A run's own report.html is that of its end.`,
		Example: `  instruct report runs/mine --html mine.html
  instruct report runs/mine --html mine.html --results found/results.json    what eval --out found has found
  instruct report runs/mine --html mine.html --results found/results.json --explain 5    and the rows behind the worst
  instruct report shop --html shop.html`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return mistake("report takes the folder of one run or behaviour, got %q", args)
			}
			if err := required(cmd, "html"); err != nil {
				return err
			}
			return writeReport(cmd.Context(), s, args[0], file, found, worst)
		}}
	c.Flags().StringSliceVar(&found, "results", nil,
		"of a run: what `eval --out` found of its model, results.json; suites, rules and what was lost are shown too")
	c.Flags().IntVar(&worst, "explain", 0, "of results: the training rows behind the worst N answers (instruct explain)")
	c.Flags().StringVar(&file, "html", "", "the file to write")
	return c
}

// writeReport writes the page of a folder to a file.
func writeReport(ctx context.Context, s *streams, dir, file string, found []string, worst int) error {
	if worst < 0 || worst > 0 && len(found) == 0 {
		return mistake("explain is a number of answers of --results, such as 5")
	}
	measured, err := readResults(found)
	if err != nil {
		return err
	}
	write := func(w io.Writer) error { return train.WritePage(w, dir, measured...) }
	if pretrained.IsBehaviour(dir) {
		if len(found) > 0 {
			return mistake("results are of a run; the rounds of %s have their own", dir)
		}
		write = func(w io.Writer) error { return coach.WriteHistory(w, dir) }
	}
	if err := notAnInput("html", file, found...); err != nil {
		return err
	}
	if recipe.SameFile(dir, filepath.Dir(file)) && train.ReadsOfRun(filepath.Base(file)) {
		return mistake("html: %s is a file of the run itself, which its record names; write to another one", file)
	}
	for i := range measured {
		if worst > 0 {
			if err := explainWorst(ctx, s, dir, &measured[i], worst); err != nil {
				return err
			}
		}
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

// readResults reads what eval found: of each file the first candidate, which the others are compared with.
func readResults(paths []string) (all []train.Measured, err error) {
	for _, path := range paths {
		var r results
		text, err := os.ReadFile(path)
		if err == nil {
			err = json.Unmarshal(text, &r)
		}
		if err != nil {
			return nil, mistake("results %s: %s; expected results.json as `instruct eval --out` writes it", path,
				checkpoints.Reason(err))
		}
		if len(r.Candidates) == 0 {
			return nil, mistake("results %s: it has no candidates; expected results.json as `instruct eval --out` writes it",
				path)
		}
		c := &r.Candidates[0]
		m := train.Measured{File: path, Name: c.Name, Rows: c.Rows}
		if m.Hash, err = checkpoints.HashFile(path); err != nil {
			return nil, err
		}
		for _, rule := range c.Rules {
			one := train.MeasuredRule{Rule: rule.Rule, Severity: fmt.Sprint(rule.Severity), Text: rule.Text,
				Applies: rule.Applies, Held: rule.Held}
			for _, v := range rule.Violations {
				one.Violations = append(one.Violations, fmt.Sprintf("%s: %s", v.Test, v.Reason))
			}
			m.Rules = append(m.Rules, one)
		}
		for _, x := range r.Comparisons {
			m.Lost = append(m.Lost, train.MeasuredLoss{Suite: x.Suite, With: x.With, Tests: x.Lost})
		}
		all = append(all, m)
	}
	return all, nil
}
