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
// The terms of the batch are added to each of these logarithms; Logprobs are without them.
//
// Only the needed positions reach the head (see [Select]), and are taken in chunks, so the (N, V) logits never exist.
// With Grad, the gradients that are wanted are computed in the same pass while a chunk's logits are at hand: dW is
// accumulated at once, dx is for the backward op. The incoming gradient of a loss is 1 and is not read.
//
// Where the batch has Weigh, a first pass finds the log-probabilities, from which Weigh makes the loss and the weights
// of the second pass, which is that of the gradients. Logits that are more than a chunk are computed again for it.
type Loss struct {
	W     *Param  // (V, C); tied models share it with the embedding
	Scale float32 // of the logits; 0: 1
	Grad  bool
	Chunk int // positions in a chunk; 0: as many as 68 MiB of logits hold

	// Results of the last run.
	Sum      float64
	Logprobs []float64 // (N) log p of the targets of the needed positions, 0 elsewhere
}

type loss struct {
	env *Env
	*Loss
	w            *kernel.Weights
	v, c         int
	targets      []int32   // of the needed positions
	weights      []float32 // of the needed positions
	losses       []float64 // -log p of the needed positions
	added        []float64 // what the batch's terms add to them
	rounded      bool      // x is, where products round their operands
	logits, left []float32 // (Chunk, V) and, for a chunk of x rounded else, (Chunk, C), scratch of the arena
	wantX, wantW bool      // somebody wants the gradient
	dx           []float32 // (R, C)
	soft         softRows
}

// LossChunk is the number of positions in a chunk for v tokens. Products that round their operands to pairs have the
// chunk a second time, in half the bytes.
func LossChunk(v int, rounds bool) int {
	n := chunkFloats
	if rounds && kernel.Pairs() {
		n = n / 3 * 2
	}
	return max(64, n/v)
}

// Apply adds the op on the normed rows x (R, C) of the needed positions and returns the scalar loss.
func (o *Loss) Apply(g *Graph, x *gorgonia.Node) (*gorgonia.Node, error) {
	v, c := o.W.Shape[0], o.W.Shape[1]
	if o.Chunk == 0 {
		o.Chunk = LossChunk(v, g.Env.Rounds)
	}
	o.Chunk = min(g.Capacity, o.Chunk)
	o.Logprobs = buffer[float64](g, g.Capacity)
	b := &loss{env: g.Env, Loss: o, w: o.W.Weights(kernel.NT), v: v, c: c,
		targets: buffer[int32](g, g.Capacity), weights: buffer[float32](g, g.Capacity),
		losses: buffer[float64](g, g.Capacity), added: buffer[float64](g, g.Capacity),
		wantX: o.Grad && g.learns(x), wantW: o.Grad && !o.W.Frozen}
	if b.wantX {
		b.dx = buffer[float32](g, g.Capacity*c)
	}
	return g.apply("loss", b, tensor.ScalarShape(), x, g.leaf(x, o.W, ".head"))
}

func (o *loss) multiplies(i int) bool { return i == 0 && !scales(o.Scale) }

func (o *loss) operands(rounded []bool) { o.rounded = rounded[0] }

func (o *loss) parts() (logits, left int) {
	return kernel.Lines(o.Chunk * o.v), o.env.room(o.Chunk*o.c, o.rounded)
}

func (o *loss) scratch() int {
	logits, left := o.parts()
	return logits + left
}

func (o *loss) lend(mem []float32) {
	logits, _ := o.parts()
	o.logits, o.left = mem[:logits], mem[logits:]
}

func (o *loss) run(in [][]float32, out []float32) {
	b, needed := &o.env.Batch, o.env.Needed
	for i, r := range needed {
		o.targets[i] = b.Targets[r]
		o.weights[i] = b.Weights[r]
	}
	scaleRows(o.env.Pool, in[0][:len(needed)*o.c], o.Scale)
	weigh := b.Weigh != nil
	o.pass(in[0], true, o.Grad && !weigh)
	clear(o.Logprobs[:b.Len()])
	o.Sum = 0
	for i, r := range needed {
		o.Logprobs[r] = -o.losses[i]
		o.Sum += float64(float64(o.weights[i]) * o.losses[i])
		if b.Terms != (kernel.LossTerms{}) {
			o.Sum += float64(float64(o.weights[i]) * o.added[i])
		}
	}
	if weigh {
		o.weigh()
		if o.Grad {
			o.pass(in[0], len(needed) > o.Chunk, true)
		}
	}
	out[0] = float32(o.Sum)
}

// pass goes through the chunks of the needed positions: it computes the logits, or finds them where product is false,
// then the losses and, with grad, the gradients.
func (o *loss) pass(x []float32, product, grad bool) {
	p, n := o.env.Pool, len(o.env.Needed)
	chunks := (n + o.Chunk - 1) / o.Chunk
	for i := range chunks { // of equal size: a last one of few rows would read the weights for little
		lo, hi := i*n/chunks, (i+1)*n/chunks
		rows, x := hi-lo, o.env.left(o.left, x[lo*o.c:hi*o.c], o.rounded)
		if product {
			o.env.product(kernel.NT, rows, x, o.c, o.w, o.logits, o.v, false)
		}
		targets, weights, losses := o.targets[lo:hi], o.weights[lo:hi], o.losses[lo:hi]
		soft := o.env.Batch.Soft.K > 0
		if soft {
			o.soft.Soft, o.soft.v, o.soft.needed = o.env.Batch.Soft, o.v, o.env.Needed[lo:hi]
			o.soft.keep(o.logits, targets)
		}
		dy := o.logits[:rows*o.v]
		rounds := grad && o.env.rounds()
		if rounds && !soft {
			p.Rounding(dy)
		}
		p.CrossEntropyWith(o.env.Batch.Terms, o.added[lo:hi], o.logits, targets, weights, losses, rows, o.v, grad)
		if soft {
			o.soft.finish(o.logits, targets, weights, losses, grad)
			if rounds {
				p.Round(dy, dy)
			}
		}
		if grad && o.wantX {
			dx := o.dx[lo*o.c : hi*o.c]
			o.env.product(kernel.NN, rows, dy, o.v, o.w, dx, o.c, false)
			scaleRows(p, dx, o.Scale)
		}
		if grad && o.wantW {
			o.env.weightGradient(o.v, o.c, rows, dy, x, o.W.Grad, o.env.rounds())
		}
	}
}

// weigh lets the batch make the loss and the weights.
func (o *loss) weigh() {
	b := &o.env.Batch
	all := o.weights[:b.Len()]
	clear(all)
	o.Sum = b.Weigh(o.Logprobs[:b.Len()], all)
	for i, r := range o.env.Needed { // ascending, so nothing is overwritten that is still to be read
		o.weights[i] = all[r]
	}
}

func (o *loss) derive(g *Graph, in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	// The op's output is an input of the backward op so that it runs after it; the gradient is at hand already.
	grads, err := g.backward("loss", lossBackward{}, o.c, in, gorgonia.Nodes{grad, out}, o.W)
	if err == nil && o.wantX {
		opOf(grads[0]).narrow = true
		opOf(grads[0]).borrow(o.dx)
	}
	return grads, err
}

type lossBackward struct{}

func (lossBackward) run([][]float32, []float32) {}
