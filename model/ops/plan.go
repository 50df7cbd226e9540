package ops

import (
	"fmt"
	"slices"
	"unsafe"

	"gorgonia.org/gorgonia"
)

// Plan places the outputs of all ops of the graph in one arena, so that outputs whose lives do not overlap share memory.
// It returns the arena's size in float32 values. The outputs listed in keep live to the end of a run.
//
// Gorgonia's tape machine runs the nodes in the order that the reverse of [gorgonia.Sort] gives; an output is alive from
// its op to the last op that has it as an input.
func (e *Env) Plan(g *gorgonia.ExprGraph, keep ...*gorgonia.Node) (int, error) {
	order, err := gorgonia.Sort(g)
	if err != nil {
		return 0, fmt.Errorf("ops: sort graph: %w", err)
	}
	slices.Reverse(order)
	if err := distinct(order); err != nil {
		return 0, err
	}
	last := make(map[*gorgonia.Node]int, len(order))
	for i, n := range order {
		last[n] = i
	}
	for i, n := range order {
		it := g.From(n.ID())
		for it.Next() {
			last[it.Node().(*gorgonia.Node)] = i
		}
	}
	for _, n := range keep {
		last[n] = len(order)
	}
	var a arena
	type placed struct {
		op       *Op
		off, end int // end: last step at which the output is read
	}
	var live, all []placed
	for i, n := range order {
		live = slices.DeleteFunc(live, func(p placed) bool {
			if p.end < i {
				a.free(p.off, p.op.Size())
				return true
			}
			return false
		})
		op, ok := n.Op().(*Op)
		if !ok || op.Size() == 0 {
			continue
		}
		p := placed{op, a.alloc(op.Size()), last[n]}
		live, all = append(live, p), append(all, p)
	}
	mem := Aligned(a.size)
	for _, p := range all {
		p.op.Place(mem[p.off:])
	}
	return a.size, nil
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

// Aligned returns n zeroed values whose first lies on a cache line.
func Aligned(n int) []float32 {
	const line = 64
	buf := make([]float32, n+line/4)
	off := 0
	if n > 0 {
		if r := uintptr(unsafe.Pointer(&buf[0])) % line; r != 0 {
			off = int(line-r) / 4
		}
	}
	return buf[off : off+n : off+n]
}

// arena hands out ranges of one growing block, best fit first.
type arena struct {
	size  int
	holes []hole // sorted by offset, never adjacent
}

type hole struct{ off, n int }

func lines(n int) int { return (n + 15) &^ 15 }

func (a *arena) alloc(n int) int {
	n = lines(n)
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
	n = lines(n)
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
