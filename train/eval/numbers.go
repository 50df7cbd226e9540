package eval

import (
	"context"

	"instruct/data"
	"instruct/data/checks"
	"instruct/model/pretrained"
	"instruct/tokenizer/chat"
)

// maxLength is the longest row of a data file in tokens whose loss is measured whole; longer ones are cut, as train and
// score cut them by default.
const maxLength = 1024

// Score completes the samples of the model's answers by what needs its log-probabilities: the verdicts of perplexity
// and logprob-margin, and the held-out loss of a data file's rows. progress, which may be nil, is told how many of how
// many texts are scored.
func (s *Suite) Score(ctx context.Context, k *Keeper, samples []Sample, progress func(done, of int)) error {
	w := wanted{model: k.Model}
	for i := range s.Tests {
		if t := &s.Tests[i]; t.Scored != nil {
			if err := w.addTest(ctx, t, &samples[i]); err != nil {
				return err
			}
		}
	}
	if err := w.addRows(ctx, s.Tests, samples, k.Pool.Threads()); err != nil {
		return err
	}
	done := 0
	err := k.Score(ctx, w.examples, func(indices []int, logprobs [][]float64) error {
		for n, i := range indices {
			w.take[i](logprobs[n])
		}
		if done += len(indices); progress != nil {
			progress(done, len(w.examples))
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i := range s.Tests {
		if t := &s.Tests[i]; t.Scored != nil {
			x := &samples[i]
			x.Result = t.Scored.Judge(checks.Answer{Text: x.Answer, Logprobs: x.Logprobs, Margins: x.Margins})
		}
	}
	return nil
}

// wanted is what is to be scored, and who takes the log-probabilities.
type wanted struct {
	model    *pretrained.Model
	examples []data.Example
	take     []func(logprobs []float64)
}

func (w *wanted) add(e data.Example, take func(logprobs []float64)) {
	w.examples = append(w.examples, e)
	w.take = append(w.take, take)
}

// addTest adds what the assertions of a test want.
func (w *wanted) addTest(ctx context.Context, t *Test, x *Sample) error {
	if t.Scored.NeedsLogprobs() && len(x.IDs) > 0 {
		g := Given{Source: t.ID, PromptIDs: x.PromptIDs, IDs: x.IDs}
		e, err := g.Example(ctx, w.model)
		if err != nil {
			return err
		}
		w.add(e, func(logprobs []float64) { x.Logprobs = logprobs })
	}
	for _, m := range t.Scored.Margins() {
		better, err := w.addMeans(ctx, t, m.Better)
		if err != nil {
			return err
		}
		worse, err := w.addMeans(ctx, t, m.Worse)
		if err != nil {
			return err
		}
		x.Margins = append(x.Margins, checks.MarginLogprobs{Better: better, Worse: worse})
	}
	return nil
}

// addMeans adds answers that stand in the suite. Their mean log-probabilities will be in the result.
func (w *wanted) addMeans(ctx context.Context, t *Test, answers []checks.Given) ([]float64, error) {
	means := make([]float64, len(answers))
	for i, a := range answers {
		g := Given{Source: t.ID, Messages: t.Messages, Text: a.Text}
		e, err := g.Example(ctx, w.model)
		if err != nil {
			return nil, err
		}
		w.add(e, func(logprobs []float64) { means[i] = -lossOf(logprobs).mean() })
	}
	return means, nil
}

// addRows adds the rows of a data file.
func (w *wanted) addRows(ctx context.Context, tests []Test, samples []Sample, threads int) error {
	var rows []data.Row
	var of []*Sample
	for i := range tests {
		if tests[i].Row != nil {
			rows = append(rows, *tests[i].Row)
			of = append(of, &samples[i])
		}
	}
	if rows == nil {
		return nil
	}
	encoder := data.Encoder{Tokenizer: w.model.Tokenizer, Template: w.model.Template, Stop: w.model.Stop,
		MaxLength: maxLength, ModelLength: w.model.Config.MaxLength}
	examples, _, err := encoder.EncodeAll(ctx, rows, threads)
	if err != nil {
		return err
	}
	for _, e := range examples {
		x := of[e.Row]
		w.add(e, func(logprobs []float64) { x.Loss = lossOf(logprobs) })
	}
	return nil
}

// ofRows makes the suite of a data file: its rows' last answers are what is wanted, word for word; how near an answer
// comes is measured beside it.
func ofRows(name string, rows []data.Row) *Suite {
	s := ExactAnswers(name, rows)
	for i := range s.Tests {
		t := &s.Tests[i]
		exact, want := t.Check, t.Want
		t.Row, t.MaxNew = &rows[i], 0
		t.Check = func(answer string) checks.Result {
			r := exact(answer)
			r.Metrics = []checks.Metric{{Name: "token F1", Score: checks.TokenF1(answer, want), Weight: 1},
				{Name: "ROUGE-L", Score: checks.RougeL(answer, want), Weight: 1}}
			return r
		}
	}
	return s
}

// begin lets a test begin with a system message.
func (t *Test) begin(system string) {
	first := []chat.Message{{Role: "system", Content: system}}
	t.Messages = append(first, t.Messages...)
	if t.Row != nil {
		row := *t.Row
		row.Messages = append(first[:1:1], row.Messages...)
		t.Row = &row
	}
}
