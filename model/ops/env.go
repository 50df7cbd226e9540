package ops

import (
	"instruct/model/kernel"
)

// Batch is one micro-batch: whole examples laid end to end, never padded.
//
// Segments tell where each example lies; attention is causal inside a segment and never crosses its bounds. Targets[i]
// is the token that position i has to predict, or -1. The loss is the sum of Weights[i] * -log p(Targets[i]), or what
// Weigh makes of the log-probabilities.
type Batch struct {
	Tokens    []int32          // (N) token ids
	Positions []int32          // (N) position of each token in its example
	Targets   []int32          // (N) token to predict, -1 where there is none
	Weights   []float32        // (N) weight of that prediction in the loss; it is not needed where that is 0
	Segments  []kernel.Segment // bounds of the examples
	Soft      Soft             // distributions that stand in the place of some targets
	Hidden    []float32        // (N, C) what enters the first layer of a graph that begins above others

	// Weigh makes the loss of the log-probabilities of the targets (N), 0 where they are not needed, and sets the
	// weights (N), which are 0, to the loss's derivatives by them, negated: what has weight 0 then is not trained. It is
	// called once in a run. Nil means the loss of fixed weights.
	Weigh func(logprobs []float64, weights []float32) (loss float64)

	Terms kernel.LossTerms // that are added to the loss of each weighted position; of a loss of fixed weights and targets

	Noise Noise // on the embeddings, where the graph trains; its segments have no shared prefix

	Draw uint64 // number of the micro-batch in the run: what dropout drops is drawn anew for each
}

// Soft are distributions over tokens in the place of targets: for each position the tokens IDs (N, K) and their
// probabilities Probs (N, K), whose sum is 1, or 0 where the position has its target. The loss of such a position is
// the cross-entropy -Σ p log q, whose gradient is that of KL(p, q); its log-probability is that, negated.
type Soft struct {
	K     int // 0: every position has its target
	IDs   []int32
	Probs []float32
}

// Len returns N, the number of tokens in the batch.
func (b *Batch) Len() int { return len(b.Tokens) }

// Env is what the ops of one graph share while it runs: the workers and the batch at hand.
// It is used by one goroutine at a time.
type Env struct {
	Pool    *kernel.Pool
	Batch   Batch         // the batch at hand, set before each run
	Needed  []int32       // its positions whose logits are wanted, ascending; set before each run
	Cache   *Cache        // keys and values of the positions that were read, nil unless decoding
	Spans   []kernel.Span // of the sequences that have rows in the batch at hand, where Cache is set
	Profile bool          // measure the time of every op, see [Op.Spent]
	Drops   bool          // dropout is on: the graph trains
	Exact   bool          // products read weights of fewer bits as the float32 values that they stand for, see product
	Rounds  bool          // products with weights in float32 round both operands to bfloat16, see kernel.Pool.GemmBF16

	// Watch, where there is one, is told of the first value of each output that is not finite.
	Watch func(op string, at int, value float32)

	attention []*kernel.Attention // one for all layers of a shape, since it holds scratch
}

// extent says how many rows an output has: one for each token of the batch or, when narrow, one for each needed
// position.
type extent struct {
	env    *Env
	narrow bool
}

func (x extent) rows() int {
	if x.narrow {
		return len(x.env.Needed)
	}
	return x.env.Batch.Len()
}

// product computes out = x·Wᵀ (form NT) or x·W (NN), or adds it to out, for n rows, which left has given. With
// Exact its bits are those of the float32 matrix that w stands for, as those of its gradients are; without, weights in
// blocks multiply whole numbers.
func (e *Env) product(f kernel.Form, n int, x []float32, ldx int, w *kernel.Weights, out []float32, ldo int, add bool) {
	switch {
	case e.Rounds && w.DType == kernel.F32:
		e.Pool.GemmRounded(f, n, x, ldx, w, out, ldo, add)
	case e.Exact:
		e.Pool.GemmDequantized(f, n, x, ldx, w, out, ldo, add)
	default:
		e.Pool.GemmWeights(f, n, x, ldx, w, out, ldo, add)
	}
}

// weightGradient adds Aᵀ·B, A (k,m), which left has given, and B (k,n) to the gradient dw (m,n) of weights. rounded:
// where products round their operands, B is rounded.
func (e *Env) weightGradient(m, n, k int, a, b, dw []float32, rounded bool) {
	if e.Rounds {
		e.Pool.GemmBF16(kernel.TN, m, n, k, a, m, b, n, dw, n, true, rounded)
		return
	}
	e.Pool.Gemm(kernel.TN, m, n, k, a, m, b, n, dw, n, true)
}

// attentionKernel returns the kernel of that shape.
func (e *Env) attentionKernel(a kernel.Attention) *kernel.Attention {
	for _, b := range e.attention {
		if b.Heads == a.Heads && b.KVHeads == a.KVHeads && b.D == a.D && b.Scale == a.Scale && b.Window == a.Window {
			return b
		}
	}
	e.attention = append(e.attention, &a)
	return &a
}
