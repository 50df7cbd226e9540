package experiment

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"instruct/train"
)

// SweepOptions are what the runs of a sweep need beside their recipes.
type SweepOptions struct {
	Run  train.Options
	Log  io.Writer                            // how far the sweep is
	Done func(name string, r *Run, made bool) // called after each finished run; made: it is not one of before
}

// Sweep makes the runs of a grid one after the other. What was finished by the same recipe is not made again, what was
// stopped goes on. A run that fails, is damaged, or is of another recipe is named in the error, after the others were
// made.
func Sweep(ctx context.Context, points []Point, o SweepOptions) error {
	s := sweep{SweepOptions: o, of: len(points)}
	var failed []string
	for i, p := range points {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s.number = i + 1
		err := s.one(ctx, &p)
		switch {
		case errors.Is(err, train.ErrInterrupted) || ctx.Err() != nil:
			return err
		case err != nil:
			failed = append(failed, fmt.Sprintf("\n  %s: %v", p.Name, err))
			fmt.Fprintf(o.Log, "sweep %d/%d  %s failed: %v\n", s.number, s.of, p.Name, err)
		}
	}
	if len(failed) > 0 {
		return fmt.Errorf("%d of %d runs could not be made:%s", len(failed), s.of, strings.Join(failed, ""))
	}
	return nil
}

// sweep is a sweep on its way.
type sweep struct {
	SweepOptions
	number, of, made int // runs
	seconds          float64
}

// one makes a run, unless it is there.
func (s *sweep) one(ctx context.Context, p *Point) error {
	if train.IsRun(p.Recipe.OutputDir) {
		saved, err := train.ReadRun(p.Recipe.OutputDir)
		if err != nil {
			return err
		}
		if err := saved.SameRecipe(p.Recipe); err != nil {
			return fmt.Errorf("%w; remove that folder, or set another --out", err)
		}
		if saved.Finished() {
			if err := saved.CheckWeights(); err != nil {
				return fmt.Errorf("%w; remove that folder, and the run is made again", err)
			}
			r := figures(saved)
			s.Done(p.Name, &r, false)
			return nil
		}
	}
	fmt.Fprintf(s.Log, "sweep %d/%d  %s%s\n", s.number, s.of, p.Name, s.left())
	start := time.Now()
	if _, err := train.Run(ctx, p.Recipe, s.Run); err != nil {
		return err
	}
	s.made++
	s.seconds += time.Since(start).Seconds()
	saved, err := train.ReadRun(p.Recipe.OutputDir)
	if err != nil {
		return err
	}
	r := figures(saved)
	s.Done(p.Name, &r, true)
	return nil
}

// left is how long this run and those after it may take, by those that were made.
func (s *sweep) left() string {
	if s.made == 0 {
		return ""
	}
	d := time.Duration(s.seconds / float64(s.made) * float64(s.of-s.number+1) * float64(time.Second))
	return fmt.Sprintf("  (about %s left for all)", d.Round(time.Second))
}

// WriteJobs writes what makes the runs of a sweep where a scheduler starts them: kind shell is a line a run, slurm one
// job with an array. command is the sweep's own, to which the number of a run is added.
func WriteJobs(w io.Writer, kind, command, dir string, points []Point) error {
	switch kind {
	case "shell":
		for i := range points {
			fmt.Fprintf(w, "%s --point %d\n", command, i+1)
		}
	case "slurm":
		name := filepath.Join(dir, "slurm-%a.log")
		fmt.Fprintf(w, `#!/bin/sh
#SBATCH --job-name=instruct-sweep
#SBATCH --array=1-%d
#SBATCH --output=%s
#SBATCH --signal=B:TERM@120
# A run that is stopped saves, and goes on where it was when the job is submitted again.
exec %s --point "$SLURM_ARRAY_TASK_ID"
`, len(points), name, command)
		if err := os.MkdirAll(dir, 0o755); err != nil { // for the logs
			return mistake("--out %s: %w", dir, err)
		}
	default:
		return mistake("--jobs is %q; known: shell, slurm", kind)
	}
	return nil
}
