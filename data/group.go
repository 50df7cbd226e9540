package data

import (
	"slices"
	"sort"
)

// Group puts examples with trained tokens into micro-batches that share prefixes ([Batch].Nested), for scoring, where
// the order does not matter: examples that begin alike stand together, in micro-batches of up to capacity positions, a
// longer example alone. It returns the indices of the examples of each, and the most positions that one has.
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

// maxPrefixes is how many prefixes stand before a row at most, of which each has the one before it; kernel.MaxPrefixes.
const maxPrefixes = 7

// nest adds rows that have outer in common, which is the last of so many prefixes.
func (b *Batch) nest(examples []Example, idx []int, outer Segment, prefixes int) {
	for len(idx) > 0 {
		n := b.alike(examples, idx, b.length(outer), prefixes)
		if n == 1 {
			b.row(examples, idx[0], outer, false)
		} else {
			b.nest(examples, idx[:n], b.prefix(examples, idx[:n], outer), prefixes+1)
		}
		idx = idx[n:]
	}
}

// nested is how many positions nest saves.
func (b *Batch) nested(examples []Example, idx []int, length, prefixes int) (saved int) {
	for len(idx) > 0 {
		n := b.alike(examples, idx, length, prefixes)
		if n > 1 {
			common, _ := sharedPrefix(examples, idx[:n])
			saved += (common-length)*(n-1) + b.nested(examples, idx[:n], common, prefixes+1)
		}
		idx = idx[n:]
	}
	return saved
}

// alike is how many of the first rows have enough in common behind length positions, which they have in common, to
// share it.
func (b *Batch) alike(examples []Example, idx []int, length, prefixes int) int {
	if prefixes == maxPrefixes {
		return 1
	}
	n := 1
	for ; n < len(idx); n++ {
		e, last := &examples[idx[n]], &examples[idx[n-1]]
		if e.Inputs() == 0 || last.Inputs() == 0 ||
			min(e.Untrained(), last.Untrained(), commonLength(e.IDs, last.IDs)) < length+b.shortest(length) {
			break
		}
	}
	return n
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
