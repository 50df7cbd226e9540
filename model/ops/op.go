package ops

import (
	"encoding/binary"
	"fmt"
	"hash"
	"hash/fnv"
	"slices"
	"time"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// body is what one file of this package writes: the arithmetic of an op and its derivative.
type body interface {
	// run computes out from in; slices of the batch's rows lie at the front of buffers made for the capacity.
	// Inputs that are no float32 tensors (token ids, the root gradient) are nil.
	run(in [][]float32, out []float32)
	// derive returns the gradient node of each input, nil where there is none.
	derive(in gorgonia.Nodes, grad *gorgonia.Node) (gorgonia.Nodes, error)
}

// Op carries a body into Gorgonia. It implements gorgonia.Op and gorgonia.SDOp.
//
// ReturnsPtr is true, CallsExtern false and OverwritesInput -1, so the tape machine calls Do and takes the returned
// value as it is: the op owns its output. Each op hashes to its own number, since Gorgonia merges nodes of equal hash.
type Op struct {
	env    *Env
	name   string
	id     uint32
	body   body
	in     []operand
	shape  tensor.Shape // of the output, at capacity; scalar for the loss
	diff   []bool       // which inputs have a gradient
	out    *tensor.Dense
	scalar *gorgonia.F32
	slices [][]float32 // reused by Do
	node   *gorgonia.Node
	inputs gorgonia.Nodes
	noOut  bool // output memory is lent by the body (Param.Grad)
	spent  time.Duration
}

// operand is the type of an input, kept so that Type can be made fresh at each call.
type operand struct {
	dims  int
	dtype tensor.Dtype
}

// apply adds an op to the graph of its inputs and returns its output node.
func (e *Env) apply(name string, b body, shape tensor.Shape, diff []bool, inputs ...*gorgonia.Node) (*gorgonia.Node, *Op, error) {
	op := &Op{env: e, name: name, id: uint32(len(e.nodes) + 1), body: b, shape: shape, diff: diff,
		slices: make([][]float32, len(inputs)), inputs: slices.Clone(inputs)}
	for _, n := range inputs {
		op.in = append(op.in, operand{dims: n.Dims(), dtype: n.Dtype()})
	}
	if shape.IsScalar() {
		op.scalar = new(gorgonia.F32)
	}
	n, err := gorgonia.ApplyOp(op, inputs...)
	if err != nil {
		return nil, nil, fmt.Errorf("ops: %s: %w", name, err)
	}
	op.node = n
	e.nodes = append(e.nodes, op)
	if len(inputs) > 0 && e.rowsOf(inputs[0]).needed {
		e.keep(n) // an op gives the rows that its first input has
	}
	return n, op, nil
}

// Name returns the name of the op, such as "layers.0.attention".
func (o *Op) Name() string { return o.name }

// Node returns the output node of the op.
func (o *Op) Node() *gorgonia.Node { return o.node }

// Size returns how many float32 values the op's output needs; 0 when it needs no memory of its own.
func (o *Op) Size() int {
	if o.noOut || o.scalar != nil {
		return 0
	}
	return o.shape.TotalSize()
}

// Place gives the op the memory for its output.
func (o *Op) Place(mem []float32) {
	o.out = tensor.New(tensor.WithShape(o.shape...), tensor.WithBacking(mem[:o.Size()]))
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
	switch {
	case o.scalar != nil:
		var s [1]float32
		o.body.run(o.slices, s[:])
		*o.scalar = gorgonia.F32(s[0])
		return o.scalar, nil
	case o.noOut:
		o.body.run(o.slices, nil)
	default:
		o.body.run(o.slices, o.out.Float32s())
	}
	return o.out, nil
}

// SymDiff implements gorgonia.SDOp.
func (o *Op) SymDiff(in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	return o.body.derive(in, grad)
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

// noDerive is embedded by backward ops, which are not differentiated again.
type noDerive struct{}

func (noDerive) derive(gorgonia.Nodes, *gorgonia.Node) (gorgonia.Nodes, error) {
	return nil, fmt.Errorf("ops: second derivatives are not supported")
}

// nodeOf returns the output node of the op that carries b.
func (e *Env) nodeOf(b body) *gorgonia.Node {
	for _, o := range e.nodes {
		if o.body == b {
			return o.node
		}
	}
	return nil
}
