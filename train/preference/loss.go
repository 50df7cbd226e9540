// Package preference has the losses of preferences: of pairs of a better and a worse answer to a prompt, and of answers
// that are labelled good or bad. It is arithmetic on sums of log-probabilities and knows no model.
package preference

import (
	"instruct/model/kernel/exact"
)

// Answer is what the model says of an answer to its prompt.
type Answer struct {
	LogP      float64 // sum of the log-probabilities of its tokens, in nats
	Reference float64 // the same under the reference model; 0 where the loss has none
	Tokens    int
}

// ratio is by how much the model likes the answer more than the reference does.
func (a Answer) ratio() float64 { return a.LogP - a.Reference }

// mean is the log-probability of a token.
func (a Answer) mean() float64 { return a.LogP / float64(a.Tokens) }

// Settings are a loss and its numbers, by TRL's names.
type Settings struct {
	Beta           float64 // how much the distance to the reference counts
	LabelSmoothing float64 // probability that the answers of a pair are the wrong way round
	RPOAlpha       float64 // weight of the mean loss of the better answers' tokens beside the pairs'
	SimPOGamma     float64 // by how much the better answer's reward is to be greater
	Desirable      float64 // weight of an answer that is labelled good
	Undesirable    float64 // and bad
}

// Kind is what there is to know of a loss beside its numbers.
type Kind struct {
	Name      string
	Title     string
	Reference bool // the log-probabilities of a reference model are needed
	Smooths   bool // label_smoothing means something
	Labelled  bool // of labelled answers, not of pairs
	Mean      bool // rewards are of the mean log-probability of a token, not of the answer's sum
	WholeNLL  bool // the cross-entropy of prompt and better answer is part of it

	pair func(s *Settings, better, worse Answer) (loss, dBetter, dWorse float64)
}

// kinds is the table of the losses; a new one of pairs is a line and a function.
var kinds = []Kind{
	{Name: "sigmoid", Title: "DPO", Reference: true, Smooths: true, pair: sigmoidPair},
	{Name: "ipo", Title: "IPO", Reference: true, pair: ipoPair},
	{Name: "orpo", Title: "ORPO", Mean: true, WholeNLL: true, pair: orpoPair},
	{Name: "simpo", Title: "SimPO", Smooths: true, Mean: true, pair: simpoPair},
	{Name: "kto", Title: "KTO", Reference: true, Labelled: true},
}

// Names are the losses' names.
func Names() []string {
	var names []string
	for _, k := range kinds {
		names = append(names, k.Name)
	}
	return names
}

// Find gives the loss of a name; ok is false where there is none.
func Find(name string) (k Kind, ok bool) {
	for _, k := range kinds {
		if k.Name == name {
			return k, true
		}
	}
	return Kind{}, false
}

// Pair gives the loss of a pair, and its derivatives by the log-probabilities of its answers.
func (k *Kind) Pair(s *Settings, better, worse Answer) (loss, dBetter, dWorse float64) {
	return k.pair(s, better, worse)
}

// sigmoidPair is direct preference optimisation (Rafailov et al. 2023, arXiv:2305.18290), -log σ(z) with
// z = β·(ratio of the better - ratio of the worse answer), and with label smoothing ε its conservative form
// (Mitchell 2023, https://ericmitchell.ai/cdpo.pdf), -(1-ε)·log σ(z) - ε·log σ(-z).
func sigmoidPair(s *Settings, better, worse Answer) (loss, dBetter, dWorse float64) {
	loss, d := s.logistic(s.Beta * (better.ratio() - worse.ratio()))
	return loss, d * s.Beta, -d * s.Beta
}

