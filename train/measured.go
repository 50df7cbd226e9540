package train

import "instruct/train/eval"

// Measured is what an evaluation found of a run's model, for its page.
type Measured struct {
	File, Hash string // that says so, and its sha256
	Name       string // what the model was called there
	Rows       []eval.Row
	Rules      []MeasuredRule
	Lost       []MeasuredLoss
	Why        []MeasuredWhy // of the worst answers, where somebody asks
}

// MeasuredWhy is an answer with the training rows that pushed towards it most.
type MeasuredWhy struct {
	Test, Asked, Answer, Wanted, Reason string
	Rows                                []MeasuredRow
}

// MeasuredRow is a training row with its part in an answer, in nats of its log-probability to first order.
type MeasuredRow struct {
	Score                  float64
	Source, Prompt, Answer string
}

// MeasuredRule is how a rule of a policy holds.
type MeasuredRule struct {
	Rule, Severity, Text string
	Applies, Held        int
	Violations           []string
}

// MeasuredLoss is what another model passes and this one does not.
type MeasuredLoss struct {
	Suite, With string
	Tests       []string
}
