package preference

// Rewards are TRL's metrics of a step: means over its pairs, or over its answers of a label.
type Rewards struct {
	Chosen       *float64 `json:"rewards/chosen,omitempty"`
	Rejected     *float64 `json:"rewards/rejected,omitempty"`
	Accuracies   *float64 `json:"rewards/accuracies,omitempty"` // share of the pairs whose better answer has more
	Margins      *float64 `json:"rewards/margins,omitempty"`
	ChosenLogP   *float64 `json:"logps/chosen,omitempty"`
	RejectedLogP *float64 `json:"logps/rejected,omitempty"`
	NLL          *float64 `json:"nll_loss,omitempty"` // mean over the better answers' tokens, where it is in the loss
	KL           *float64 `json:"kl,omitempty"`       // of KTO
}

// EvalRewards are the same of held-out rows.
type EvalRewards struct {
	Chosen       *float64 `json:"eval_rewards/chosen,omitempty"`
	Rejected     *float64 `json:"eval_rewards/rejected,omitempty"`
	Accuracies   *float64 `json:"eval_rewards/accuracies,omitempty"`
	Margins      *float64 `json:"eval_rewards/margins,omitempty"`
	ChosenLogP   *float64 `json:"eval_logps/chosen,omitempty"`
	RejectedLogP *float64 `json:"eval_logps/rejected,omitempty"`
	NLL          *float64 `json:"eval_nll_loss,omitempty"`
	KL           *float64 `json:"eval_kl,omitempty"`
}

// mean is a sum on its way to a mean.
type mean struct{ sum, count float64 }

func (m *mean) add(x, count float64) { m.sum += x; m.count += count }

func (m *mean) value() *float64 {
	if m.count == 0 {
		return nil
	}
	return new(m.sum / m.count)
}

// Tally collects Rewards over the micro-batches of a step. Its zero value is empty.
type Tally struct {
	reward, logp [2]mean // of better or good answers, of worse or bad ones
	right        mean
	nll, kl      mean
}

// Pair counts a pair.
func (t *Tally) Pair(k *Kind, s *Settings, better, worse Answer) {
	t.answer(k, s, better, 0)
	t.answer(k, s, worse, 1)
	right := 0.0
	if k.reward(s, better) > k.reward(s, worse) {
		right = 1
	}
	t.right.add(right, 1)
}

// Labelled counts a labelled answer.
func (t *Tally) Labelled(k *Kind, s *Settings, a Answer, good bool) {
	if good {
		t.answer(k, s, a, 0)
	} else {
		t.answer(k, s, a, 1)
	}
}

// NLL counts the summed cross-entropy of so many tokens.
func (t *Tally) NLL(sum float64, tokens int) { t.nll.add(sum, float64(tokens)) }

// KL counts KTO's estimate of a micro-batch.
func (t *Tally) KL(kl float64) { t.kl.add(kl, 1) }

func (t *Tally) answer(k *Kind, s *Settings, a Answer, side int) {
	t.reward[side].add(k.reward(s, a), 1)
	logp := a.LogP
	if k.Mean {
		logp = a.mean()
	}
	t.logp[side].add(logp, 1)
}

// reward is what a preference loss takes the model to think of an answer: β times the ratio to the reference, or β
// times the mean log-probability of a token where there is none.
func (k *Kind) reward(s *Settings, a Answer) float64 {
	if k.Mean {
		return float64(s.Beta * a.mean())
	}
	return float64(s.Beta * a.ratio())
}

// Rewards are the means; what was not counted is left out.
func (t *Tally) Rewards() Rewards {
	r := Rewards{Chosen: t.reward[0].value(), Rejected: t.reward[1].value(), Accuracies: t.right.value(),
		ChosenLogP: t.logp[0].value(), RejectedLogP: t.logp[1].value(), NLL: t.nll.value(), KL: t.kl.value()}
	if r.Chosen != nil && r.Rejected != nil {
		r.Margins = new(*r.Chosen - *r.Rejected)
	}
	return r
}
