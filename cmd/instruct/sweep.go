package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"instruct/train"
	"instruct/train/experiment"
	"instruct/train/recipe"
)

// sweepFlags are those of sweep.
type sweepFlags struct {
	grid      []string
	seeds     []string
	out, jobs string
	point     int
	quiet     bool
}

func newSweep(s *streams, args []string) *cobra.Command {
	var f sweepFlags
	c := &cobra.Command{Use: "sweep RECIPE.yaml", Short: "Make the runs of a grid, one after the other",
		Long: `Make the runs of a grid over a recipe, one after the other, each in a folder with a name made of its values.
The same command goes on where it was stopped, whatever stopped it: finished runs are not made again, one that was begun
goes on from its newest whole checkpoint. A run that fails or is damaged is named, the others are made all the same. The
table of compare is printed at the end.`,
		Example: `  instruct sweep recipe.yaml --grid learning_rate=1e-4,3e-4 --seeds 1,2,3
  instruct sweep recipe.yaml --grid optim=adamw,muon --grid dataset=a.jsonl,b.jsonl --out runs/two
  instruct sweep recipe.yaml --grid lora_r=8,16 --jobs shell | parallel -j 4     on other machines too
  instruct sweep recipe.yaml --seeds 1,2,3 --jobs slurm | sbatch`,
		RunE: func(cmd *cobra.Command, paths []string) error {
			if len(paths) != 1 {
				return mistake("sweep takes one recipe, got %q", paths)
			}
			points, err := f.points(s, paths[0])
			switch {
			case err != nil:
				return err
			case f.jobs != "":
				return experiment.WriteJobs(s.out, f.jobs, f.command(paths[0]), f.out, points)
			case f.point < 0 || f.point > len(points):
				return mistake("--point is %d; the sweep has runs 1 to %d", f.point, len(points))
			case f.point > 0:
				points = points[f.point-1 : f.point]
			}
			return f.run(cmd, s, points, args)
		}}
	fl := c.Flags()
	fl.StringArrayVar(&f.grid, "grid", nil, "KEY=VALUE,VALUE,... of the recipe; may be given again for another key")
	fl.StringSliceVar(&f.seeds, "seeds", nil, "seeds that every combination is run with: 1,2,3")
	fl.StringVar(&f.out, "out", "", "folder of the runs; default runs/ and the name of the recipe")
	fl.StringVar(&f.jobs, "jobs", "", "print jobs for other machines instead of running: shell or slurm")
	fl.IntVar(&f.point, "point", 0, "make only the n-th run, as the jobs do; 0: all")
	fl.BoolVar(&f.quiet, "quiet", false, "show no progress and no notes")
	return c
}

// points are the runs that are asked for.
func (f *sweepFlags) points(s *streams, path string) ([]experiment.Point, error) {
	r := recipe.Default()
	said, err := r.Read(path)
	if err != nil {
		return nil, err
	}
	var axes []experiment.Axis
	for _, text := range f.grid {
		a, err := experiment.ParseAxis(text)
		if err != nil {
			return nil, err
		}
		axes = append(axes, a)
	}
	if len(f.seeds) > 0 {
		for _, v := range f.seeds {
			if _, err := strconv.ParseUint(v, 10, 32); err != nil {
				return nil, mistake("--seeds: %q; expected whole numbers, as 1,2,3", v)
			}
		}
		a, err := experiment.ParseAxis("seed=" + strings.Join(f.seeds, ","))
		if err != nil {
			return nil, err
		}
		axes = append(axes, a)
	}
	if len(axes) == 0 {
		return nil, mistake("sweep needs --grid KEY=VALUE,VALUE or --seeds 1,2,3")
	}
	if f.out == "" {
		f.out = filepath.Join("runs", strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)))
	}
	points, more, err := experiment.Grid(r, axes, f.out)
	if err == nil && !f.quiet {
		for _, n := range append(said, more...) {
			fmt.Fprintln(s.err, "note:", n)
		}
	}
	return points, err
}

// command is the sweep as it is typed, without what chooses runs of it.
func (f *sweepFlags) command(path string) string {
	words := []string{"instruct", "sweep", shellWord(path)}
	for _, g := range f.grid {
		words = append(words, "--grid", shellWord(g))
	}
	if len(f.seeds) > 0 {
		words = append(words, "--seeds", shellWord(strings.Join(f.seeds, ",")))
	}
	return strings.Join(append(words, "--out", shellWord(f.out)), " ")
}

// run makes the runs and compares them.
func (f *sweepFlags) run(cmd *cobra.Command, s *streams, points []experiment.Point, args []string) error {
	log := s.err
	if f.quiet {
		log = io.Discard
	}
	var whole []experiment.Run
	again := []string{os.Args[0]}
	for _, a := range args {
		again = append(again, shellWord(a))
	}
	o := experiment.SweepOptions{Log: log, Run: train.Options{Out: io.Discard, Log: s.err,
		Terminal: !f.quiet && terminal(s.err),
		Width:    func() int { return terminalWidth(s.err) }, Quiet: f.quiet, Version: version(), Args: args,
		Again: strings.Join(again, " ")}}
	o.Done = func(name string, r *experiment.Run, made bool) {
		whole = append(whole, *r)
		verb := "was there"
		if made {
			verb = "done"
		}
		fmt.Fprintf(log, "sweep %d/%d  %s %s: %s\n", len(whole), len(points), name, verb, figuresOf(r))
	}
	err := experiment.Sweep(cmd.Context(), points, o)
	if err != nil && len(whole) == 0 || cmd.Context().Err() != nil {
		return err
	}
	if e := writeComparison(s, experiment.Compare(whole), "", "", false); e != nil {
		return e
	}
	return err
}

// figuresOf is the result of a run for a line.
func figuresOf(r *experiment.Run) string {
	text := fmt.Sprintf("last training loss %.4f", r.Loss)
	if !math.IsNaN(r.Eval) {
		text += fmt.Sprintf(", held-out loss %.4f", r.Eval)
	}
	if !math.IsNaN(r.Exact) {
		text += fmt.Sprintf(", exact match %.1f %%", 100*r.Exact)
	}
	return text + fmt.Sprintf(", %.0f s", r.Seconds)
}
