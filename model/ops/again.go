package ops

import "gorgonia.org/gorgonia"

// What the backward pass reads of the forward pass need not be kept: an op that is cheap to run, or a whole layer under
// gradient checkpointing (Chen et al. 2016, arXiv:1604.06174), is run again when its output is wanted. It is an op of
// its own in the graph, so the plan of the arena needs to know nothing of it: the first output dies after its last
// reader in the forward pass, the second lives from there to its last reader in the backward pass. The same body runs
// on inputs of the same bits, so the bits are the same.

// Forget says that the output of n is not kept for the backward pass. A node whose op changes an input in place
// (attention rotates qkv) may be forgotten only together with that input.
func (e *Env) Forget(n *gorgonia.Node) {
	if e.forgotten == nil {
		e.forgotten, e.reruns = map[*gorgonia.Node]bool{}, map[*gorgonia.Node]*gorgonia.Node{}
	}
	e.forgotten[n] = true
}

// ForgetSince forgets every output of the ops from number first on, but for that of keep.
func (e *Env) ForgetSince(first int, keep *gorgonia.Node) {
	for _, o := range e.nodes[first:] {
		if o.node != keep {
			e.Forget(o.node)
		}
	}
}

// again returns a node with the output of n for a backward op that has the input grad: n where it is kept, else an op
// that runs once more, on inputs that are found in the same way. It has grad as an input as well, so that it does not
// run before the backward pass gets there.
func (e *Env) again(n, grad *gorgonia.Node) (*gorgonia.Node, error) {
	if !e.forgotten[n] {
		return n, nil
	}
	if r := e.reruns[n]; r != nil {
		return r, nil
	}
	op := n.Op().(*Op)
	ins := make(gorgonia.Nodes, 0, len(op.inputs)+1)
	for _, in := range op.inputs {
		in, err := e.again(in, grad)
		if err != nil {
			return nil, err
		}
		ins = append(ins, in)
	}
	r, _, err := e.apply(op.name+".again", rerun{of: op.body}, op.shape, make([]bool, len(ins)+1), append(ins, grad)...)
	if err != nil {
		return nil, err
	}
	if e.rowsOf(n).needed {
		e.keep(r)
	} else {
		delete(e.selected, r)
	}
	e.reruns[n] = r
	return r, nil
}

// rerun is the body of another op; the last input is there for the order only.
type rerun struct {
	noDerive
	of body
}

func (o rerun) run(in [][]float32, out []float32) { o.of.run(in[:len(in)-1], out) }
