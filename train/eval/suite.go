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
	MaxNew   int // most tokens of an answer; 0: as many as the caller allows
}

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
func (s *Suite) Ask(ctx context.Context, session *pretrained.Session) ([]Sample, error) {
	return s.AskWith(ctx, session, pretrained.Decoding{}, nil)
}

// AskWith is [Suite.Ask] that decodes as d says, where a test does not limit its answer itself; done, which may be nil,
// is told of each answer as it comes.
func (s *Suite) AskWith(ctx context.Context, session *pretrained.Session, d pretrained.Decoding, done func()) (
	[]Sample, error) {
	samples := make([]Sample, len(s.Tests))
	asked := 0
	err := session.Ask(ctx, func(bool) (q pretrained.Question, ok bool) {
		if asked == len(s.Tests) {
			return q, false
		}
		t := &s.Tests[asked]
		asked++
		q = pretrained.Question{Messages: t.Messages, Decoding: d}
		if t.MaxNew > 0 {
			q.MaxNew = t.MaxNew
		}
		return q, true
	}, func(a pretrained.Answer) error {
		if a.Err != nil {
			return fmt.Errorf("%s: %w", s.Tests[a.Index].ID, a.Err)
		}
		if a.Finish != model.FinishCancel {
			samples[a.Index] = s.Tests[a.Index].sample(a.Text)
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
