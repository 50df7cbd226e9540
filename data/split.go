package data

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"strings"

	"instruct/model/kernel/rng"
)

// split decides which rows are held out, of a fraction of them. On which side a row is depends on seed and on what the
// row says alone, so a row that is added moves no other, whatever the order, and rows that are equal but for case and
// white space are on one side. The fraction is therefore met on average; at least one row is held out and one left for
// training, as long as there are two that differ: until it is known that both sides have one, rows wait.
type split struct {
	fraction float64 // 0: no row is held out; 1: all are
	strict   bool    // no row waits, and a side may be empty
	take     func(r *encoded, heldOut bool) error

	waiting         []encoded
	lowest, highest float64 // keys of those that wait
	decided         bool
}

// newSplit wants a fraction from 0 to 1.
func newSplit(fraction float64, strict bool, take func(r *encoded, heldOut bool) error) (*split, error) {
	if !(fraction >= 0 && fraction <= 1) {
		return nil, mistake("data: the held-out fraction must lie from 0 to 1, got %v", fraction)
	}
	return &split{fraction: fraction, strict: strict || fraction == 0 || fraction == 1, take: take, lowest: 1}, nil
}

// add takes the next row.
func (s *split) add(r *encoded) error {
	if s.strict || s.decided {
		return s.take(r, r.seen.key < s.fraction)
	}
	s.waiting = append(s.waiting, *r)
	s.lowest, s.highest = min(s.lowest, r.seen.key), max(s.highest, r.seen.key)
	if s.lowest < s.fraction && s.highest >= s.fraction {
		return s.release(s.fraction)
	}
	return nil
}

// end takes what waits, where all keys are on one side of the fraction.
func (s *split) end() error {
	limit := s.fraction
	switch {
	case s.lowest >= s.highest: // all rows are one
		limit = 0
	case s.lowest >= limit:
		limit = above(s.lowest)
	case s.highest < limit:
		limit = s.highest
	}
	return s.release(limit)
}

func (s *split) release(limit float64) error {
	s.decided = true
	for i := range s.waiting {
		if err := s.take(&s.waiting[i], s.waiting[i].seen.key < limit); err != nil {
			return err
		}
	}
	s.waiting = nil
	return nil
}

// Split divides rows that are in memory as [Encoder.Sets] does.
func Split(rows []Row, fraction float64, seed uint64) (train, heldOut []Row, err error) {
	s, err := newSplit(fraction, false, func(r *encoded, held bool) error {
		if held {
			heldOut = append(heldOut, r.row)
		} else {
			train = append(train, r.row)
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	for i := range rows {
		r := encoded{row: rows[i], seen: seen{key: splitKey(&rows[i], seed)}}
		if err := s.add(&r); err != nil {
			return nil, nil, err
		}
	}
	err = s.end()
	return train, heldOut, err
}

// splitKey is a number from 0 to below 1 that follows from seed and from what a row says.
func splitKey(row *Row, seed uint64) float64 {
	h := sha256.New()
	said(h, row.Text)
	for _, m := range row.Messages {
		said(h, m.Role)
		said(h, m.Content)
	}
	sum := h.Sum(nil)
	r := rng.NewRand(seed, "data split", binary.LittleEndian.Uint64(sum), binary.LittleEndian.Uint64(sum[8:]))
	return r.Float64()
}

// said adds the words of a text to h.
func said(h hash.Hash, text string) {
	for word := range strings.FieldsSeq(strings.ToLower(text)) {
		h.Write([]byte(word))
		h.Write([]byte{' '})
	}
	h.Write([]byte{0})
}

// above is the next of the numbers that [rng.Rand.Float64] gives.
func above(key float64) float64 { return key + 1.0/(1<<53) }
