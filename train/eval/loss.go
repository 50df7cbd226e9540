package eval

import (
	"fmt"
	"math"
)

// Loss is the sum of the negative log-probabilities of tokens, in nats, and how many there are.
type Loss struct {
	Sum    float64 `json:"loss_sum"`
	Tokens int     `json:"trained_tokens"`
}

// lossOf sums up, in the order of the tokens.
func lossOf(logprobs []float64) Loss {
	l := Loss{Tokens: len(logprobs)}
	for _, x := range logprobs {
		l.Sum -= x
	}
	return l
}

// mean is in nats a token.
func (l Loss) mean() float64 { return l.Sum / float64(l.Tokens) }

// lossRow is the held-out loss of the rows of a data file: the mean over all their trained tokens, which is that of
// score and of train's eval_loss. N counts rows.
func (s *Suite) lossRow(samples []Sample) Row {
	r := Row{Suite: s.Name, Group: "held-out loss", Unit: "nats a token"}
	var all Loss
	var losses []Loss
	for i := range samples {
		if l := samples[i].Loss; l.Tokens > 0 {
			losses = append(losses, l)
			all.Sum += l.Sum
			all.Tokens += l.Tokens
		}
	}
	if r.N = len(losses); r.N > 0 {
		r.Mean = all.mean()
		r.Low, r.High = ratioInterval(losses, r.Mean)
	}
	return r
}

// ratioInterval is the 95 % interval of a mean loss over the tokens of rows that were drawn independently: that of a
// ratio of two sums, by its linear approximation (Cochran 1977, Sampling Techniques, section 6.4). It is short for few
// rows, and of one row there is none: both ends are the mean.
func ratioInterval(losses []Loss, mean float64) (low, high float64) {
	var squares, tokens float64
	for _, l := range losses {
		d := l.Sum - float64(mean*float64(l.Tokens))
		squares += float64(d * d)
		tokens += float64(l.Tokens)
	}
	n := float64(len(losses))
	half := 0.0
	if n > 1 {
		half = 1.959963984540054 * math.Sqrt(squares*n/(n-1)) / tokens
	}
	return mean - half, mean + half
}

// Show is the mean and the interval for people.
func (r *Row) Show() (mean, interval string) {
	switch {
	case r.Unit == "":
		return fmt.Sprintf("%.1f%%", 100*r.Mean), fmt.Sprintf("%.1f to %.1f %%", 100*r.Low, 100*r.High)
	case r.N < 2:
		return fmt.Sprintf("%.4f", r.Mean), r.Unit
	}
	return fmt.Sprintf("%.4f", r.Mean), fmt.Sprintf("%.4f to %.4f %s", r.Low, r.High, r.Unit)
}
