package data

import "slices"

// batchCost is what a micro-batch takes beside its positions, in positions: the weights are read once for each.
const batchCost = 32

// Group puts examples with trained tokens into micro-batches that share prefixes ([Batch].Share), for scoring, where
// the order does not matter: examples that begin alike stand together, in micro-batches of up to capacity positions, a
// longer example alone, and all micro-batches together take the least. It returns the indices of the examples of each,
// and the most positions that one has.
func Group(examples []Example, capacity int) (batches [][]int, positions int) {
	order := make([]int, len(examples))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return slices.Compare(examples[a].IDs, examples[b].IDs) })
	common := make([]int, len(order)) // tokens that an example has in common with the one after it
	for i := range len(order) - 1 {
		common[i] = commonLength(examples[order[i]].IDs, examples[order[i+1]].IDs)
	}
	least := make([]int, len(order)+1) // what the first so many examples take
	first := make([]int, len(order)+1) // where the last of their micro-batches begins
	for end := 1; end <= len(order); end++ {
		inputs, prefix := 0, 0
		for start := end - 1; start >= 0; start-- {
			e := &examples[order[start]]
			inputs += e.Inputs()
			if start == end-1 {
				prefix = e.Untrained()
			} else {
				prefix = min(prefix, common[start], e.Untrained())
			}
			n := inputs
			if prefix >= minShared {
				n -= prefix * (end - start - 1)
			}
			if n > capacity && start < end-1 {
				break
			}
			if total := least[start] + batchCost + n; start == end-1 || total < least[end] {
				least[end], first[end] = total, start
			}
		}
	}
	for end := len(order); end > 0; end = first[end] {
		batches = append(batches, order[first[end]:end:end])
		positions = max(positions, least[end]-least[first[end]]-batchCost)
	}
	slices.Reverse(batches)
	return batches, positions
}

// commonLength is how many tokens two rows have in common at their beginning.
func commonLength(a, b []int32) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// Untrained counts the positions before the one that predicts the first trained token.
func (e *Example) Untrained() int {
	n := 0
	for n+1 < len(e.Mask) && !e.Mask[n+1] {
		n++
	}
	return n
}
