package data

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"slices"
	"strings"

	"instruct/model/kernel/rng"
)

// Split holds out a fraction of the rows. On which side a row is depends on seed and on what the row says alone, so a
// row that is added moves no other, whatever the order, and rows that are equal but for case and white space are on one
// side. The fraction is therefore met on average; at least one row is held out and one left for training, as long as
// there are two that differ. Both parts keep the order of the rows.
func Split(rows []Row, fraction float64, seed uint64) (train, heldOut []Row, err error) {
	if !(fraction > 0 && fraction < 1) {
		return nil, nil, mistake("data: the held-out fraction must lie between 0 and 1, got %v", fraction)
	}
	if len(rows) < 2 {
		return nil, nil, mistake("data: cannot hold out rows of a data set of %d: "+
			"give a second file for evaluation, or no held-out part", len(rows))
	}
	keys := make([]float64, len(rows))
	for i := range rows {
		keys[i] = splitKey(&rows[i], seed)
	}
	limit := fraction
	lowest, highest := slices.Min(keys), slices.Max(keys)
	switch {
	case lowest == highest: // all rows are one
		limit = 0
	case lowest >= limit:
		limit = above(lowest)
	case highest < limit:
		limit = highest
	}
	for i, row := range rows {
		if keys[i] < limit {
			heldOut = append(heldOut, row)
		} else {
			train = append(train, row)
		}
	}
	return train, heldOut, nil
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
