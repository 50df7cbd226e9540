package train

import (
	"context"

	"instruct/data"
	"instruct/train/preference"
	"instruct/train/recipe"
)

// answers are what a loss of preferences needs to know of examples of which two at a time belong together: of pairs,
// the better and the worse answer to a prompt, of labelled answers, the answer and one that belongs to another prompt
// ([data.Encoder.EncodePairs], [data.Encoder.EncodeLabelled]).
type answers struct {
	good      []bool    // of labelled answers, which are good; nil: pairs
	tokens    []int     // of each pair, those whose cross-entropy is part of the loss
	reference []float64 // log-probability of each example's answer under the reference model; nil: 0
}

// newAnswers counts what the examples have.
func newAnswers(k *preference.Kind, examples []data.Example, good []bool) *answers {
	a := &answers{good: good}
	for i := 0; i < len(examples); i += data.AnswersTogether {
		better := &examples[i]
		n := better.Trained()
		if k.WholeNLL {
			n += better.Untrained()
		}
		a.tokens = append(a.tokens, n)
	}
	return a
}

// preferences is the objective of a loss of preferences: the mean over pairs, or over labelled answers. Where the
// cross-entropy of the better answers is part of it, that is the mean over their tokens in the step.
type preferences struct {
	kind     preference.Kind
	settings preference.Settings
	answers  *answers
	tally    preference.Tally // of the step

	perToken   float64 // pairs of the step over tokens of its cross-entropy, times that one's weight
	said       said
	slopes     []float64 // derivative of the loss by the log-probability of each answer of the micro-batch
	mismatched []preference.Answer
}

// newPreferences makes the objective that the recipe names.
func newPreferences(r *recipe.Recipe, a *answers) *preferences {
	k, _ := r.Preference()
	return &preferences{kind: k, settings: r.PreferenceSettings(), answers: a}
}

// units is what the loss is the mean of, for people.
func (p *preferences) units() string {
	if p.kind.Labelled {
		return "labelled answers"
	}
	return "pairs"
}

// asksOf makes batches say what the loss needs: the answers to a prompt stand together.
func (p *preferences) asksOf(b *data.Batch) {
	b.Group, b.Prompts = data.AnswersTogether, p.kind.WholeNLL
}

// begin is told the pairs of every micro-batch of a step before the first of them runs.
func (p *preferences) begin(batches [][]int) {
	alpha := p.settings.RPOAlpha
	if p.kind.WholeNLL {
		alpha = 1
	}
	if alpha == 0 {
		return
	}
	pairs, tokens := 0, 0
	for _, batch := range batches {
		for _, i := range batch {
			pairs++
			tokens += p.answers.tokens[i]
		}
	}
	p.perToken = alpha * float64(pairs) / float64(tokens)
}

// Divisor implements Objective.
func (p *preferences) Divisor(b *data.Batch) float64 {
	n := 0
	for _, row := range b.Rows {
		if row >= 0 {
			n++
		}
	}
	return float64(n / data.AnswersTogether)
}

// Weigh implements Objective.
func (p *preferences) Weigh(b *data.Batch) func([]float64, []float32) float64 {
	return func(logprobs []float64, weights []float32) float64 {
		p.said.clear()
		p.said.hear(b, logprobs, p)
		loss := p.loss(&p.said)
		at := -1
		for i, s := range b.Segments {
			slope := 0.0
			if b.Rows[i] >= 0 {
				at++
				slope = p.slopes[at]
			}
			token := -slope // of the answer
			if b.Rows[i]%data.AnswersTogether == 0 {
				token += p.perToken
			}
			for j := s.Start; j < s.End; j++ {
				switch {
				case b.Weights[j] == 0:
				case b.OfPrompt(j):
					weights[j] = float32(p.perToken)
				default:
					weights[j] = float32(token)
				}
			}
		}
		return loss
	}
}

// loss is the summed loss of what was said, whose slopes it leaves, counted in the tally.
func (p *preferences) loss(s *said) float64 {
	p.slopes = append(p.slopes[:0], make([]float64, len(s.answers))...)
	total := 0.0
	if p.perToken > 0 {
		total = float64(p.perToken * s.nll)
		p.tally.NLL(s.nll, s.tokens)
	}
	if p.kind.Labelled {
		return total + p.labelled(s)
	}
	for i := range s.units {
		better, worse := s.answers[2*i], s.answers[2*i+1]
		loss, d, e := p.kind.Pair(&p.settings, better, worse)
		p.slopes[2*i], p.slopes[2*i+1] = d, e
		total += loss
		p.tally.Pair(&p.kind, &p.settings, better, worse)
	}
	return total
}

