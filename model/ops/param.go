package ops

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"instruct/model/kernel"
)

// Param is a trainable tensor: its value and the running sum of its gradient, both row-major float32.
//
// Backward ops add into Grad, so micro-batches accumulate by running the graph again. The optimizer reads Grad and
// sets it to zero. Without Value and Grad a parameter has a place in graphs that are planned and never run.
type Param struct {
	Name  string
	Shape []int
	Value []float32       // nil where Kept is all there is
	Kept  *kernel.Weights // what matrix products and look-ups read in place of Value; nil: Value
	Grad  []float32
	Decay bool // takes part in weight decay
}

// Weights gives the matrix as products take it; f is the form of the forward product. It is nil where there is neither Value nor Kept.
func (p *Param) Weights(f kernel.Form) *kernel.Weights {
	if p.Kept != nil || p.Value == nil {
		return p.Kept
	}
	w := kernel.Float32Weights(f, p.Shape[0], p.Shape[1], p.Value)
	return &w
}

// Refresh makes Kept anew from Value, after the optimizer changed it.
func (p *Param) Refresh(pool *kernel.Pool) error {
	if p.Kept == nil {
		return nil
	}
	return p.Kept.Set(pool, 0, p.Value)
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
// would add a buffer to itself. One that exists in fewer bits only is a leaf of one zero, which orders the ops.
func (p *Param) Leaf(g *gorgonia.ExprGraph, use string) *gorgonia.Node {
	shape, value := p.Shape, p.Value
	if p.Kept != nil && value == nil {
		shape, value = []int{1}, make([]float32, 1)
	}
	opts := []gorgonia.NodeConsOpt{gorgonia.WithShape(shape...), gorgonia.WithName(p.Name + use)}
	if value != nil {
		opts = append(opts, gorgonia.WithValue(tensor.New(tensor.WithShape(shape...), tensor.WithBacking(value))))
	}
	return gorgonia.NewTensor(g, tensor.Float32, len(shape), opts...)
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
