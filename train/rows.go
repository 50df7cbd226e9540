package train

import (
	"context"
	"fmt"
	"slices"

	"instruct/data"
	"instruct/data/lessons"
	"instruct/train/eval"
	"instruct/train/recipe"
)

// dataset is the rows of a run, as text and as examples.
type dataset struct {
	files     []string // that the rows of training were read from
	evalFiles []string
	train     []data.Row
	evalRows  []data.Row
	suite     *eval.Suite    // what the model is asked before and after training, nil: nothing
	examples  []data.Example // of the training rows
	heldOut   []data.Example
	audit     *data.Audit // of the training rows
	notes     []string

	answers, heldOutAnswers *answers // of preferences: examples are two of each; else nil
}

// together is how many examples belong together.
func (d *dataset) together() int {
	if d.answers != nil {
		return data.AnswersTogether
	}
	return 1
}

// count and countHeldOut are the number of rows: a pair is one.
func (d *dataset) count() int        { return len(d.examples) / d.together() }
func (d *dataset) countHeldOut() int { return len(d.heldOut) / d.together() }

// loadRows reads the rows that the recipe names and holds some out.
func loadRows(ctx context.Context, r *recipe.Recipe) (*dataset, error) {
	if slices.Contains(r.Dataset, "lessons") {
		if len(r.Dataset) > 1 || len(r.EvalDataset) > 0 {
			return nil, mistake("dataset: the embedded 'lessons' bring their own held-out rows and cannot be mixed with files")
		}
		d := &dataset{}
		o := lessons.Options{Seed: uint64(r.Seed), Rows: r.LessonRows, HeldOut: r.LessonHeldOut}
		d.train, d.evalRows = lessons.Generate(o)
		d.suite = eval.ExactAnswers("lessons", d.evalRows)
		return d, nil
	}
	d := &dataset{}
	var err error
	if d.files, err = data.OnDisk(r.Dataset); err != nil {
		return nil, err
	}
	if d.evalFiles, err = data.OnDisk(r.EvalDataset); err != nil {
		return nil, err
	}
	o := data.Options{Format: r.Format, Columns: r.Columns, SkipBadRows: r.SkipBadRows,
		Note: func(text string) { d.notes = append(d.notes, text) }}
	if d.train, err = loadFiles(ctx, r.Dataset, o, r.MaxSamples); err != nil {
		return nil, err
	}
	switch {
	case len(r.EvalDataset) > 0:
		d.evalRows, err = loadFiles(ctx, r.EvalDataset, o, r.MaxSamples)
	case r.EvalFraction > 0 && len(d.train) > 1:
		d.train, d.evalRows, err = data.Split(d.train, r.EvalFraction, uint64(r.DataSeed))
	}
	if err != nil {
		return nil, err
	}
	d.notes = append(d.notes, heldOutNotes(d.train, d.evalRows, r.EvalFraction > 0)...)
	return d, nil
}

// loadFiles reads the rows of files, the first most of each; 0: all.
func loadFiles(ctx context.Context, paths []string, o data.Options, most int) (rows []data.Row, err error) {
	if most == 0 {
		return data.LoadWith(ctx, paths, o)
	}
	files, err := data.Expand(paths)
	if err != nil {
		return nil, err
	}
	for _, path := range files {
		more, err := data.LoadWith(ctx, []string{path}, o)
		if err != nil {
			return nil, err
		}
		rows = append(rows, more[:min(len(more), most)]...)
	}
	return rows, nil
}

// encode makes examples of the rows, whose tokens must be in a vocabulary of vocab.
func (d *dataset) encode(ctx context.Context, e *data.Encoder, threads, vocab int) (err error) {
	if d.examples, d.audit, err = e.EncodeAll(ctx, d.train, threads); err != nil {
		return err
	}
	if len(d.evalRows) > 0 {
		if d.heldOut, _, err = e.EncodeAll(ctx, d.evalRows, threads); err != nil {
			return fmt.Errorf("held-out rows: %w", err)
		}
	}
	d.notes = append(d.notes, d.audit.Notes()...)
	return checkIDs(slices.Concat(d.examples, d.heldOut), vocab)
}
