package ops

import (
	"gorgonia.org/gorgonia"

	"instruct/model/kernel"
)

// Where products round their operands to bfloat16 (Env.Rounds), an output that none but products read is rounded by the
// kernel that writes it, and a product finds it so; of anything else it rounds a copy, on its left, or rounds while it
// packs, on its right. The bits are the same.

// byRows is a body whose output one kernel writes, by rows or by values, and never reads.
type byRows interface{ byRows() bool }

// multiplier is a body with products.
type multiplier interface {
	// multiplies says whether products round input i, and nothing else is done with it.
	multiplies(i int) bool
	// operands tells before each run, and before the scratch is asked for, which inputs are rounded.
	operands(rounded []bool)
}

// round finds the outputs of a graph that are written rounded, which none of the results is: others read those.
func round(g *gorgonia.ExprGraph, nodes, results gorgonia.Nodes) {
	for _, n := range nodes {
		if op := opOf(n); op != nil && !op.silent {
			w, ok := op.body.(byRows)
			op.rounds = ok && w.byRows()
		}
	}
	for _, n := range results {
		if op := opOf(n); op != nil {
			op.rounds = false
		}
	}
	for _, n := range nodes {
		reader := opOf(n)
		if reader == nil { // an op of Gorgonia's own
			for it := g.From(n.ID()); it.Next(); {
				if from := opOf(it.Node().(*gorgonia.Node)); from != nil {
					from.rounds = false
				}
			}
			continue
		}
		m, ok := reader.body.(multiplier)
		for i, in := range reader.inputs {
			if from := opOf(in); from != nil && !reader.orders(i) {
				from.rounds = from.rounds && ok && m.multiplies(i)
			}
		}
	}
	for _, n := range nodes {
		if reader := opOf(n); reader != nil {
			for i, in := range reader.inputs {
				from := opOf(in)
				reader.rounded[i] = from != nil && from.rounds
			}
		}
	}
}

// orders says whether input i is there for the order alone.
func (o *Op) orders(i int) bool {
	_, again := o.body.(rerun)
	return again && i == len(o.inputs)-1
}

// left gives x as a left operand of products: where they round theirs, rounded in dst, unless it is so already.
func (e *Env) left(dst, x []float32, rounded bool) []float32 {
	if rounded || !e.rounds() {
		return x
	}
	e.Pool.Round(dst, x)
	return dst[:len(x)]
}

// room is how many floats left needs for n at the most.
func (e *Env) room(n int, rounded bool) int {
	if rounded || !e.Rounds {
		return 0
	}
	return kernel.Lines(n)
}

// rounds says whether what products read is to be rounded for them.
func (e *Env) rounds() bool { return e.Rounds && !kernel.Pairs() }
