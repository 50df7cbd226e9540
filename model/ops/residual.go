package ops

import "gorgonia.org/gorgonia"

// Stream is the residual stream between two norms: the node that a norm reads and that a later linear adds its output
// to. Gorgonia would add the two gradients of such a node with an op and a buffer of its own; here the stream's second
// gradient, that of the addition, is handed to the norm's backward op, which adds it in the pass that it makes anyway.
// The addition's op has the stream as an input without gradient, and notes the node of its output's gradient here.
//
// This relies on the norm being differentiated after the addition, which holds since the addition depends on the norm.
type Stream struct {
	X    *gorgonia.Node // (N, C)
	grad *gorgonia.Node // gradient of the addition's output, known once that was differentiated
}
