package ops

import (
	"fmt"
	"slices"
	"unsafe"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Graph is what ops are added to: it is there while a graph is built, and Env while it runs.
type Graph struct {
	Env      *Env
	Capacity int  // tokens of the largest batch: every output has room for so many rows
	Planning bool // the graph is planned and never run: nothing is allocated

	ops     []*Op          // every op made, in creation order
	trained gorgonia.Nodes // the inputs that are trained parameters
	outside int            // bytes that the ops hold outside the arena
}

// Ops returns every op of the graph in the order in which it was made.
func (g *Graph) Ops() []*Op { return g.ops }

// Trained returns the nodes of the trained parameters: the inputs to differentiate by.
func (g *Graph) Trained() gorgonia.Nodes { return g.trained }

// Outside returns how many bytes the ops hold outside the arena.
func (g *Graph) Outside() int { return g.outside }

// buffer makes a buffer that lives as long as the graph, outside the arena: what a backward op needs beside outputs. It
// is nil in a graph that is only planned.
func buffer[T any](g *Graph, n int) []T {
	var one T
	g.outside += n * int(unsafe.Sizeof(one))
	if g.Planning {
		return nil
	}
	return make([]T, n)
}

// apply adds an op to the graph of its inputs and returns its output node. shape is that of the output at capacity. The
// output has the rows that the first input has.
func (g *Graph) apply(name string, b body, shape tensor.Shape, inputs ...*gorgonia.Node) (*gorgonia.Node, error) {
	op := &Op{env: g.Env, graph: g, name: name, id: uint32(len(g.ops) + 1), body: b, shape: shape,
		slices: make([][]float32, len(inputs)), inputs: slices.Clone(inputs), rounded: make([]bool, len(inputs)),
		narrow: g.extentOf(inputs[0]).narrow}
	_, differentiable := b.(differentiable)
	for _, n := range inputs {
		op.in = append(op.in, operand{dims: n.Dims(), dtype: n.Dtype()})
		op.diff = append(op.diff, differentiable && g.learns(n))
	}
	op.learns = slices.Contains(op.diff, true)
	if shape.IsScalar() {
		op.scalar = new(gorgonia.F32)
	}
	n, err := gorgonia.ApplyOp(op, inputs...)
	if err != nil {
		return nil, fmt.Errorf("ops: %s: %w", name, err)
	}
	op.node = n
	g.ops = append(g.ops, op)
	return n, nil
}

// backward adds the backward op of the op of that name, whose inputs are in: x, params (but for those that are nil) and
// what has no gradient. It returns their gradients: that of x is the op's output (Capacity, width), those of trained
// parameters are added to Param.Grad. Where nobody wants the gradient of x, run gets no output.
func (g *Graph) backward(
	name string, b body, width int, in, inputs gorgonia.Nodes, params ...*Param,
) (gorgonia.Nodes, error) {
	wanted, shape := g.learns(in[0]), tensor.Shape{g.Capacity, width}
	if !wanted {
		shape = tensor.Shape{1}
	}
	n, err := g.apply(name+".backward", b, shape, inputs...)
	if err != nil {
		return nil, err
	}
	opOf(n).silent = !wanted
	grads := make(gorgonia.Nodes, 1, len(in))
	if wanted {
		grads[0] = n
	}
	for _, p := range params {
		if p == nil {
			continue
		}
		grad, err := g.gradNode(p, n)
		if err != nil {
			return nil, err
		}
		grads = append(grads, grad)
	}
	return grads[:len(in)], nil // what follows the parameters has none
}

// opOf returns the op that gives n, nil for an input of the graph.
func opOf(n *gorgonia.Node) *Op {
	op, _ := n.Op().(*Op)
	return op
}

// extentOf tells which rows a node has.
func (g *Graph) extentOf(n *gorgonia.Node) extent {
	op := opOf(n)
	return extent{g.Env, op != nil && op.narrow}
}

// learns says whether a node is a trained parameter or depends on one: only then does anybody want its gradient.
func (g *Graph) learns(n *gorgonia.Node) bool {
	if op := opOf(n); op != nil {
		return op.learns
	}
	return slices.Contains(g.trained, n)
}
