package train

import "instruct/data"

// Objective is what a run minimises: it turns the log-probabilities of the tokens of a micro-batch into a loss.
// Losses and divisors of a step's micro-batches are summed; the division comes once.
type Objective interface {
	// Divisor is what the micro-batch adds to the divisor of its step's loss.
	Divisor(b *data.Batch) float64
	// Weigh returns a function of the log-probabilities of the targets, (N), 0 at positions of weight 0 in b.Weights. It
	// returns the loss and fills weights (N) with its negative derivatives by them, of either sign; 0 scores a position
	// without training it. A nil function means the weighted sum of the losses of the tokens, by b.Weights.
	Weigh(b *data.Batch) func(logprobs []float64, weights []float32) (loss float64)
}

// MaskedMean is the mean loss of the trained tokens: supervised tuning. Of rows that are withheld the loss has nothing,
// and the divisor their tokens, so that the gradient without a row is that with it less the row's own sum over the
// same divisor.
type MaskedMean struct{}

// Divisor implements Objective.
func (MaskedMean) Divisor(b *data.Batch) float64 { return float64(b.TrainedTokens + b.WithheldTokens) }

// Weigh implements Objective.
func (MaskedMean) Weigh(*data.Batch) func([]float64, []float32) float64 { return nil }
