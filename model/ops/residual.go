package ops

import "gorgonia.org/gorgonia"

// Stream is the residual stream in front of a sublayer: the node that the sublayer's first op reads and that its last
// op adds its output to. Both are a [Norm] or a [Linear], as the model places its norms. Gorgonia would add the two
// gradients of such a node with an op and a buffer of its own; here the stream's second gradient, that of the addition,
// is handed to the reader's backward op, which adds it in the pass that it makes anyway. The addition's op has the
// stream as an input without gradient, and notes the node of its output's gradient here.
//
// This relies on the reader being differentiated after the addition, which holds since the addition depends on it.
type Stream struct {
	X    *gorgonia.Node // (N, C)
	grad *gorgonia.Node // gradient of the addition's output, known once that was differentiated
}

// residualGrad is the gradient of a stream's addition, as the backward op of the stream's reader takes it.
type residualGrad struct {
	node    *gorgonia.Node // the last input of that op; nil: there is none to add
	scatter bool           // it is narrow, what the reader reads is not
}

// gradFor gives it to the reader of x, where anybody wants the gradient of that. s may be nil.
func (s *Stream) gradFor(g *Graph, x *gorgonia.Node) residualGrad {
	if s == nil || s.grad == nil || !g.learns(x) {
		return residualGrad{}
	}
	return residualGrad{s.grad, g.extentOf(s.grad).narrow && !g.extentOf(x).narrow}
}

// inputs appends the gradient to the inputs of the backward op.
func (r residualGrad) inputs(ins ...*gorgonia.Node) gorgonia.Nodes {
	if r.node != nil {
		ins = append(ins, r.node)
	}
	return ins
}

// dense says whether the gradient has the reader's rows.
func (r residualGrad) dense() bool { return r.node != nil && !r.scatter }

// scales says whether s is a scale at all: where a model has none it is 0.
func scales(s float32) bool { return s != 0 && s != 1 }

// residualRows gives the rows of the stream that are added where only those of needed positions are; nil: all of them.
func (e *Env) residualRows(gather bool) []int32 {
	if gather {
		return e.Needed
	}
	return nil
}
