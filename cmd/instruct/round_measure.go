package main

import (
	"context"
	"fmt"
	"io"
	"slices"

	"instruct/data"
	"instruct/model"
	"instruct/model/kernel"
	"instruct/model/pretrained"
	"instruct/train/coach"
	"instruct/train/eval"
)

// measures are what a round is measured by, once with the parent and once with its own model.
type measures struct {
	new, earlier []data.Correction
	suites       []*eval.Suite
	maxNew       int // tokens of an answer
}

// measured is what one model said.
type measured struct {
	corrections []coach.Said // the new ones, then the earlier ones
	suites      [][]eval.Sample
}

// measureParent asks the parent. What it was asked before is kept in a file.
func (r *rounding) measureParent(ctx context.Context, s *streams, m *pretrained.Model, pool *kernel.Pool,
	what *measures) (*measured, error) {
	kept, err := openKept(s, r.answers, m, kernel.F32)
	if err != nil {
		return nil, err
	}
	k := &eval.Keeper{Model: m, Pool: pool, Kept: kept}
	defer k.Close()
	got, err := what.ask(ctx, s, k, "before")
	if err != nil {
		return nil, stopped(s.err, "before", k, err)
	}
	if n := k.Answers.Kept + k.Scores.Kept; n > 0 {
		fmt.Fprintf(s.err, "before: %s kept from before\n", keptOf(k))
	}
	if err := kept.Close(); err != nil {
		fmt.Fprintf(s.err, "before: not everything is kept: %v\n", err)
	}
	return got, nil
}

// measureOwn asks the round's model, whose files are not written yet: what it says is kept in memory.
func (r *rounding) measureOwn(ctx context.Context, s *streams, m *pretrained.Model, pool *kernel.Pool,
	what *measures) (*measured, *eval.Kept, error) {
	k := &eval.Keeper{Model: m, Pool: pool, Kept: eval.InMemory()}
	defer k.Close()
	got, err := what.ask(ctx, s, k, "after")
	return got, k.Kept, err
}

// remember keeps what the round's model said for the next round, and for eval, now that its files are written.
func (r *rounding) remember(s *streams, round int, said *eval.Kept) error {
	m, err := pretrained.Outline(pretrained.RoundDir(r.behaviour, round), "")
	if err != nil {
		return err
	}
	kept, err := openKept(s, r.answers, m, kernel.F32)
	if err != nil {
		return err
	}
	kept.PutAll(said)
	return kept.Close()
}

// ask asks all of it; when says which of the two models answers, for the lines of progress.
func (m *measures) ask(ctx context.Context, s *streams, k *eval.Keeper, when string) (*measured, error) {
	out := &measured{}
	var err error
	if out.corrections, err = m.askCorrections(ctx, s.err, k, when); err != nil {
		return nil, err
	}
	for _, suite := range m.suites {
		samples, err := askSuite(ctx, s, when, k, suite, m.maxNew)
		if err != nil {
			return nil, err
		}
		out.suites = append(out.suites, samples)
	}
	return out, nil
}

// askCorrections asks the prompts of all corrections.
func (m *measures) askCorrections(ctx context.Context, w io.Writer, k *eval.Keeper, when string) ([]coach.Said, error) {
	all := slices.Concat(m.new, m.earlier)
	said := make([]coach.Said, len(all))
	from, asked := k.Answers.Kept, 0
	p := newCountdown(w, terminal(w), when+" on corrections", len(all))
	defer p.done()
	err := k.Ask(ctx, func(bool) (q pretrained.Question, ok bool) {
		if asked == len(all) {
			return q, false
		}
		c := &all[asked]
		asked++
		wanted := len(k.Model.Tokenizer.Encode(c.Chosen[0].Content, false)) + 2 // as coach.Right has it
		return pretrained.Question{Messages: c.Prompt, Decoding: pretrained.Decoding{MaxNew: max(m.maxNew, wanted)}}, true
	}, func(a pretrained.Answer) error {
		if a.Err != nil {
			return fmt.Errorf("correction %s: %w", all[a.Index].ID, a.Err)
		}
		said[a.Index] = coach.Say(&all[a.Index], a.Text, a.Finish == model.FinishStop)
		p.kept = k.Answers.Kept - from
		p.step()
		return nil
	})
	return said, err
}

// answers puts together what the two models said.
func (m *measures) answers(before, now *measured) *coach.Answers {
	a := &coach.Answers{}
	for i, c := range slices.Concat(m.new, m.earlier) {
		told := coach.Told{Correction: c, Before: before.corrections[i], Now: now.corrections[i]}
		if i < len(m.new) {
			a.New = append(a.New, told)
		} else {
			a.Earlier = append(a.Earlier, told)
		}
	}
	for i, suite := range m.suites {
		s := coach.SuiteAnswers{Suite: suite.Name}
		for j := range suite.Tests {
			t := &suite.Tests[j]
			s.Tests = append(s.Tests, coach.Tested{ID: t.ID, Prompt: t.Messages, Wanted: t.Want,
				Before: saidTo(t, &before.suites[i][j]), Now: saidTo(t, &now.suites[i][j])})
		}
		a.Suites = append(a.Suites, s)
	}
	return a
}

// saidTo is the answer to a test of a suite.
func saidTo(t *eval.Test, x *eval.Sample) coach.Said {
	said := coach.Said{Text: x.Answer, Right: x.Pass, NotAsked: !t.Asked()}
	if !x.Pass {
		said.Reason = x.Reason
	}
	return said
}
