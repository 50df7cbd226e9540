package experiment

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"instruct/train"
)

// Difference is what two runs do not have in common.
type Difference struct {
	Runs    [2]string    `json:"runs"`
	Same    bool         `json:"same"` // every loss and every weight
	Recipe  []Values     `json:"recipe"`
	Record  []Values     `json:"record"` // data, model, program, by content
	Steps   [2]int       `json:"steps"`
	Step    *StepValues  `json:"first_step,omitempty"` // the first that differs; nil: none of those that both made
	Loss    *StepValues  `json:"first_loss,omitempty"` // the first step whose loss differs
	Tensors []TensorDiff `json:"tensors"`              // those that differ, the furthest apart first
	Of      int          `json:"tensors_compared"`
	Weights string       `json:"weights,omitempty"` // why they were not compared
}

// Values are those of one thing in both runs.
type Values struct {
	Name   string    `json:"name"`
	Values [2]string `json:"values"`
}

// StepValues are the values of a step that has other bits in each run.
type StepValues struct {
	Step   int        `json:"step"`
	What   string     `json:"what"`
	Values [2]float64 `json:"values"`
}

// TensorDiff is how far apart the tensors of one name are.
type TensorDiff struct {
	Name    string     `json:"name"`
	Shapes  [2][]int   `json:"shapes"`
	Values  int        `json:"values"`
	Differ  int        `json:"differ"`            // values with other bits; 0: another shape, or one run lacks it
	Largest float64    `json:"largest,omitempty"` // difference; of a value that is no number it is not given
	At      string     `json:"at,omitempty"`      // the index of that value
	Of      [2]float32 `json:"-"`                 // that value
}

// Diff holds two runs against each other: recipes, what they were made from, the steps that both made, and the weights
// of both at the end.
func Diff(a, b string) (*Difference, error) {
	x, err := train.ReadRun(a)
	if err != nil {
		return nil, err
	}
	y, err := train.ReadRun(b)
	if err != nil {
		return nil, err
	}
	d := &Difference{Runs: [2]string{a, b}, Recipe: []Values{}, Record: []Values{}, Tensors: []TensorDiff{}}
	for _, k := range y.Recipe.Differences(&x.Recipe) {
		if k.Key != "output_dir" {
			d.Recipe = append(d.Recipe, Values{k.Key, [2]string{k.Before, k.Now}})
		}
	}
	d.record(&x.Manifest, &y.Manifest)
	d.steps(x, y)
	if err := d.weights(x, y); err != nil {
		return nil, err
	}
	d.Same = d.Step == nil && d.Steps[0] == d.Steps[1] && len(d.Tensors) == 0 && d.Weights == ""
	return d, nil
}

// record compares what the runs say they were made from.
func (d *Difference) record(x, y *train.Manifest) {
	for _, v := range []struct {
		name string
		a, b any
	}{
		{dataFiles, contents(x.Files), contents(y.Files)},
		{"rows", x.Rows, y.Rows},
		{"held-out rows", x.HeldOutRows, y.HeldOutRows},
		{"ids and mask", x.DataHash, y.DataHash},
		{baseModel, contents(x.BaseFiles), contents(y.BaseFiles)},
		{"tokenizer", x.TokenizerHash, y.TokenizerHash},
		{"template", x.TemplateHash, y.TemplateHash},
		{"version", x.Version, y.Version},
		{"kernels", x.Kernels, y.Kernels},
		{"platform", x.Platform, y.Platform},
	} {
		if a, b := fmt.Sprint(v.a), fmt.Sprint(v.b); a != b {
			d.Record = append(d.Record, Values{v.name, [2]string{a, b}})
		}
	}
}

// steps finds the first step that both runs made with other bits, and the first with another loss.
func (d *Difference) steps(x, y *train.Saved) {
	a, b := stepRows(x), stepRows(y)
	d.Steps = [2]int{len(a), len(b)}
	for i := range min(len(a), len(b)) {
		what, values, differ := train.DifferentStep(&a[i], &b[i])
		if differ && d.Step == nil {
			d.Step = &StepValues{a[i].Step, what, values}
		}
		if differ && what == "loss" { // it is looked at first
			d.Loss = &StepValues{a[i].Step, what, values}
			return
		}
	}
}

func stepRows(s *train.Saved) (rows []train.Metric) {
	for _, m := range s.Rows {
		if m.Loss != nil {
			rows = append(rows, m)
		}
	}
	return rows
}

// weights compares the models at the end, where both runs have one.
func (d *Difference) weights(x, y *train.Saved) error {
	for _, s := range []*train.Saved{x, y} {
		if !s.Finished() {
			d.Weights = s.Dir + " is not finished"
			return nil
		}
	}
	for t, err := range train.DiffWeights(x.Dir, y.Dir) {
		if err != nil {
			return err
		}
		d.Of++
		if t.Same() {
			continue
		}
		one := TensorDiff{Name: t.Name, Shapes: t.Shapes, Values: t.Values, Differ: t.Differ, Of: t.Largest.Values}
		if t.Differ > 0 {
			one.At = train.Index(t.Shapes[0], t.Largest.At)
			if apart := t.Apart(); !math.IsInf(apart, 0) {
				one.Largest = apart
			}
		}
		d.Tensors = append(d.Tensors, one)
	}
	slices.SortStableFunc(d.Tensors, func(a, b TensorDiff) int { return cmp.Compare(b.furthest(), a.furthest()) })
	return nil
}

// furthest orders tensors: those of other shapes first, then those with values that are no numbers.
func (t *TensorDiff) furthest() float64 {
	if t.Differ == 0 || t.Largest == 0 {
		return math.Inf(1)
	}
	return t.Largest
}
