package train

import (
	"context"
	"fmt"
	"iter"
	"math"
	"slices"

	"instruct/data"
	"instruct/model"
	"instruct/model/kernel"
	"instruct/model/ops"
	"instruct/model/pretrained"
	"instruct/train/recipe"
)

// Replayed is what became of a step that was made again from a bundle.
type Replayed struct {
	Step      int
	What      string      // was no number in the run: loss or gradient norm
	Recorded  [2]string   // version and kernels of the run
	Kernels   string      // now
	Made      []MicroMade // the micro-batches, up to the first whose loss is no number
	GradNorm  float64     // NaN where no gradient was made
	NotFinite []string    // tensors with a value that is not finite, in the order in which they came about
	Again     bool        // a loss, the gradient norm, or a weight after the step is not finite
}

// MicroMade is a micro-batch that was made again.
type MicroMade struct {
	Loss     float64 // the mean, as in the loss of the step
	Recorded float64
	Same     bool // the same bits as in the run
	Rows     []RowMade
}

// RowMade is a row of a micro-batch: the mean loss of its trained tokens.
type RowMade struct {
	Source string
	Tokens int
	Loss   float64
}

// Replay makes the step of a bundle again, with some keys of its recipe changed, and writes nothing.
func Replay(ctx context.Context, dir string, settings []recipe.Setting) (*Replayed, error) {
	b, st, err := readBundle(dir)
	if err != nil {
		return nil, err
	}
	r, err := replayRecipe(st, settings)
	if err != nil {
		return nil, err
	}
	if err := kernel.CheckCPU(); err != nil {
		return nil, err
	}
	p := &replay{Setup: &Setup{Recipe: &r, Pool: kernel.NewPool(r.Threads), resumed: dir, Steps: b.Steps}, bundle: b}
	defer p.Pool.Close()
	if p.Model, err = pretrained.Outline(dir, ""); err != nil {
		return nil, err
	}
	defer p.Model.Close()
	if err := p.open(dir, st); err != nil {
		return nil, err
	}
	defer p.trainer.Close()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return &p.Replayed, p.run()
}

// replay is a step that is made again. It is the source of its micro-batches.
type replay struct {
	*Setup
	*bundle
	Replayed
	trainer *Trainer
	batch   data.Batch
	at      int // the micro-batch at hand
}

// open makes the model and the trainer as they were before the step.
func (p *replay) open(dir string, st *state) error {
	if err := p.adapt(); err != nil {
		return err
	}
	if err := p.unfreeze(); err != nil {
		return err
	}
	p.objective = MaskedMean{}
	p.batch.Share = p.Recipe.SharePrefix && p.Recipe.NEFTune == 0
	if err := p.prefer(dir, st); err != nil {
		return err
	}
	capacity := 0
	for k := range p.MicroBatches {
		n := 0
		for _, row := range p.MicroBatches[k].Rows {
			if err := model.CheckIDs(row.IDs, p.Model.Config.Vocab); err != nil {
				return mistake("replay: %s: %w", row.Source, err)
			}
			n += len(row.IDs)
		}
		capacity = max(capacity, n)
	}
	d, err := kernel.ParseDType(p.Recipe.DType)
	if err != nil {
		return err
	}
	if p.Model.Adapter() != nil {
		d = kernel.F32
	}
	need, err := EstimateMemory(p.Model.Model, Workload{DType: d, Tokens: capacity, Threads: p.Pool.Threads(),
		Checkpointing: p.Recipe.Checkpointing, Optim: p.Recipe.Optim, EMADecay: p.Recipe.EMADecay})
	if err != nil {
		return err
	}
	if err := need.Check(nil, "replay it where there is more"); err != nil {
		return err
	}
	if err := p.Model.ReadWeights(kernel.F32); err != nil {
		return err
	}
	p.trainer, err = NewTrainer(TrainerOptions{Pool: p.Pool, Model: p.Model.Model, Recipe: p.Recipe, Steps: p.bundle.Steps,
		Source: p, Capacity: capacity, Objective: p.objective})
	if err != nil {
		return err
	}
	if err := p.restoreMoments(p.trainer, dir, st); err != nil {
		p.trainer.Close()
		return err
	}
	return nil
}

// prefer makes the objective of a loss of preferences, whose answers have the numbers that they had in the run.
func (p *replay) prefer(dir string, st *state) error {
	kind, ok := p.Recipe.Preference()
	if !ok {
		return nil
	}
	a := &answers{}
	for _, m := range p.MicroBatches {
		for i := 0; i < len(m.Rows); i += data.AnswersTogether {
			unit := m.Rows[i].Example / data.AnswersTogether
			tokens := newAnswers(&kind, p.examples(m.Rows[i:i+data.AnswersTogether]), nil).tokens[0]
			for len(a.tokens) <= unit {
				a.tokens = append(a.tokens, 0)
			}
			a.tokens[unit] = tokens
			if good := m.Rows[i].Good; good != nil {
				a.good = append(a.good, make([]bool, max(0, unit+1-len(a.good)))...)
				a.good[unit] = *good
			}
		}
	}
	if kind.Labelled && a.good == nil {
		return mistake("replay: %s has answers without a label", bundleFile)
	}
	if st.ReferenceHash != "" {
		f, err := readReference(dir, st.ReferenceHash)
		if err != nil {
			return err
		}
		if len(f.Train) < data.AnswersTogether*len(a.tokens) {
			return mistake("replay: %s has %d answers, too few for %s", referenceFile, len(f.Train), bundleFile)
		}
		a.reference = f.Train
	}
	p.preferences = newPreferences(p.Recipe, a)
	p.preferences.asksOf(&p.batch)
	p.objective = p.preferences
	return nil
}

