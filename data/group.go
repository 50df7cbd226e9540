package data

import (
	"slices"
	"sort"
)

// Group puts examples with trained tokens into micro-batches that share prefixes ([Batch].Share and Nested), for
// scoring, where the order does not matter: examples that begin alike stand together, in micro-batches of up to
// capacity positions, a longer example alone. It returns the indices of the examples of each, and the most positions
// that one has.
func Group(examples []Example, capacity int) (batches [][]int, positions int) {
	order := make([]int, len(examples))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return slices.Compare(examples[a].IDs, examples[b].IDs) })
	b := Batch{Nested: true}
	taken := func(rows []int) int {
		n := -b.Shared(examples, rows)
		for _, i := range rows {
			n += examples[i].Inputs()
		}
		return n
	}
	for len(order) > 0 {
		n := max(1, sort.Search(atMost(examples, order, capacity), func(i int) bool { return taken(order[:i+1]) > capacity }))
		batches = append(batches, order[:n:n])
		positions = max(positions, taken(order[:n]))
		order = order[n:]
	}
	return batches, positions
}

// atMost is how many of the first examples could stand in a micro-batch if each shared all that it has in common with
// the one before it.
func atMost(examples []Example, order []int, capacity int) int {
	total := 0
	for n, i := range order {
		e := &examples[i]
		total += e.Inputs()
		if n > 0 {
			last := &examples[order[n-1]]
			total -= min(e.Untrained(), last.Untrained(), commonLength(e.IDs, last.IDs))
		}
		if total > capacity {
			return n
		}
	}
	return len(order)
}

// divide finds the groups of the rows, of Nested: those that leave the fewest positions when each row has root already.
func (b *Batch) divide(examples []Example, idx []int, root int) {
	if !b.Nested {
		return
	}
	b.least = append(b.least[:0], 0) // positions that the first so many rows save
	b.sizes = b.sizes[:0]            // at first, of the last of their groups
	for end := 1; end <= len(idx); end++ {
		last := &examples[idx[end-1]]
		prefix, most, size := last.Untrained(), b.least[end-1], 1
		for start := end - 2; start >= 0 && prefix >= root+minNested; start-- {
			e := &examples[idx[start]]
			prefix = min(prefix, e.Untrained(), commonLength(e.IDs, last.IDs))
			if saved := b.least[start] + (prefix-root)*(end-start-1); prefix >= root+b.shortest(root) && saved > most {
				most, size = saved, end-start
			}
		}
		b.least, b.sizes = append(b.least, most), append(b.sizes, size)
	}
	// Go back over the last groups, and put their sizes in front.
	n := len(idx)
	at := n
	for end := n; end > 0; {
		size := b.sizes[end-1]
		end -= size
		at--
		b.sizes[at] = size
	}
	b.sizes = append(b.sizes[:0], b.sizes[at:]...)
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
