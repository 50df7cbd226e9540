// Package eval asks a model the prompts of a suite and judges its answers.
package eval

import (
	"context"

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
	Kind     string         // of the task, for results per kind
	Messages []chat.Message // up to the turn that the model is to give
	Want     string         // an answer that passes
	Check    checks.Check
	MaxNew   int // most tokens of an answer
}

// Sample is a model's answer to a test.
type Sample struct {
	Answer string
	checks.Verdict
}

// ExactAnswers makes a suite of conversations whose last message is the answer that is wanted, word for word.
func ExactAnswers(name string, rows []data.Row) *Suite {
	s := &Suite{Name: name, Tests: make([]Test, len(rows))}
	for i, row := range rows {
		last := len(row.Messages) - 1
		want := row.Messages[last].Content
		s.Tests[i] = Test{Kind: row.Kind, Messages: row.Messages[:last], Want: want, Check: checks.Equals(want),
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
	samples := make([]Sample, len(s.Tests))
	asked := 0
	err := session.Ask(ctx, func(bool) (q pretrained.Question, ok bool) {
		if asked == len(s.Tests) {
			return q, false
		}
		t := &s.Tests[asked]
		asked++
		return pretrained.Question{Messages: t.Messages, Decoding: pretrained.Decoding{MaxNew: t.MaxNew}}, true
	}, func(a pretrained.Answer) error {
		if a.Finish != model.FinishCancel && a.Err == nil {
			samples[a.Index] = Sample{Answer: a.Text, Verdict: s.Tests[a.Index].Check(a.Text)}
		}
		return a.Err
	})
	if err != nil {
		return nil, err
	}
	return samples, nil
}