// ipoPair is identity preference optimisation (Azar et al. 2023, arXiv:2310.12036, eq. 17), (h - 1/(2β))², where h is
// the difference of the ratios, each the mean of the answer's tokens, as the paper's authors have it and TRL.
func ipoPair(s *Settings, better, worse Answer) (loss, dBetter, dWorse float64) {
	nb, nw := float64(better.Tokens), float64(worse.Tokens)
	h := better.ratio()/nb - worse.ratio()/nw - 1/(2*s.Beta)
	return h * h, 2 * h / nb, -2 * h / nw
}

// orpoPair is the odds-ratio part of ORPO (Hong et al. 2024, arXiv:2403.07691, eq. 7), -β·log σ(log odds of the
// better - log odds of the worse answer); the other part is the cross-entropy of the better one. An answer's
// probability is that of its mean token.
func orpoPair(s *Settings, better, worse Answer) (loss, dBetter, dWorse float64) {
	b, db := logOdds(better.mean())
	w, dw := logOdds(worse.mean())
	z := b - w
	d := -s.Beta * sigmoid(-z)
	return s.Beta * softplus(-z), d * db / float64(better.Tokens), -d * dw / float64(worse.Tokens)
}

// simpoPair is SimPO (Meng et al. 2024, arXiv:2405.14734, eq. 6), -log σ(β·(mean of the better - mean of the worse
// answer) - γ), with label smoothing as sigmoidPair has it.
func simpoPair(s *Settings, better, worse Answer) (loss, dBetter, dWorse float64) {
	loss, d := s.logistic(float64(s.Beta*(better.mean()-worse.mean())) - s.SimPOGamma)
	return loss, d * s.Beta / float64(better.Tokens), -d * s.Beta / float64(worse.Tokens)
}

// Labelled gives KTO's loss of a labelled answer (Ethayarajh et al. 2024, arXiv:2402.01306, eq. 7) and its derivative
// by the answer's log-probability: λ·(1 - σ(±β·(ratio - kl))), + where it is good. kl, of [KL], is a constant.
func (s *Settings) Labelled(a Answer, good bool, kl float64) (loss, d float64) {
	weight, sign := s.Desirable, s.Beta
	if !good {
		weight, sign = s.Undesirable, -s.Beta
	}
	p := sigmoid(-sign * (a.ratio() - kl)) // 1 - σ(x) = σ(-x), which keeps its digits
	return float64(weight * p), -weight * sign * float64(p*(1-p))
}

// KL is KTO's estimate of how far the model is from the reference: the mean ratio of answers that belong to other
// prompts, and never less than 0.
func KL(mismatched []Answer) float64 {
	sum := 0.0
	for _, a := range mismatched {
		sum += a.ratio()
	}
	return max(0, sum/float64(len(mismatched)))
}

// logistic is -(1-ε)·log σ(z) - ε·log σ(-z), with its derivative.
func (s *Settings) logistic(z float64) (loss, d float64) {
	e := s.LabelSmoothing
	if e == 0 {
		return softplus(-z), -sigmoid(-z)
	}
	loss = float64((1-e)*softplus(-z)) + float64(e*softplus(z))
	return loss, float64(e*sigmoid(z)) - float64((1-e)*sigmoid(-z))
}

// certain is the mean log-probability from which on an answer is taken to be as likely as that: the odds of
// probability 1 are no number.
const certain = -1e-9

// logOdds is log(p / (1-p)) of p = e^x, with its derivative by x, 1 / (1-p).
func logOdds(x float64) (odds, d float64) {
	x = min(x, certain)
	rest := 1 - exact.Exp(x)
	return x - exact.Log(rest), 1 / rest
}

// softplus is log(1 + e^x) = -log σ(-x).
func softplus(x float64) float64 {
	if x > 0 {
		return x + exact.Log(1+exact.Exp(-x))
	}
	return exact.Log(1 + exact.Exp(x))
}

// sigmoid is 1 / (1 + e^-x).
func sigmoid(x float64) float64 {
	if x < 0 {
		e := exact.Exp(x)
		return e / (1 + e)
	}
	return 1 / (1 + exact.Exp(-x))
}