// examples are the rows as examples.
func (p *replay) examples(rows []bundleRow) []data.Example {
	var all []data.Example
	for _, row := range rows {
		all = append(all, data.Example{IDs: row.IDs, Mask: row.Mask, Source: row.Source, Withheld: row.Withheld})
	}
	return all
}

// Next implements Source.
func (p *replay) Next() iter.Seq2[*data.Batch, error] {
	return func(yield func(*data.Batch, error) bool) {
		if p.preferences != nil {
			var units [][]int
			for _, m := range p.MicroBatches {
				var of []int
				for i := 0; i < len(m.Rows); i += data.AnswersTogether {
					of = append(of, m.Rows[i].Example/data.AnswersTogether)
				}
				units = append(units, of)
			}
			p.preferences.begin(units)
		}
		for k := range p.MicroBatches {
			rows := p.MicroBatches[k].Rows
			p.at = k
			data.BuildBatch(&p.batch, p.examples(rows), data.Members(nil, []int{0}, len(rows)))
			for i, row := range p.batch.Rows {
				if row >= 0 {
					p.batch.Rows[i] = rows[row].Example
				}
			}
			if !yield(&p.batch, nil) {
				return
			}
		}
	}
}

// run makes the step and looks at every tensor on the way.
func (p *replay) run() error {
	t := p.trainer
	p.Replayed.Step, p.Replayed.What, p.Recorded = p.bundle.Step, p.bundle.What, [2]string{p.Version, p.bundle.Kernels}
	p.Replayed.Kernels, p.GradNorm = kernel.Path(), math.NaN()
	p.look("weight", p.Model.Split(func(q *ops.Param) []float32 { return q.Value }))
	p.look("first moment", split(t.opt.model, func(q *ops.Param) []float32 { return t.opt.m[q] }))
	p.look("second moment", split(t.opt.model, func(q *ops.Param) []float32 { return t.opt.v[q] }))
	watched := false
	t.Graph.Watch(func(op string, at int, value float32) {
		if !watched {
			p.NotFinite = append(p.NotFinite, fmt.Sprintf("output of %s in micro-batch %d: %v at %d", op, p.at+1, value, at))
		}
		watched = true
	})
	_, divisor, err := t.accumulate(p.made)
	if _, bad := err.(*nonFiniteError); err != nil && !bad {
		return err
	}
	p.Again = err != nil
	p.look("gradient", p.Model.Grads())
	if p.Again {
		return nil
	}
	p.GradNorm = t.opt.gradNorm(divisor)
	if p.Again = !finite(p.GradNorm); p.Again {
		return nil
	}
	t.opt.step(p.Recipe, t.rates.Rate(p.bundle.Step), p.GradNorm, divisor)
	p.Again = p.look("weight after the step", p.Model.Split(func(q *ops.Param) []float32 { return q.Value }))
	return nil
}

// look notes the first tensor that has a value which is not finite, and tells whether there is one.
func (p *replay) look(what string, tensors []model.Tensor) bool {
	for _, t := range tensors {
		if i := slices.IndexFunc(t.Data, func(x float32) bool { return x-x != 0 }); i >= 0 {
			p.NotFinite = append(p.NotFinite, fmt.Sprintf("%s %s: %v at %d", what, t.Name, t.Data[i], i))
			return true
		}
	}
	return false
}

// made notes what a micro-batch gave.
func (p *replay) made(b *data.Batch) {
	m := MicroMade{Recorded: math.NaN()}
	now := p.trainer.made[len(p.trainer.made)-1]
	m.Loss = now.sum / now.divisor
	if was := &p.MicroBatches[p.at]; was.Loss != nil {
		m.Recorded = float64(*was.Loss) / was.Divisor
		m.Same = math.Float64bits(float64(*was.Loss)) == math.Float64bits(now.sum) ||
			math.IsNaN(float64(*was.Loss)) && math.IsNaN(now.sum)
	}
	logprobs := p.trainer.Graph.Logprobs()
	for i, s := range b.Segments {
		if b.Rows[i] < 0 {
			continue
		}
		row := RowMade{Source: p.sourceOf(b.Rows[i])}
		for j := s.Start; j < s.End; j++ {
			if b.Weights[j] != 0 && !b.OfPrompt(j) {
				row.Loss -= logprobs[j]
				row.Tokens++
			}
		}
		row.Loss /= float64(row.Tokens)
		m.Rows = append(m.Rows, row)
	}
	p.Made = append(p.Made, m)
}

// sourceOf is where a row of the micro-batch at hand was read.
func (p *replay) sourceOf(example int) string {
	rows := p.MicroBatches[p.at].Rows
	return rows[slices.IndexFunc(rows, func(r bundleRow) bool { return r.Example == example })].Source
}
