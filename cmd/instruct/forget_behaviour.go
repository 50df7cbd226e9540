package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"instruct/model"
	"instruct/model/kernel"
	"instruct/model/pretrained"
	"instruct/train/coach"
)

// behaviour forgets corrections of a behaviour folder.
func (f *forgetting) behaviour(ctx context.Context, s *streams, dir string) error {
	unlock, err := coach.Lock(dir)
	if err != nil {
		return err
	}
	defer unlock()
	if err := mend(s, dir); err != nil {
		return err
	}
	ids, err := coach.ReadIDs(f.rows)
	if err != nil {
		return err
	}
	plan, err := coach.PlanForget(dir, ids)
	if err != nil {
		return err
	}
	ask := newQuestions(ctx, s)
	if len(plan.Alike) > 0 {
		fmt.Fprintf(s.err, "corrections that say almost the same: %d\n", len(plan.Alike))
		for _, c := range plan.Alike {
			fmt.Fprintf(s.err, "  %s: %.70q\n", c.ID, c.Prompt[len(c.Prompt)-1].Content)
			ids = append(ids, c.ID)
		}
		if f.near || !f.yes && ask.yes("forget them too?") {
			if plan, err = coach.PlanForget(dir, ids); err != nil {
				return err
			}
		} else {
			fmt.Fprintf(s.err, "they stay; --near takes them too\n")
		}
	}
	fmt.Fprintf(s.err, "%d corrections to forget, first taught in round %d; to be made again:\n", len(plan.Corrections),
		plan.First)
	for i := range plan.Rounds {
		a := &plan.Rounds[i]
		fmt.Fprintf(s.err, "  %v, which took %.0f s\n", a, a.Seconds)
	}
	if !f.yes && !ask.yes("go on?") {
		return fmt.Errorf("forget: nobody said yes; %s is as it was", dir)
	}
	if err := kernel.CheckCPU(); err != nil {
		return err
	}
	err = f.makeAgain(ctx, s, plan)
	if errors.Is(err, context.Canceled) {
		fmt.Fprintf(s.err, "%s is as it was; the same command goes on\n", dir)
	}
	return err
}

// makeAgain makes the rounds and puts them into the place of the old ones.
func (f *forgetting) makeAgain(ctx context.Context, s *streams, plan *coach.Forgetting) error {
	if err := plan.Prepare(); err != nil {
		return err
	}
	err := plan.Make(ctx, func(ctx context.Context, dir string, a *coach.Again) (bool, error) {
		path := ""
		if len(a.Left) > 0 {
			left, err := os.MkdirTemp("", "instruct-forget-")
			if err != nil {
				return false, err
			}
			defer os.RemoveAll(left)
			path = filepath.Join(left, "corrections.jsonl")
			if err := a.WriteLeft(path); err != nil {
				return false, err
			}
		}
		r := makeRound(dir, plan.Behaviour, path, a)
		fmt.Fprintf(s.err, "%v\n", a)
		_, err := r.make(ctx, &streams{s.in, s.err, s.err})
		if errors.Is(err, errNothingToLearn) {
			fmt.Fprintf(s.err, "round %d is left out: %v\n", a.Round.Round, err)
			return false, nil
		}
		return true, err
	})
	if err != nil {
		return err
	}
	kept, err := plan.Finish()
	if err != nil {
		return err
	}
	dir := plan.Behaviour
	for _, a := range plan.Rounds {
		what := "made again, its old model and pages deleted"
		if plan.LeftOut(&a) {
			what = "left out, as nothing that it was taught is left"
		}
		fmt.Fprintf(s.out, "round %-10d %s\n", a.Round.Round, what)
	}
	for _, name := range kept {
		fmt.Fprintf(s.out, "not touched      %s: it is no round's; look whether it has something of them\n", name)
	}
	current, err := pretrained.Current(dir)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "forgotten        %d corrections; round %d of %s is the current one\n", len(plan.Corrections),
		current, dir)
	fmt.Fprintf(s.err, "what lies elsewhere (exports of old models, kept answers, files of corrections) is as it was\n")
	return nil
}

// makeRound is a round of before, on the current model of dir; name is the behaviour that it is of.
func makeRound(dir, name, corrections string, a *coach.Again) *rounding {
	r := &rounding{behaviour: dir, name: filepath.Base(name), options: a.Options, keep: a.Kept,
		keepRows: a.KeepPrompts, maxNew: cmp.Or(a.MaxNew, 256), worse: 1, yes: true}
	if abs, err := filepath.Abs(name); err == nil {
		r.name = filepath.Base(abs)
	}
	if r.keepRows == 0 {
		r.keepRows = keepPrompts
	}
	r.corrections, r.author, r.suites, r.unseen = corrections, a.Author, a.SuiteFiles, a.UnseenFiles
	r.rules.paths, r.rules.prompt, r.again = a.Policies, a.PolicyPrompt, &a.Round
	if p := a.Practice; p != nil {
		r.self, r.sampling = p.Answers, model.Sampling{Temperature: p.Temperature, TopP: p.TopP}
	}
	return r
}
