package train

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"instruct/checkpoints"
	"instruct/train/recipe"
	"instruct/train/record"
)

// VerifyOptions say how much of a run is made again.
type VerifyOptions struct {
	Steps int // the last step that is made again; 0: all
	From  int // the checkpoint that the steps begin with; 0: the beginning
	Run   Options
}

// Certificate is what became of a run that was made again: what was held against its record, and the first things that
// differ.
type Certificate struct {
	Run     string        `json:"run"`
	Holds   bool          `json:"holds"`
	Checks  []VerifyCheck `json:"checks"`
	From    int           `json:"from_step"`
	Steps   int           `json:"steps_compared"` // that were made again with the bits of the record
	Of      int           `json:"steps"`          // of the run
	Kernels [2]string     `json:"kernels"`        // of the record, and now
	Version [2]string     `json:"versions"`
	Seconds float64       `json:"seconds"`
}

// VerifyCheck is one thing that was held against the record.
type VerifyCheck = record.Check

// note keeps what a check found; "" is nothing wrong.
func (c *Certificate) note(name, wrong string) {
	c.Checks = append(c.Checks, VerifyCheck{Name: name, Holds: wrong == "", Detail: wrong})
}

// same notes whether a value is that of the record.
func (c *Certificate) same(name string, recorded, now any) {
	wrong := ""
	if fmt.Sprint(recorded) != fmt.Sprint(now) {
		wrong = fmt.Sprintf("recorded %v, now %v", recorded, now)
	}
	c.note(name, wrong)
}

// Verify makes the run in dir again, in a folder of its own that is removed, and compares every loss and, where the
// steps end at a checkpoint or the end, every weight, bit by bit; before that, the files of the run with their hashes.
func Verify(ctx context.Context, dir string, o VerifyOptions) (*Certificate, error) {
	start := time.Now()
	v, err := newVerification(dir, o)
	if err != nil {
		return nil, err
	}
	scratch, err := os.MkdirTemp("", "instruct-verify-")
	if err != nil {
		return nil, fmt.Errorf("train: verify: %w", err)
	}
	defer os.RemoveAll(scratch)
	if err := v.checkFiles(ctx); err != nil {
		return nil, err
	}
	again := filepath.Join(scratch, "run")
	if err := v.repeat(ctx, again); err != nil {
		return nil, err
	}
	if err := v.compare(again); err != nil {
		return nil, err
	}
	c := &v.Certificate
	c.Seconds = time.Since(start).Seconds()
	c.Holds = !slices.ContainsFunc(c.Checks, func(x VerifyCheck) bool { return !x.Holds })
	return c, nil
}

// verification is a run that is held against its record.
type verification struct {
	Certificate
	dir      string
	o        VerifyOptions
	recipe   recipe.Recipe
	record   Manifest
	steps    []Metric // of the record
	last     int      // step that is made again last
	differed bool     // a step has other bits
}

// newVerification reads what the run says of itself.
func newVerification(dir string, o VerifyOptions) (*verification, error) {
	s, err := readSaved(dir)
	if err != nil {
		return nil, mistake("verify %w", err)
	}
	v := &verification{dir: dir, o: o, recipe: s.Recipe, record: s.Manifest}
	v.Run = dir
	if v.recipe.Stages != "" {
		return nil, mistake("verify %s: it was trained in stages; verify each stage's folder that has a recipe of its own, "+
			"such as %s", dir, filepath.Join(dir, stageName(1)))
	}
	if v.steps, err = readSteps(filepath.Join(dir, metricsFile), 0); err != nil {
		return nil, mistake("verify: %w", err)
	}
	if len(v.steps) == 0 {
		return nil, mistake("verify %s: %s has no steps", dir, metricsFile)
	}
	v.Of, v.From, v.last = len(v.steps), o.From, len(v.steps)
	if o.Steps > 0 {
		v.last = o.Steps
	}
	if o.From < 0 || v.last <= o.From || v.last > v.Of {
		return nil, mistake("verify %s: steps %d to %d; it has steps 1 to %d", dir, o.From+1, v.last, v.Of)
	}
	return v, nil
}

// checkFiles holds the files of the run against the hashes that were taken of them.
func (v *verification) checkFiles(ctx context.Context) error {
	recorded, err := v.checkLedger(ctx)
	if err != nil {
		return err
	}
	if !recorded {
		v.checkSums()
	}
	if v.record.WeightsHash == "" {
		return nil // the run was stopped
	}
	now, err := weightsHash(v.dir)
	if err != nil {
		v.note("model", err.Error())
		return nil
	}
	v.same("model", v.record.WeightsHash, now)
	return nil
}

