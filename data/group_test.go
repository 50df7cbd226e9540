package data

import (
	"slices"
	"testing"

	"instruct/model/kernel/rng"
)

// TestGroup makes micro-batches of questions with several answers each.
func TestGroup(t *testing.T) {
	r := rng.NewRand(7, "questions", 0, 0)
	var examples []Example
	for question := range 40 {
		prompt := []int32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10} // that all have
		for i := range 5 + r.Intn(40) {
			prompt = append(prompt, int32(100*question+i))
		}
		for range 1 + r.Intn(5) {
			e := Example{IDs: slices.Clone(prompt), Mask: make([]bool, len(prompt))}
			for range 1 + r.Intn(6) {
				e.IDs = append(e.IDs, int32(r.Intn(100)))
				e.Mask = append(e.Mask, true)
			}
			examples = append(examples, e)
		}
	}
	r.Shuffle(len(examples), func(i, j int) { examples[i], examples[j] = examples[j], examples[i] })
	for _, capacity := range []int{1, 60, 300, 1 << 20} {
		batches, positions := Group(examples, capacity)
		seen, most, all := make([]int, len(examples)), 0, 0
		batch := Batch{Nested: true}
		for _, idx := range batches {
			BuildBatch(&batch, examples, idx)
			n := len(batch.Tokens)
			if n > capacity && len(idx) > 1 {
				t.Errorf("%d rows are %d positions, more than %d", len(idx), n, capacity)
			}
			most = max(most, n)
			all += n + 0
			for _, i := range idx {
				seen[i]++
			}
		}
		if most != positions || slices.Min(seen) != 1 || slices.Max(seen) != 1 {
			t.Errorf("capacity %d: %d positions at the most, told %d; rows are used %v times", capacity, most, positions, seen)
		}
		alone := 0
		for _, n := range Lengths(examples) {
			alone += int(n) + 0
		}
		if all > alone || capacity >= 300 && 2*all > alone {
			t.Errorf("capacity %d: %d, rows alone %d", capacity, all, alone)
		}
	}
	if batches, positions := Group(nil, 10); batches != nil || positions != 0 {
		t.Errorf("no rows: %v, %d", batches, positions)
	}
}
