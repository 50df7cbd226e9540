package ops

import "gorgonia.org/gorgonia"

// What the backward pass reads of the forward pass need not be kept: an op that is cheap to run, or a whole layer under
// gradient checkpointing (Chen et al. 2016, arXiv:1604.06174), is run again when its output is wanted. It is an op of
// its own in the graph, so the plan of the arena needs to know nothing of it: the first output dies after its last
// reader in the forward pass, the second lives from there to its last reader in the backward pass. The same body runs
// on inputs of the same bits, so the bits are the same.

// Forget says that the output of n is not kept for the backward pass. A node whose op changes an input in place
// (attention rotates qkv) may be forgotten only together with that input.
func (g *Graph) Forget(n *gorgonia.Node) { opOf(n).forgotten = true }

// ForgetSince forgets the outputs of all ops from number first on, but for that of the node except.
func (g *Graph) ForgetSince(first int, except *gorgonia.Node) {
	for _, o := range g.ops[first:] {
		if o.node != except {
			o.forgotten = true
		}
	}
}

// again returns a node with the output of n for a backward op that has the input grad: n where it is kept, else an op
// that runs once more, on inputs that are found in the same way. It has grad as an input as well, so that it does not
// run before the backward pass gets there.
func (g *Graph) again(n, grad *gorgonia.Node) (*gorgonia.Node, error) {
	op := opOf(n)
	if op == nil || !op.forgotten {
		return n, nil
	}
	if op.rerun != nil {
		return op.rerun, nil
	}
	ins := make(gorgonia.Nodes, 0, len(op.inputs)+1)
	for _, in := range op.inputs {
		in, err := g.again(in, grad)
		if err != nil {
			return nil, err
		}
		ins = append(ins, in)
	}
	r, err := g.apply(op.name+".again", rerun{of: op.body}, op.shape, append(ins, grad)...)
	if err != nil {
		return nil, err
	}
	opOf(r).narrow = op.narrow
	op.rerun = r
	return r, nil
}

// rerun is the body of another op; the last input is there for the order only.
type rerun struct{ of body }

func (o rerun) scratch() int {
	if s, ok := o.of.(scratcher); ok {
		return s.scratch()
	}
	return 0
}

func (o rerun) lend(mem []float32) {
	if s, ok := o.of.(scratcher); ok {
		s.lend(mem)
	}
}

func (o rerun) byRows() bool {
	w, ok := o.of.(byRows)
	return ok && w.byRows()
}

func (o rerun) multiplies(i int) bool { // the last one is not read
	m, ok := o.of.(multiplier)
	return ok && m.multiplies(i)
}

func (o rerun) operands(rounded []bool) {
	if m, ok := o.of.(multiplier); ok {
		m.operands(rounded)
	}
}

func (o rerun) run(in [][]float32, out []float32) { o.of.run(in[:len(in)-1], out) }
