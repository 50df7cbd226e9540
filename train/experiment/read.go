package experiment

import (
	"math"
	"os"
	"path/filepath"
	"slices"

	"instruct/checkpoints"
	"instruct/train"
)

// Run is a run with the figures that are compared. Losses are of nats a token; NaN: it has none.
type Run struct {
	*train.Saved
	Loss     float64 // of the last step
	Eval     float64 // the last held-out loss
	Best     float64 // the lowest held-out loss
	BestStep int
	Exact    float64 // share of the held-out instructions that are answered as they should be
	Seconds  float64 // of its steps, in every part of a run that was stopped and went on
}

// Read reads runs. A folder that is no run and holds some means all of them, by name.
func Read(dirs []string) ([]Run, error) {
	var all []Run
	for _, dir := range dirs {
		list, err := runFolders(dir)
		if err != nil {
			return nil, err
		}
		for _, d := range list {
			s, err := train.ReadRun(d)
			if err != nil {
				return nil, err
			}
			all = append(all, figures(s))
		}
	}
	return all, nil
}

// runFolders are the folders of runs that a name means.
func runFolders(dir string) ([]string, error) {
	if train.IsRun(dir) {
		return []string{dir}, nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, mistake("%s: %s; name the folder of a run, or one that holds runs", dir, checkpoints.Reason(err))
	}
	var list []string
	for _, e := range entries {
		if path := filepath.Join(dir, e.Name()); train.IsRun(path) {
			list = append(list, path)
		}
	}
	if list == nil {
		return nil, mistake("%s is no run and holds none; name folders that have a run.json", dir)
	}
	slices.Sort(list)
	return list, nil
}

// figures takes out of a run what is compared.
func figures(s *train.Saved) Run {
	r := Run{Saved: s, Loss: math.NaN(), Eval: math.NaN(), Best: math.NaN(), Exact: math.NaN()}
	tokens := 0
	for _, m := range s.Rows {
		if m.EvalLoss != nil {
			r.Eval = *m.EvalLoss
			if !(r.Best <= r.Eval) {
				r.Best, r.BestStep = r.Eval, m.Step
			}
			continue
		}
		if m.Loss != nil {
			r.Loss = *m.Loss
		}
		if m.TokensPerSec > 0 {
			r.Seconds += float64(m.NumTokens-tokens) / m.TokensPerSec
		}
		tokens = m.NumTokens
	}
	if s.Manifest.ExactMatch != nil {
		r.Exact = *s.Manifest.ExactMatch
	}
	return r
}

// Steps is how many steps the run made.
func (r *Run) Steps() int {
	n := 0
	for _, m := range r.Rows {
		if m.Loss != nil {
			n++
		}
	}
	return n
}
