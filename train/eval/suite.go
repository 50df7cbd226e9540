// Package eval asks a model the prompts of a suite and judges its answers.
package eval

import (
	"context"
	"fmt"

	"instruct/data"
	"instruct/data/checks"
	"instruct/model"
	"instruct/model/pretrained"
	"instruct/tokenizer/chat"
)

// Suite is prompts with checks of their answers.
type Suite struct {
	Name  string
	Tests []Test
}

// Test is one prompt.
type Test struct {
	ID       string         // that stays when other tests come and go: path:line, or a key of the file's own
	Kind     string         // of the task, for results per kind
	Tags     []string       // further groups that it counts in
	Messages []chat.Message // up to the turn that the model is to give
	Want     string         // an answer that passes, "" where none is known
	Check    Judge
	MaxNew   int  // most tokens of an answer; 0: as many as the caller allows
	Free     bool // nothing is asked of the answer: every one passes

	Scored *checks.Set // judges in place of Check, once [Suite.Score] knows the model's log-probabilities; or nil
	Row    *data.Row   // of a data file, with its answer, whose loss is measured; or nil
}

// Asked says whether the model has to answer.
func (t *Test) Asked() bool { return t.Scored == nil || t.Scored.NeedsAnswer() }

// Judge judges an answer. Its metrics are scores from 0 to 1.
type Judge func(answer string) checks.Result

// judge makes a Judge of a check.
func judge(c checks.Check) Judge {
	return func(answer string) checks.Result {
		r := checks.Result{Verdict: c(answer)}
		if r.Pass {
			r.Score = 1
		}
		return r
	}
}

// Sample is a model's answer to a test.
type Sample struct {
	Answer string
	checks.Result

	PromptIDs, IDs []int32 // of prompt and answer, without the stop token; nil for answers made elsewhere

	Logprobs []float64               // of the answer's tokens, where perplexity is asked for
	Margins  []checks.MarginLogprobs // that the test's logprob-margins ask for
	Loss     Loss                    // of the wanted answer in a data file; without tokens: not measured
}

// sample judges an answer.
func (t *Test) sample(answer string) Sample { return Sample{Answer: answer, Result: t.Check(answer)} }

// Prompt is the last thing that is said to the model.
func (t *Test) Prompt() string {
	if len(t.Messages) == 0 {
		return ""
	}
	return t.Messages[len(t.Messages)-1].Content
}

// ExactAnswers makes a suite of conversations whose last message is the answer that is wanted, word for word.
func ExactAnswers(name string, rows []data.Row) *Suite {
	s := &Suite{Name: name, Tests: make([]Test, len(rows))}
	for i, row := range rows {
		last := len(row.Messages) - 1
		want := row.Messages[last].Content
		s.Tests[i] = Test{ID: row.Source, Kind: row.Kind, Messages: row.Messages[:last], Want: want,
			Check: judge(checks.Equals(want)),
			// An exact answer has no more tokens than the wanted text has bytes, and the end-of-turn token.
			MaxNew: len(want) + 2}
	}
	return s
}

// Rows is how many prompts of a suite are asked at one time.
const Rows = 16

// Ask asks every prompt, greedily, and judges the answers. The error is that of ctx when it ends before the last
// answer.
func (s *Suite) Ask(ctx context.Context, session Asker) ([]Sample, error) {
	return s.AskWith(ctx, session, pretrained.Decoding{}, nil)
}

// Questions is how many tests need an answer of the model; the others need its log-probabilities only.
func (s *Suite) Questions() int {
	n := 0
	for i := range s.Tests {
		if s.Tests[i].Asked() {
			n++
		}
	}
	return n
}

// AskWith is [Suite.Ask] that decodes as d says, where a test does not limit its answer itself; done, which may be nil,
// is told of each answer as it comes. [Suite.Score] then judges what needs more than the answer.
func (s *Suite) AskWith(ctx context.Context, session Asker, d pretrained.Decoding, done func()) (
	[]Sample, error) {
	samples := make([]Sample, len(s.Tests))
	next, asked := 0, []int(nil) // asked are the tests of the questions so far
	err := session.Ask(ctx, func(bool) (q pretrained.Question, ok bool) {
		for next < len(s.Tests) && !s.Tests[next].Asked() {
			next++
		}
		if next == len(s.Tests) {
			return q, false
		}
		t := &s.Tests[next]
		asked = append(asked, next)
		next++
		q = pretrained.Question{Messages: t.Messages, Decoding: d}
		if t.MaxNew > 0 {
			q.MaxNew = t.MaxNew
		}
		return q, true
	}, func(a pretrained.Answer) error {
		i := asked[a.Index]
		if a.Err != nil {
			return fmt.Errorf("%s: %w", s.Tests[i].ID, a.Err)
		}
		if a.Finish != model.FinishCancel {
			samples[i] = s.Tests[i].sample(a.Text)
			samples[i].PromptIDs, samples[i].IDs = a.PromptIDs, a.IDs
			if done != nil {
				done()
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return samples, nil
}