// labelled is the summed loss of labelled answers.
func (p *preferences) labelled(s *said) float64 {
	p.mismatched = p.mismatched[:0]
	for i := range s.units {
		p.mismatched = append(p.mismatched, s.answers[2*i+1])
	}
	kl := preference.KL(p.mismatched)
	p.tally.KL(kl)
	total := 0.0
	for i, unit := range s.units {
		good := p.answers.good[unit]
		loss, d := p.settings.Labelled(s.answers[2*i], good, kl)
		p.slopes[2*i] = d
		total += loss
		p.tally.Labelled(&p.kind, &p.settings, s.answers[2*i], good)
	}
	return total
}

// rewards are the metrics of the step, or of the evaluation, that was made; the next one begins.
func (p *preferences) rewards() preference.Rewards {
	r := p.tally.Rewards()
	p.tally = preference.Tally{}
	return r
}

// said is what a graph says of the answers of one micro-batch or several.
type said struct {
	units   []int               // pairs or labelled answers, by number
	answers []preference.Answer // two of each
	nll     float64             // summed cross-entropy of the better answers, and of their prompts where they are wanted
	tokens  int                 // of it
}

func (s *said) clear() { *s = said{units: s.units[:0], answers: s.answers[:0]} }

// hear adds the answers of a micro-batch, the rows of a unit one behind the other.
func (s *said) hear(b *data.Batch, logprobs []float64, p *preferences) {
	for i, segment := range b.Segments {
		row := b.Rows[i]
		first := row%data.AnswersTogether == 0
		var a preference.Answer
		for j := segment.Start; j < segment.End; j++ {
			switch {
			case b.Weights[j] == 0:
				continue
			case b.OfPrompt(j):
			default:
				a.LogP += logprobs[j]
				a.Tokens++
				if !first {
					continue
				}
			}
			s.nll -= logprobs[j]
			s.tokens++
		}
		if row < 0 {
			continue // the prompt that a pair shares
		}
		if p.answers.reference != nil {
			a.Reference = p.answers.reference[row]
		}
		s.answers = append(s.answers, a)
		if first {
			s.units = append(s.units, row/data.AnswersTogether)
		}
	}
}

// listener is an objective that only hears what is said.
type listener struct {
	*preferences
	heard said
}

// Weigh implements Objective. The loss is that of all the tokens, and nothing is trained.
func (l *listener) Weigh(b *data.Batch) func([]float64, []float32) float64 {
	return func(logprobs []float64, _ []float32) (loss float64) {
		l.heard.hear(b, logprobs, l.preferences)
		for _, x := range logprobs {
			loss -= x
		}
		return loss
	}
}

// preferenceLoss measures the loss of preferences of held-out answers, all of them taken as one micro-batch.
func (h *heldOut) preferenceLoss(ctx context.Context) (out heldOutLoss, err error) {
	l := h.listener
	l.heard.clear()
	if err := h.hear(ctx, func(int) {}); err != nil {
		return out, err
	}
	l.begin([][]int{l.heard.units})
	n := float64(len(l.heard.units))
	out.Mean = l.loss(&l.heard) / n
	r := preference.EvalRewards(l.rewards())
	out.Rewards = &r
	for i, a := range l.heard.answers {
		if !l.kind.Labelled || i%data.AnswersTogether == 0 {
			out.Trained += a.Tokens
		}
	}
	if !finite(out.Mean) {
		return out, mistake("the held-out loss is %v; a lower learning_rate or a greater beta usually helps", out.Mean)
	}
	return out, nil
}

// hear runs the graph over all answers, and tells after each micro-batch how many were heard.
func (h *heldOut) hear(ctx context.Context, heard func(units int)) error {
	return h.each(ctx, func(loss, _ float64) error {
		if !finite(loss) {
			return h.notFinite(loss)
		}
		heard(len(h.listener.heard.units))
		return nil
	})
}
