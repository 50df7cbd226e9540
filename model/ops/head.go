package ops

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"instruct/model/kernel"
)

// chunkFloats bounds the logits that exist at one time: chunk rows * V float32 values (32 MiB).
const chunkFloats = 8 << 20

// Loss is the language-model head with its cross-entropy: sum over rows of Weights[i] * -log softmax(x_i·Wᵀ)[Targets[i]].
//
// Only rows of weight > 0 go through the head: they are gathered, then taken in chunks, so the (N, V) logits never
// exist. With Grad, the gradients are computed in the same pass while a chunk's logits are at hand: dW is accumulated at
// once, dx is kept for the backward op. The incoming gradient of a loss is 1 and is not read.
type Loss struct {
	W    *Param // (V, C); tied models share it with the embedding
	Grad bool

	// Results of the last run, per row of the batch.
	Sum    float64   // weighted sum of the losses
	Losses []float64 // (N) unweighted -log p, 0 where the weight is 0
}

type loss struct {
	env *Env
	*Loss
	v, c, chunk int
	rows        []int32   // which rows of the batch are gathered
	targets     []int32   // their targets
	weights     []float32 // their weights
	h, dh       []float32 // (cap, C) gathered inputs and their gradients
	logits      []float32 // (chunk, V)
	losses      []float64 // of the gathered rows
}

// Apply adds the op on the normed rows x (N, C) and returns the scalar loss.
func (o *Loss) Apply(e *Env, x *gorgonia.Node) (*gorgonia.Node, error) {
	v, c := o.W.Shape[0], o.W.Shape[1]
	chunk := min(e.Capacity, max(64, chunkFloats/v))
	b := &loss{env: e, Loss: o, v: v, c: c, chunk: chunk,
		rows: make([]int32, 0, e.Capacity), targets: make([]int32, 0, e.Capacity), weights: make([]float32, 0, e.Capacity),
		h: make([]float32, e.Capacity*c), logits: make([]float32, chunk*v), losses: make([]float64, e.Capacity)}
	o.Losses = make([]float64, e.Capacity)
	if o.Grad {
		b.dh = make([]float32, e.Capacity*c)
	}
	n, _, err := e.apply("loss", b, tensor.ScalarShape(), []bool{true, true}, x, o.W.Leaf(x.Graph(), ".head"))
	return n, err
}

func (o *loss) run(in [][]float32, out []float32) {
	b := &o.env.Batch
	o.rows, o.targets, o.weights = o.rows[:0], o.targets[:0], o.weights[:0]
	for i, w := range b.Weights {
		o.Losses[i] = 0
		if w > 0 {
			o.rows = append(o.rows, int32(i))
			o.targets = append(o.targets, b.Targets[i])
			o.weights = append(o.weights, w)
		}
	}
	p := o.env.Pool
	p.Gather(o.h, in[0], o.rows, len(o.rows), o.c)
	o.Sum = 0
	for lo := 0; lo < len(o.rows); lo += o.chunk {
		hi := min(lo+o.chunk, len(o.rows))
		n, h := hi-lo, o.h[lo*o.c:]
		p.Gemm(kernel.NT, n, o.v, o.c, h, o.c, o.W.Value, o.c, o.logits, o.v, false)
		p.CrossEntropy(o.logits, o.targets[lo:hi], o.weights[lo:hi], o.losses[lo:hi], n, o.v, o.Grad)
		if o.Grad {
			p.Gemm(kernel.NN, n, o.c, o.v, o.logits, o.v, o.W.Value, o.c, o.dh[lo*o.c:], o.c, false)
			p.Gemm(kernel.TN, o.v, o.c, n, o.logits, o.v, h, o.c, o.W.Grad, o.c, true)
		}
	}
	for i, r := range o.rows {
		o.Losses[r] = o.losses[i]
		o.Sum += float64(o.weights[i]) * o.losses[i]
	}
	out[0] = float32(o.Sum)
}

func (o *loss) derive(in gorgonia.Nodes, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	dx, _, err := o.env.apply("loss.backward", &lossBackward{f: o}, tensor.Shape{o.env.Capacity, o.c},
		[]bool{false, false}, grad, o.env.nodeOf(o))
	if err != nil {
		return nil, err
	}
	grads, err := o.env.gradNodes(dx, nil, o.W)
	if err != nil {
		return nil, err
	}
	grads[0] = dx
	return grads, nil
}

type lossBackward struct {
	noDerive
	f *loss
}

func (o *lossBackward) run(_ [][]float32, dx []float32) {
	f := o.f
	n := f.env.Batch.Len()
	clear(dx[:n*f.c])
	for i, r := range f.rows {
		copy(dx[int(r)*f.c:(int(r)+1)*f.c], f.dh[i*f.c:(i+1)*f.c])
	}
}

// Logits is the head of a model that generates: out (R, V) = x[Rows]·Wᵀ for the rows asked for.
type Logits struct {
	W    *Param  // (V, C)
	Rows []int32 // rows of the batch wanted, at most MaxRows; set before each run

	MaxRows int
	out     []float32
}

// Out returns the logits (R, V) of the last run; the next run overwrites them.
func (o *Logits) Out() []float32 { return o.out }

type logits struct {
	env *Env
	*Logits
	h []float32 // (MaxRows, C)
}

// Apply adds the op on the normed rows x (N, C).
func (o *Logits) Apply(e *Env, x *gorgonia.Node) (*gorgonia.Node, error) {
	v, c := o.W.Shape[0], o.W.Shape[1]
	n, _, err := e.apply("logits", &logits{e, o, make([]float32, o.MaxRows*c)}, tensor.Shape{o.MaxRows, v},
		[]bool{false, false}, x, o.W.Leaf(x.Graph(), ".head"))
	return n, err
}

func (o *logits) run(in [][]float32, out []float32) {
	v, c := o.W.Shape[0], o.W.Shape[1]
	o.out = out[:len(o.Rows)*v]
	o.env.Pool.Gather(o.h, in[0], o.Rows, len(o.Rows), c)
	o.env.Pool.Gemm(kernel.NT, len(o.Rows), v, c, o.h, c, o.W.Value, c, out, v, false)
}

func (o *logits) derive(gorgonia.Nodes, *gorgonia.Node) (gorgonia.Nodes, error) {
	return noDerive{}.derive(nil, nil)
}
