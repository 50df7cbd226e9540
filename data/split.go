package data

import (
	"cmp"
	"slices"

	"instruct/model/kernel/rng"
)

// Split holds out a fraction of the rows, at least one, and leaves at least one for training. Which rows are held out
// depends on the seed and the number of rows only; both parts keep the order of the rows.
func Split(rows []Row, fraction float64, seed uint64) (train, heldOut []Row, err error) {
	if !(fraction > 0 && fraction < 1) {
		return nil, nil, mistake("data: the held-out fraction must lie between 0 and 1, got %v", fraction)
	}
	if len(rows) < 2 {
		return nil, nil, mistake("data: cannot hold out rows of a data set of %d: "+
			"give a second file for evaluation, or no held-out part", len(rows))
	}
	n := min(max(int(float64(fraction*float64(len(rows)))+0.5), 1), len(rows)-1)
	// The n rows with the smallest random keys are held out: a key depends on the row's index alone.
	keys := make([]uint64, len(rows))
	order := make([]int, len(rows))
	for i := range rows {
		r := rng.NewRand(seed, "data split", uint64(i), 0)
		keys[i] = r.Uint64()
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(cmp.Compare(keys[a], keys[b]), a-b) })
	held := make([]bool, len(rows))
	for _, i := range order[:n] {
		held[i] = true
	}
	for i, row := range rows {
		if held[i] {
			heldOut = append(heldOut, row)
		} else {
			train = append(train, row)
		}
	}
	return train, heldOut, nil
}
