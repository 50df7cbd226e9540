package ops

import (
	"fmt"
	"slices"

	"gorgonia.org/gorgonia"

	"instruct/model/kernel"
)

// Plan finds places for the outputs and the scratch of all ops of the graph in one arena, so that what is not alive at
// the same time shares memory. It returns the arena's size in float32 values and a function that gives every op its
// part of such an arena. The outputs listed in results live to the end of a run.
//
// Gorgonia's tape machine runs the nodes in the order that the reverse of [gorgonia.Sort] gives; an output is alive
// from its op to the last op that has it as an input.
func (g *Graph) Plan(results ...*gorgonia.Node) (size int, place func(arena []float32), err error) {
	eg := results[0].Graph()
	order, err := gorgonia.Sort(eg)
	if err != nil {
		return 0, nil, fmt.Errorf("ops: sort graph: %w", err)
	}
	slices.Reverse(order)
	if err := distinct(order); err != nil {
		return 0, nil, err
	}
	if g.Env.Rounds {
		round(eg, order, results)
	}
	last := make(map[*gorgonia.Node]int, len(order))
	for i, n := range order {
		last[n] = i
	}
	for i, n := range order {
		it := eg.From(n.ID())
		for it.Next() {
			last[it.Node().(*gorgonia.Node)] = i
		}
	}
	for _, n := range results {
		last[n] = len(order)
	}
	var a arena
	type part struct {
		off, n, end int // end: last step at which it is used
		give        func([]float32)
	}
	var live, all []part
	take := func(n, end int, give func([]float32)) {
		p := part{a.alloc(n), n, end, give}
		live, all = append(live, p), append(all, p)
	}
	for i, n := range order {
		live = slices.DeleteFunc(live, func(p part) bool {
			if p.end < i {
				a.free(p.off, p.n)
				return true
			}
			return false
		})
		op, ok := n.Op().(*Op)
		if !ok {
			continue
		}
		if m, ok := op.body.(multiplier); ok {
			m.operands(op.rounded)
		}
		if s, ok := op.body.(scratcher); ok && s.scratch() > 0 {
			take(s.scratch(), i, func(mem []float32) { op.lent = mem })
		}
		if op.Size() > 0 {
			take(op.Size(), last[n], op.Place)
		}
	}
	return a.size, func(mem []float32) {
		for _, p := range all {
			p.give(mem[p.off : p.off+p.n])
		}
	}, nil
}

// scratcher is a body that needs memory while it runs, which is lent to it before each run.
type scratcher interface {
	scratch() int // float32 values
	lend(mem []float32)
}

// distinct checks that Gorgonia merged no two nodes: it identifies nodes by a 32-bit hash.
func distinct(nodes gorgonia.Nodes) error {
	seen := make(map[uint32]*gorgonia.Node, len(nodes))
	for _, n := range nodes {
		if other, ok := seen[n.Hashcode()]; ok {
			return fmt.Errorf("ops: graph nodes %s and %s have the same hash", n.Name(), other.Name())
		}
		seen[n.Hashcode()] = n
	}
	return nil
}

// arena hands out ranges of one growing block, best fit first.
type arena struct {
	size  int
	holes []hole // sorted by offset, never adjacent
}

type hole struct{ off, n int }

func (a *arena) alloc(n int) int {
	n = kernel.Lines(n)
	best := -1
	for i, h := range a.holes {
		if h.n >= n && (best < 0 || h.n < a.holes[best].n) {
			best = i
		}
	}
	if best < 0 {
		if k := len(a.holes) - 1; k >= 0 && a.holes[k].off+a.holes[k].n == a.size { // grow the last hole
			off := a.holes[k].off
			a.holes = a.holes[:k]
			a.size = off + n
			return off
		}
		off := a.size
		a.size += n
		return off
	}
	h := &a.holes[best]
	off := h.off
	h.off, h.n = h.off+n, h.n-n
	if h.n == 0 {
		a.holes = slices.Delete(a.holes, best, best+1)
	}
	return off
}

func (a *arena) free(off, n int) {
	n = kernel.Lines(n)
	i, _ := slices.BinarySearchFunc(a.holes, off, func(h hole, o int) int { return h.off - o })
	a.holes = slices.Insert(a.holes, i, hole{off, n})
	if i+1 < len(a.holes) && off+n == a.holes[i+1].off {
		a.holes[i].n += a.holes[i+1].n
		a.holes = slices.Delete(a.holes, i+1, i+2)
	}
	if i > 0 && a.holes[i-1].off+a.holes[i-1].n == off {
		a.holes[i-1].n += a.holes[i].n
		a.holes = slices.Delete(a.holes, i, i+1)
	}
}
