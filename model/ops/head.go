package ops

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"instruct/model/kernel"
)

// chunkFloats bounds the logits that exist at one time: chunk rows * V float32 values (68 MiB: each chunk reads the
// whole matrix, so few rows cost time).
const chunkFloats = 17 << 20

// Loss is the language-model head with its cross-entropy: the sum over the batch of
// Weights[i] * -log softmax(Scale*x_i·Wᵀ)[Targets[i]].
//
// Only the needed positions, those of weight > 0, reach the head (see [Select]), and are taken in chunks, so the (N, V)
// logits never exist. With Grad, the gradients are computed in the same pass while a chunk's logits are at hand: dW is
// accumulated at once, dx is for the backward op. The incoming gradient of a loss is 1 and is not read.
type Loss struct {
	W     *Param  // (V, C); tied models share it with the embedding
	Scale float32 // of the logits; 0: 1
	Grad  bool

	// Results of the last run.
	Sum    float64   // weighted sum of the losses
	Losses []float64 // (N) unweighted -log p, 0 where the weight is 0
}

type loss struct {
	env *Env
	*Loss
	w           *kernel.Weights
	v, c, chunk int
	targets     []int32   // of the needed positions
	weights     []float32 // of the needed positions
	dx          []float32 // (R, C)
	logits      []float32 // (chunk, V), scratch of the arena
	losses      []float64 // of the needed positions
}

// Apply adds the op on the normed rows x (R, C) of the needed positions and returns the scalar loss.
func (o *Loss) Apply(g *Graph, x *gorgonia.Node) (*gorgonia.Node, error) {
	v, c := o.W.Shape[0], o.W.Shape[1]
	b := &loss{env: g.Env, Loss: o, w: o.W.Weights(kernel.NT), v: v, c: c, chunk: min(g.Capacity, max(64, chunkFloats/v)),
		targets: buffer[int32](g, g.Capacity), weights: buffer[float32](g, g.Capacity),
		losses: buffer[float64](g, g.Capacity)}
	o.Losses = buffer[float64](g, g.Capacity)
	if o.Grad {
		b.dx = buffer[float32](g, g.Capacity*c)
	}
	return g.apply("loss", b, tensor.ScalarShape(), x, g.leaf(x, o.W, ".head"))
}

func (o *loss) scratch() int { return o.chunk * o.v }

func (o *loss) lend(mem []float32) { o.logits = mem }

func (o *loss) run(in [][]float32, out []float32) {
	b, p, needed := &o.env.Batch, o.env.Pool, o.env.Needed
	clear(o.Losses[:b.Len()])
	for i, r := range needed {
		o.targets[i], o.weights[i] = b.Targets[r], b.Weights[r]
	}
	chunks := (len(needed) + o.chunk - 1) / o.chunk
	for i := range chunks { // of equal size: a last one of few rows would read the weights for little
		lo, hi := i*len(needed)/chunks, (i+1)*len(needed)/chunks
		n, x := hi-lo, in[0][lo*o.c:hi*o.c]
		scaleRows(p, x, o.Scale)
		p.GemmWeights(kernel.NT, n, x, o.c, o.w, o.logits, o.v, false)
		p.CrossEntropy(o.logits, o.targets[lo:hi], o.weights[lo:hi], o.losses[lo:hi], n, o.v, o.Grad)
		if o.Grad {
			dx := o.dx[lo*o.c : hi*o.c]
			p.GemmWeights(kernel.NN, n, o.logits, o.v, o.w, dx, o.c, false)
			scaleRows(p, dx, o.Scale)
			p.Gemm(kernel.TN, o.v, o.c, n, o.logits, o.v, x, o.c, o.W.Grad, o.c, true)
		}
	}
	o.Sum = 0
	for i, r := range needed {
		o.Losses[r] = o.losses[i]
		o.Sum += float64(float64(o.weights[i]) * o.losses[i])
	}
	out[0] = float32(o.Sum)
}

func (o *loss) derive(g *Graph, _ gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	// The op's output is an input of the backward op so that it runs after it; the gradient is at hand already.
	dx, err := g.apply("loss.backward", lossBackward{}, tensor.Shape{g.Capacity, o.c}, grad, out)
	if err != nil {
		return nil, err
	}
	opOf(dx).narrow = true
	opOf(dx).borrow(o.dx)
	grads, err := g.gradNodes(dx, nil, o.W)
	if err != nil {
		return nil, err
	}
	grads[0] = dx
	return grads, nil
}

type lossBackward struct{}

func (lossBackward) run([][]float32, []float32) {}

// scaleRows scales the logits of x, by scaling its rows: they are shorter. The head is the only reader of the last
// norm's output.
func scaleRows(p *kernel.Pool, x []float32, scale float32) {
	if scales(scale) {
		p.Scale(x, scale)
	}
}

// Logits is the head of a model that generates: out (R, V) = Scale*x·Wᵀ for the needed positions.
type Logits struct {
	W       *Param  // (V, C)
	Scale   float32 // 0: 1
	MaxRows int     // the most positions that may be needed
	out     []float32
}

// Out returns the logits (R, V) of the last run; the next run overwrites them.
func (o *Logits) Out() []float32 { return o.out }

type logits struct {
	env *Env
	*Logits
	w *kernel.Weights
}

// Apply adds the op on the normed rows x (R, C) of the needed positions.
func (o *Logits) Apply(g *Graph, x *gorgonia.Node) (*gorgonia.Node, error) {
	b := &logits{env: g.Env, Logits: o, w: o.W.Weights(kernel.NT)}
	return g.apply("logits", b, tensor.Shape{o.MaxRows, o.W.Shape[0]}, x, g.leaf(x, o.W, ".head"))
}

func (o *logits) run(in [][]float32, out []float32) {
	v, c := o.W.Shape[0], o.W.Shape[1]
	n := len(o.env.Needed)
	o.out = out[:n*v]
	scaleRows(o.env.Pool, in[0][:n*c], o.Scale)
	o.env.Pool.GemmWeights(kernel.NT, n, in[0], c, o.w, out, v, false)
}
