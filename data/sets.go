package data

import (
	"context"
	"fmt"
	"iter"
)

// Set is rows as examples, and what is known of all of them.
type Set struct {
	Store
	Audit *Audit
	Parts []int // examples of each of the names that rows were read for ([Rows])

	systems systems
	near    signatures
}

// System is the system prompt of at least 19 of 20 of the rows; "" where there is none.
func (s *Set) System() string { return s.systems.common() }

// SetOptions say how rows become sets.
type SetOptions struct {
	Threads int    // 0: one a core
	Dir     string // of the files of tokens, where they are too many for the memory
	Memory  int    // bytes of tokens that stay in memory; 0: 16 MB
	// Fraction of the rows is held out, 1: all of them; which, follows from Seed and from what each says.
	Fraction float64
	Seed     uint64
	// Compare keeps what [Near] needs.
	Compare bool
	// Check refuses an example; nil: none is refused.
	Check func(*Example) error
	// Withhold names rows of which nothing is trained, and which keep their slots.
	Withhold *Places
}

// SetOf is a set of examples that were made of rows in memory.
func SetOf(rows []Row, examples []Example, audit *Audit, o SetOptions) (*Set, error) {
	s := o.newSet()
	s.Audit = audit
	for i := range rows {
		s.systems.add(&rows[i])
		if o.Compare && len(s.near.signs) < mostNear {
			s.near.add(new(sign(&rows[i])), rows[i].Source)
		}
	}
	for i := range examples {
		err := s.Add(&examples[i])
		if err == nil && o.Check != nil {
			err = o.Check(&examples[i])
		}
		if err != nil {
			s.Close()
			return nil, err
		}
	}
	return s, nil
}

// sets are the two sides of the rows while they are read.
type sets struct {
	encoder        *Encoder
	o              SetOptions
	train, heldOut *Set
	split          *split
	placed         func(heldOut bool, row *Row) // called with the row of every example that was kept; may be nil
}

// newSets makes empty sets. With strict a side may stay empty.
func (e *Encoder) newSets(o SetOptions, strict bool) (s *sets, err error) {
	s = &sets{encoder: e, o: o, train: o.newSet(), heldOut: o.newSet()}
	s.split, err = newSplit(o.Fraction, strict, s.take)
	return s, err
}

func (o *SetOptions) newSet() *Set {
	return &Set{Store: Store{Dir: o.Dir, Memory: o.Memory}, Audit: newAudit()}
}

// Sets reads rows ([Rows], [RowsOf]) and encodes them: those to train on, and those that are held out. Of the rows only
// their tokens stay. Rows that cannot be read are one error; every other row is in an audit. It is an error when no row
// of a side is left to use. The caller closes the sets.
func (e *Encoder) Sets(ctx context.Context, rows iter.Seq2[Row, error], o SetOptions) (train, heldOut *Set, err error) {
	s, err := e.newSets(o, false)
	if err == nil {
		err = s.read(ctx, rows)
	}
	if err == nil {
		err = s.split.end()
	}
	return s.end(err)
}

// read encodes rows into the sets.
func (s *sets) read(ctx context.Context, rows iter.Seq2[Row, error]) error {
	return s.encoder.stream(ctx, good(rows), s.o.Threads, s.look, s.split.add)
}

// look finds out what is not in the tokens.
func (s *sets) look(r *encoded) {
	if s.o.Fraction > 0 && s.o.Fraction < 1 {
		r.seen.key = splitKey(&r.row, s.o.Seed)
	}
	if s.o.Compare && (r.number < 2*mostNear || r.seen.key < s.o.Fraction) {
		r.seen.sign = new(sign(&r.row))
	}
}

// take puts a row on its side.
func (s *sets) take(r *encoded, heldOut bool) error {
	set := s.train
	if heldOut {
		set = s.heldOut
	}
	err := r.err
	if err == nil && r.outcome.Dropped == "" && s.o.Check != nil {
		err = s.o.Check(&r.example)
	}
	if err != nil {
		return sideError(err, heldOut)
	}
	r.example.Withheld = s.o.Withhold.withholds(r.row.Source, heldOut, r.outcome.Dropped)
	set.Audit.add(&r.row, &r.example, &r.outcome)
	set.Audit.foundUnpaired(&r.row)
	set.systems.add(&r.row)
	if r.seen.sign != nil {
		set.near.add(r.seen.sign, r.row.Source)
	}
	if r.outcome.Dropped != "" {
		return nil
	}
	for len(set.Parts) <= r.row.part {
		set.Parts = append(set.Parts, 0)
	}
	for piece := range r.example.pieces(r.outcome.piece) {
		if s.placed != nil {
			s.placed(heldOut, &r.row)
		}
		set.Parts[r.row.part]++
		if err := set.Add(piece); err != nil {
			return err
		}
	}
	return nil
}

func sideError(err error, heldOut bool) error {
	if heldOut {
		return fmt.Errorf("held-out rows: %w", err)
	}
	return err
}

// end looks at both sides as a whole. After an error nothing of them is left.
func (s *sets) end(err error) (train, heldOut *Set, _ error) {
	all := s.o.Fraction == 1
	for i, set := range []*Set{s.train, s.heldOut} {
		set.Audit.finish()
		if held := i == 1; err == nil && set.Len() == 0 && (held == all || set.Audit.Rows > 0) {
			err = sideError(s.encoder.nothingLeft(set.Audit), held)
		}
	}
	if err != nil {
		s.train.Close()
		s.heldOut.Close()
		return nil, nil, err
	}
	return s.train, s.heldOut, nil
}
