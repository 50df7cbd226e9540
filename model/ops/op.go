package ops

import (
	"encoding/binary"
	"fmt"
	"hash"
	"hash/fnv"
	"time"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// body is what one file of this package writes: the arithmetic of an op.
type body interface {
	// run computes out from in; what belongs to the batch at hand lies at the front of buffers made for the capacity.
	// Inputs that are no float32 tensors (token ids, the root gradient) are nil, and so is out of a backward op whose
	// dx nobody wants.
	run(in [][]float32, out []float32)
}

// differentiable is a body with a derivative; backward ops have none.
type differentiable interface {
	body
	// derive returns the gradient node of each input, nil where there is none; out is the op's own node, grad its
	// gradient.
	derive(g *Graph, in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error)
}

// Op carries a body into Gorgonia. It implements gorgonia.Op and gorgonia.SDOp.
//
// ReturnsPtr is true, CallsExtern false and OverwritesInput -1, so the tape machine calls Do and takes the returned
// value as it is: the op owns its output. Each op hashes to its own number, since Gorgonia merges nodes of equal hash.
type Op struct {
	env      *Env
	graph    *Graph
	name     string
	id       uint32
	body     body
	in       []operand
	diff     []bool         // which inputs have a gradient
	inputs   gorgonia.Nodes // all of them
	node     *gorgonia.Node // the output
	shape    tensor.Shape   // of the output, at capacity; scalar for the loss
	out      *tensor.Dense
	scalar   *gorgonia.F32
	borrowed bool        // the output's memory is not the op's own, see borrow
	slices   [][]float32 // reused by Do
	spent    time.Duration
	lent     []float32 // scratch, where the body needs some

	narrow    bool           // the output has a row for each needed position only, see extent
	silent    bool           // run gets no output and only adds to gradients
	learns    bool           // a trained parameter reaches the output, which so has a gradient
	forgotten bool           // the output is not kept for the backward pass, see Graph.Forget
	rerun     *gorgonia.Node // the output computed again, once that was wanted
	rounds    bool           // the output is written rounded, see round
	rounded   []bool         // the inputs that are
}

// operand is the type of an input, from which Type is made afresh at each call.
type operand struct {
	dims  int
	dtype tensor.Dtype
}

// Name returns the name of the op, such as "layers.0.attention".
func (o *Op) Name() string { return o.name }

// Node returns the output node of the op.
func (o *Op) Node() *gorgonia.Node { return o.node }

// Size returns how many float32 values the op's output needs; 0 when it needs no memory of its own.
func (o *Op) Size() int {
	if o.borrowed || o.scalar != nil {
		return 0
	}
	return o.shape.TotalSize()
}

// Place gives the op the memory for its output.
func (o *Op) Place(mem []float32) {
	o.out = tensor.New(tensor.WithShape(o.shape...), tensor.WithBacking(mem[:o.Size()]))
}

// borrow makes mem the op's output in place of memory of the arena; nil in a graph that is planned.
func (o *Op) borrow(mem []float32) {
	o.borrowed = true
	if mem != nil {
		o.out = tensor.New(tensor.WithShape(o.shape...), tensor.WithBacking(mem))
	}
}

// Spent returns the time spent in the op since the last call, while Env.Profile is set.
func (o *Op) Spent() time.Duration {
	d := o.spent
	o.spent = 0
	return d
}

// Do runs the op. A panic inside a kernel comes back as an error, since the tape machine runs ops on a goroutine of its
// own, where nobody could recover it.
func (o *Op) Do(inputs ...gorgonia.Value) (v gorgonia.Value, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("ops: %s: %v", o.name, r)
		}
	}()
	for i, in := range inputs {
		o.slices[i] = nil
		if d, ok := in.(*tensor.Dense); ok && o.in[i].dtype == tensor.Float32 {
			o.slices[i] = d.Float32s()
		}
	}
	if o.env.Profile {
		start := time.Now()
		defer func() { o.spent += time.Since(start) }()
	}
	if m, ok := o.body.(multiplier); ok {
		m.operands(o.rounded)
	}
	if s, ok := o.body.(scratcher); ok {
		s.lend(o.lent)
	}
	if o.scalar != nil {
		var s [1]float32
		o.body.run(o.slices, s[:])
		*o.scalar = gorgonia.F32(s[0])
		return o.scalar, nil
	}
	var out []float32
	if !o.silent {
		out = o.out.Float32s()
	}
	if o.rounds && o.env.rounds() {
		o.env.Pool.Rounding(out[:extent{o.env, o.narrow}.rows()*o.shape[1]])
	}
	o.body.run(o.slices, out)
	if o.env.Watch != nil {
		o.watch(out)
	}
	return o.out, nil
}

// watch tells Env.Watch of the first value of the output that is not finite, among the rows of the batch at hand. An
// output that is a parameter's gradient has no rows.
func (o *Op) watch(out []float32) {
	if o.borrowed || len(o.shape) == 0 || o.shape[0] != o.graph.Capacity {
		return
	}
	width := len(out) / o.graph.Capacity
	for i, x := range out[:extent{o.env, o.narrow}.rows()*width] {
		if x-x != 0 {
			o.env.Watch(o.name, i, x)
			return
		}
	}
}

// SymDiff implements gorgonia.SDOp.
func (o *Op) SymDiff(in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	b, ok := o.body.(differentiable)
	if !ok {
		return nil, fmt.Errorf("ops: %s: second derivatives are not supported", o.name)
	}
	return b.derive(o.graph, in, out, grad)
}

// DiffWRT implements gorgonia.SDOp.
func (o *Op) DiffWRT(int) []bool { return o.diff }

// Arity implements gorgonia.Op.
func (o *Op) Arity() int { return len(o.in) }

// Type implements gorgonia.Op. Gorgonia pools types, so each call makes a new one.
func (o *Op) Type() hm.Type {
	ts := make([]hm.Type, 0, len(o.in)+1)
	for _, in := range o.in {
		ts = append(ts, typeOf(in.dims, in.dtype))
	}
	return hm.NewFnType(append(ts, typeOf(o.shape.Dims(), tensor.Float32))...)
}

func typeOf(dims int, dt tensor.Dtype) hm.Type {
	if dims == 0 {
		return dt
	}
	return gorgonia.TensorType{Dims: dims, Of: dt}
}

// InferShape implements gorgonia.Op.
func (o *Op) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) {
	if o.scalar != nil {
		return tensor.ScalarShape(), nil
	}
	return o.shape.Clone(), nil
}

// ReturnsPtr implements gorgonia.Op.
func (o *Op) ReturnsPtr() bool { return true }

// CallsExtern implements gorgonia.Op.
func (o *Op) CallsExtern() bool { return false }

// OverwritesInput implements gorgonia.Op.
func (o *Op) OverwritesInput() int { return -1 }

// WriteHash implements gorgonia.Op; the id makes every op unequal to every other.
func (o *Op) WriteHash(h hash.Hash) {
	h.Write([]byte(o.name))
	var id [4]byte
	binary.LittleEndian.PutUint32(id[:], o.id)
	h.Write(id[:])
}

// Hashcode implements gorgonia.Op.
func (o *Op) Hashcode() uint32 {
	h := fnv.New32a()
	o.WriteHash(h)
	return h.Sum32()
}

// String implements fmt.Stringer.
func (o *Op) String() string { return o.name }
