package train

import (
	"context"
	"fmt"
	"io"
	"iter"
	"slices"

	"instruct/data"
	"instruct/data/lessons"
	"instruct/model"
	"instruct/model/pretrained"
	"instruct/train/eval"
	"instruct/train/recipe"
)

// dataset is the rows of a run, as examples.
type dataset struct {
	files     []string // that the rows of training are read from
	evalFiles []string
	rows      []data.Row // those of training that are in memory; nil: they are read while they are encoded
	evalRows  []data.Row
	suite     *eval.Suite // what the model is asked before and after training, nil: nothing
	train     *data.Set
	heldOut   *data.Set
	beginning beginning
	hashes    map[string]string // sha256 of files, by name, that are known already
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
func (d *dataset) count() int        { return d.train.Len() / d.together() }
func (d *dataset) countHeldOut() int { return d.heldOut.Len() / d.together() }

// loadOptions say how the rows of a run are read.
type loadOptions struct {
	threads  int
	resumed  string    // the checkpoint that the run goes on from, ""
	model    string    // that is read in place of the recipe's, ""
	steps    int       // that may be made though max_steps are fewer
	large    int64     // bytes of files of which a part is read where a part is needed; 0: largeData
	log      io.Writer // of the progress
	terminal bool      // log is one
}

// reading begins to say how far the reading of so much has come.
func (o *loadOptions) reading(total int64, say func(int64) string) *reading {
	return newReading(o.log, o.terminal, total, say)
}

// findRows finds the files that the recipe names. Rows that are needed before there is an encoder are read already:
// those of the lessons, those that a tokenizer is trained on, and those of preferences.
func findRows(ctx context.Context, r *recipe.Recipe) (d *dataset, err error) {
	d = &dataset{train: &data.Set{}, heldOut: &data.Set{}}
	if slices.Contains(r.Dataset, "lessons") {
		if len(r.Dataset) > 1 || len(r.EvalDataset) > 0 {
			return nil, mistake("dataset: the embedded 'lessons' bring their own held-out rows and cannot be mixed with files")
		}
		o := lessons.Options{Seed: uint64(r.Seed), Rows: r.LessonRows, HeldOut: r.LessonHeldOut}
		d.rows, d.evalRows = lessons.Generate(o)
		d.suite = eval.ExactAnswers("lessons", d.evalRows)
		return d, nil
	}
	if d.files, err = data.OnDisk(r.Dataset); err != nil {
		return nil, err
	}
	if d.evalFiles, err = data.OnDisk(r.EvalDataset); err != nil {
		return nil, err
	}
	_, prefers := r.Preference()
	if !prefers && (r.ModelNameOrPath != "" || r.TokenizerName != "bpe") {
		return d, nil
	}
	if d.rows, err = data.LoadWith(ctx, r.Dataset, d.options(r)); err != nil {
		return nil, err
	}
	if len(r.EvalDataset) > 0 {
		d.evalRows, err = data.LoadWith(ctx, r.EvalDataset, d.options(r))
	} else {
		d.rows, d.evalRows, err = data.Split(d.rows, r.EvalFraction, uint64(r.DataSeed))
	}
	return d, err
}

// options say how files are read; what is to be said of it becomes a note.
func (d *dataset) options(r *recipe.Recipe) data.Options {
	return data.Options{Format: r.Format, Columns: r.Columns, SkipBadRows: r.SkipBadRows, Most: r.MaxSamples,
		Note: func(text string) { d.notes = append(d.notes, text) }}
}

// encode reads the rows and makes examples of them, whose tokens must be in the model's vocabulary.
func (d *dataset) encode(ctx context.Context, r *recipe.Recipe, m *pretrained.Model, from loadOptions) error {
	separate := len(d.evalRows) > 0 || len(r.EvalDataset) > 0
	o := data.SetOptions{Threads: from.threads, Dir: folderOf(r.OutputDir), Seed: uint64(r.DataSeed),
		Check: func(e *data.Example) error { return checkIDs(e, m.Config.Vocab) }}
	if !separate && d.rows == nil {
		o.Fraction = r.EvalFraction
	}
	o.Compare = d.suite == nil && (separate || o.Fraction > 0)
	if len(r.DropRows) > 0 {
		places, err := data.ReadPlaces(r.DropRows)
		if err != nil {
			return err
		}
		o.Withhold = places
	}
	if _, ok := r.Preference(); ok {
		if err := d.encodeAnswers(ctx, r, encoder(m, r), o); err != nil {
			return err
		}
		d.notes = append(d.notes, heldOutNotes(d.train, d.heldOut, r.EvalFraction > 0)...)
		return nil
	}
	done, err := d.encodeBeginning(ctx, r, m, from, o)
	if err != nil {
		return err
	}
	options, e, files := d.options(r), encoder(m, r), slices.Concat(d.files, d.evalFiles)
	if done {
		files = d.evalFiles
	}
	reading := from.reading(sizeOf(files), bytesText)
	defer reading.finish()
	options.Seen = reading.seen
	if !done {
		if d.train, d.heldOut, err = e.Sets(ctx, source(ctx, r.Dataset, options, d.rows), o); err != nil {
			return err
		}
	}
	if separate {
		o.Fraction = 1
		if _, d.heldOut, err = e.Sets(ctx, source(ctx, r.EvalDataset, options, d.evalRows), o); err != nil {
			return err
		}
	}
	if d.suite == nil {
		d.notes = append(d.notes, heldOutNotes(d.train, d.heldOut, r.EvalFraction > 0)...)
	}
	return d.withheld(r, o.Withhold)
}

// withheld checks that the rows of drop_rows are there, and keeps their names in a form that leads to them from
// everywhere.
func (d *dataset) withheld(r *recipe.Recipe, places *data.Places) error {
	notes, err := places.Check(d.beginning.Rows > 0)
	if err != nil || places == nil {
		return err
	}
	r.DropRows = places.Names()
	n, audit := d.train.Withheld(), d.train.Audit
	if n > 0 && n == d.train.Len() {
		return mistake("drop_rows names every row that is trained on; leave some")
	}
	d.notes = append(append(d.notes, notes...), fmt.Sprintf("drop_rows: %d examples with %d tokens to train keep their "+
		"slots, and nothing of them is trained", n, audit.WithheldTokens))
	return nil
}

// source is the rows of files, or those in memory.
func source(ctx context.Context, files []string, o data.Options, rows []data.Row) iter.Seq2[data.Row, error] {
	if rows != nil {
		return data.RowsOf(rows)
	}
	return data.Rows(ctx, files, o)
}

// audit accounts for the rows of training.
func (d *dataset) audit() *data.Audit { return d.train.Audit }

// close removes the files of tokens.
func (d *dataset) close() {
	for _, s := range []*data.Set{d.train, d.heldOut} {
		if s != nil {
			s.Close()
		}
	}
}

// checkIDs makes sure that the model has every token of an example.
func checkIDs(e *data.Example, vocab int) error {
	if err := model.CheckIDs(e.IDs, vocab); err != nil {
		return mistake("%s: %w", e.Source, err)
	}
	return nil
}
