package ops

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"instruct/model/kernel"
)

// Param is a tensor of a model: its value and, unless it is frozen, the running sum of its gradient, both row-major
// float32.
//
// Backward ops add into Grad, so micro-batches accumulate by running the graph again. The optimizer reads Grad and
// sets it to zero. A frozen parameter has no gradient, and ops compute none for it. Without Value and Grad a parameter
// has a place in graphs that are planned and never run.
type Param struct {
	Name    string
	Shape   []int
	Value   []float32       // nil where there is Reduced
	Reduced *kernel.Weights // in fewer bits, in place of Value; or nil
	Grad    []float32
	Frozen  bool     // not trained
	Decay   bool     // takes part in weight decay
	Adapter *Adapter // trained beside the matrix, or nil; see [Linear]
}

// Weights gives the matrix as products take it; f is the form of the forward product. It is nil where there is neither
// Value nor Reduced.
func (p *Param) Weights(f kernel.Form) *kernel.Weights {
	if p.Reduced != nil || p.Value == nil {
		return p.Reduced
	}
	w := kernel.Float32Weights(f, p.Shape[0], p.Shape[1], p.Value)
	return &w
}

// Size returns the number of values.
func (p *Param) Size() int {
	n := 1
	for _, d := range p.Shape {
		n *= d
	}
	return n
}

// leaf adds p to the graph of n as an input node. use tells apart the leaves of a tensor that is used twice (tied
// weights): Gorgonia merges leaves of equal name, and adds the gradients of one leaf with two consumers, which here
// would add a buffer to itself. One that exists in fewer bits only is a leaf of one zero, which orders the ops.
func (g *Graph) leaf(n *gorgonia.Node, p *Param, use string) *gorgonia.Node {
	shape, value := p.Shape, p.Value
	if p.Reduced != nil && value == nil {
		shape, value = []int{1}, make([]float32, 1)
	}
	opts := []gorgonia.NodeConsOpt{gorgonia.WithShape(shape...), gorgonia.WithName(p.Name + use)}
	if value != nil {
		opts = append(opts, gorgonia.WithValue(tensor.New(tensor.WithShape(shape...), tensor.WithBacking(value))))
	}
	leaf := gorgonia.NewTensor(n.Graph(), tensor.Float32, len(shape), opts...)
	if !p.Frozen {
		g.trained = append(g.trained, leaf)
	}
	return leaf
}

// gradOf is the symbolic gradient of a parameter: a node that costs nothing, runs after the backward op that filled
// Param.Grad, and returns that buffer.
type gradOf struct{}

func (gradOf) run([][]float32, []float32) {}

// gradNode returns the gradient node of p, ordered after the node `after`, whose op accumulates it; nil where p is
// frozen.
func (g *Graph) gradNode(p *Param, after *gorgonia.Node) (*gorgonia.Node, error) {
	if p.Frozen {
		return nil, nil
	}
	n, err := g.apply("grad."+p.Name, gradOf{}, tensor.Shape(p.Shape).Clone(), after)
	if err != nil {
		return nil, err
	}
	opOf(n).borrow(p.Grad)
	return n, nil
}
