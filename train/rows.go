package train

import (
	"context"
	"fmt"
	"slices"

	"instruct/data"
	"instruct/data/lessons"
)

// dataset is the rows of a run, as text and as examples.
type dataset struct {
	rows, evalRows []data.Row
	lessons        bool // the embedded default: held-out rows are answered and scored
	train, heldOut []data.Example
	audit          *data.Audit
	evalAudit      *data.Audit
	notes          []string
}

// loadRows reads the rows that the recipe names and holds some out.
func loadRows(ctx context.Context, r *Recipe) (*dataset, error) {
	s := &dataset{}
	if slices.Contains(r.Dataset, "lessons") {
		if len(r.Dataset) > 1 || len(r.EvalDataset) > 0 {
			return nil, mistake("dataset: the embedded 'lessons' bring their own held-out rows and cannot be mixed with files")
		}
		o := lessons.Default()
		o.Seed, o.Rows, o.HeldOut = uint64(r.Seed), r.LessonRows, r.LessonHeldOut
		s.rows, s.evalRows = lessons.Generate(o)
		s.lessons = true
		return s, nil
	}
	var err error
	if s.rows, err = data.Load(ctx, r.Dataset, r.Format); err != nil {
		return nil, err
	}
	switch {
	case len(r.EvalDataset) > 0:
		s.evalRows, err = data.Load(ctx, r.EvalDataset, r.Format)
	case r.EvalFraction > 0 && len(s.rows) > 1:
		s.rows, s.evalRows, err = data.Split(s.rows, r.EvalFraction, uint64(r.Seed))
	}
	return s, err
}

// encode makes examples of the rows.
func (s *dataset) encode(ctx context.Context, e *data.Encoder, threads int) (err error) {
	if s.train, s.audit, err = e.EncodeAll(ctx, s.rows, threads); err != nil {
		return err
	}
	if len(s.evalRows) > 0 {
		if s.heldOut, s.evalAudit, err = e.EncodeAll(ctx, s.evalRows, threads); err != nil {
			return fmt.Errorf("held-out rows: %w", err)
		}
	}
	if n := len(s.rows) - len(s.train); n > 0 {
		s.notes = append(s.notes, fmt.Sprintf("%d of %d rows were dropped; `instruct data inspect` says why", n, len(s.rows)))
	}
	return nil
}