// repeat makes the steps again in another folder, up to the first one that differs.
func (v *verification) repeat(ctx context.Context, again string) error {
	r := v.recipe
	r.OutputDir, r.Resume, r.Overwrite = again, "", false
	if v.From > 0 {
		r.Resume = filepath.Join(v.dir, filepath.Base(checkpointDir(&v.recipe, v.From)))
	}
	if !r.LoadBest {
		r.SaveStrategy = "no"
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	stopped := false
	o := v.o.Run
	o.Out, o.scratch = io.Discard, true
	o.OnStep = func(m Metric) {
		v.step(&m)
		if v.differed || m.Step == v.last && (v.last < v.Of || v.record.Finished == "") {
			stopped = true
			stop()
		}
	}
	_, err := Run(ctx, r, o)
	switch {
	case stopped && errors.Is(err, ErrInterrupted):
		return nil
	case errors.Is(err, ErrInterrupted): // nothing was saved that is of use
		return context.Canceled
	}
	return err
}

// step holds a step that was made again against the record.
func (v *verification) step(m *Metric) {
	wrong := "the record has no such step"
	if m.Step <= v.Of {
		wrong = differentStep(&v.steps[m.Step-1], m)
	}
	if wrong == "" {
		v.Steps++
		return
	}
	v.differed = true
	v.note(fmt.Sprintf("step %d", m.Step), wrong)
}

// differentStep says what of a step made again has other bits than the record, "" for nothing.
func differentStep(recorded, now *Metric) string {
	what, values, differ := DifferentStep(recorded, now)
	if !differ {
		return ""
	}
	return fmt.Sprintf("%s: recorded %v, now %v", what, values[0], values[1])
}

// DifferentStep gives the first figure of two steps that has other bits, if there is one. What a step took does not
// count. A figure that a step lacks is no number.
func DifferentStep(a, b *Metric) (what string, values [2]float64, differ bool) {
	value := func(p *float64) float64 {
		if p == nil {
			return math.NaN()
		}
		return *p
	}
	for _, x := range []struct {
		name string
		a, b float64
	}{
		{"loss", value(a.Loss), value(b.Loss)},
		{"gradient norm", a.GradNorm, b.GradNorm},
		{"learning rate", value(a.LearningRate), value(b.LearningRate)},
		{"trained tokens", float64(a.TrainedTokens), float64(b.TrainedTokens)},
		{"withheld tokens", float64(a.WithheldTokens), float64(b.WithheldTokens)},
		{"tokens", float64(a.NumTokens), float64(b.NumTokens)},
	} {
		if math.Float64bits(x.a) != math.Float64bits(x.b) {
			return x.name, [2]float64{x.a, x.b}, true
		}
	}
	return "", values, false
}

// compare holds what the repeated run wrote against the record.
func (v *verification) compare(again string) error {
	made, err := readSaved(again)
	if err != nil {
		return fmt.Errorf("train: verify: %w", err)
	}
	now := &made.Manifest
	v.Kernels, v.Version = [2]string{v.record.Kernels, now.Kernels}, [2]string{v.record.Version, now.Version}
	v.note("data files", otherContents(v.record.Files, now.Files))
	if v.From == 0 || now.BaseFiles != nil {
		v.note("base model", otherContents(v.record.BaseFiles, now.BaseFiles))
	}
	v.same("tokenizer", v.record.TokenizerHash, now.TokenizerHash)
	v.same("template", v.record.TemplateHash, now.TemplateHash)
	v.same("ids and mask", v.record.DataHash, now.DataHash)
	v.same("steps", v.record.Steps, now.Steps)
	if v.differed {
		return nil
	}
	if v.last == v.Of && v.record.WeightsHash != "" {
		v.same("weights", v.record.WeightsHash, now.WeightsHash)
		if now.WeightsHash != v.record.WeightsHash || !v.holds("model") {
			v.compareTensors("tensors", v.dir, again)
		}
		return nil
	}
	name := filepath.Base(checkpointDir(&v.recipe, v.last))
	if _, err := os.Stat(filepath.Join(v.dir, name, checkpoints.StateFile)); err != nil {
		return nil // no weights were kept of that step
	}
	v.compareTensors("tensors of "+name, filepath.Join(v.dir, name), filepath.Join(again, name))
	return nil
}

// holds tells what became of a check.
func (v *verification) holds(name string) bool {
	return !slices.ContainsFunc(v.Checks, func(c VerifyCheck) bool { return c.Name == name && !c.Holds })
}

// otherContents says which file of two sets has another content; where they lie does not count.
func otherContents(recorded, now map[string]string) string {
	files := slices.Sorted(maps.Keys(now))
	for _, path := range slices.Sorted(maps.Keys(recorded)) {
		if slices.ContainsFunc(files, func(p string) bool { return now[p] == recorded[path] }) {
			continue
		}
		for _, p := range files {
			if filepath.Base(p) == filepath.Base(path) {
				return fmt.Sprintf("%s: recorded sha256 %s, now %s", p, recorded[path], now[p])
			}
		}
		return fmt.Sprintf("%s: recorded sha256 %s, now not among the files", path, recorded[path])
	}
	return ""
}

// compareTensors notes the first weight that differs, in the order of the repeated run's tensors.
func (v *verification) compareTensors(name, recorded, again string) {
	for d, err := range DiffWeights(recorded, again) {
		switch {
		case err != nil:
			v.note(name, err.Error())
			return
		case d.Differ > 0:
			v.note(name, fmt.Sprintf("%s at %d: recorded %v, now %v", d.Name, d.First.At, d.First.Values[0], d.First.Values[1]))
			return
		case !d.Same():
			v.note(name, fmt.Sprintf("%s: recorded shape %v, now %v", d.Name, d.Shapes[0], d.Shapes[1]))
			return
		}
	}
	v.note(name, "")
}
