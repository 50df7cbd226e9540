package ops

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Param is a trainable tensor: its value and the running sum of its gradient, both row-major float32.
//
// Backward ops add into Grad, so micro-batches accumulate by running the graph again. The optimizer reads Grad and
// sets it to zero. Without Value and Grad a parameter has a place in graphs that are planned and never run.
type Param struct {
	Name  string
	Shape []int
	Value []float32
	Grad  []float32
	Decay bool // takes part in weight decay
}

// Size returns the number of values.
func (p *Param) Size() int {
	n := 1
	for _, d := range p.Shape {
		n *= d
	}
	return n
}

// Leaf adds the parameter to g as an input node. use tells apart the leaves of a tensor that is used twice (tied
// weights): Gorgonia merges leaves of equal name, and adds the gradients of one leaf with two consumers, which here
// would add a buffer to itself.
func (p *Param) Leaf(g *gorgonia.ExprGraph, use string) *gorgonia.Node {
	opts := []gorgonia.NodeConsOpt{gorgonia.WithShape(p.Shape...), gorgonia.WithName(p.Name + use)}
	if p.Value != nil {
		opts = append(opts, gorgonia.WithValue(tensor.New(tensor.WithShape(p.Shape...), tensor.WithBacking(p.Value))))
	}
	return gorgonia.NewTensor(g, tensor.Float32, len(p.Shape), opts...)
}

// gradOf is the symbolic gradient of a parameter: a node that costs nothing, runs after the backward op that filled
// Param.Grad, and returns that buffer.
type gradOf struct {
	noDerive
	p *Param
}

func (g *gradOf) run([][]float32, []float32) {}

// gradNode returns the gradient node of p, ordered after the node `after`, whose op accumulates it.
func (e *Env) gradNode(p *Param, after *gorgonia.Node) (*gorgonia.Node, error) {
	n, op, err := e.apply("grad."+p.Name, &gradOf{p: p}, tensor.Shape(p.Shape).Clone(), []bool{false}, after)
	if err != nil {
		return nil, err
	}
	op.noOut = true
	if !e.Planning {
		op.out = tensor.New(tensor.WithShape(p.Shape...), tensor.WithBacking(p.Grad))
	}
	return n, nil
}

// gradNodes returns a gradient node for each parameter, in order; a nil parameter gives a nil node.
func (e *Env) gradNodes(after *gorgonia.Node, params ...*Param) (gorgonia.Nodes, error) {
	out := make(gorgonia.Nodes, len(params))
	for i, p := range params {
		if p == nil {
			continue
		}
		n, err := e.gradNode(p, after)
		if err != nil {
			return nil, err
		}
		out[i] = n
	}
	return out, nil
}
