package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"instruct/data"
	"instruct/data/checks"
	"instruct/data/policy"
	"instruct/model"
	"instruct/model/kernel"
	"instruct/model/pretrained"
	"instruct/tokenizer/chat"
	"instruct/train/coach"
	"instruct/train/eval"
)

// sources are what a round learns from: corrections, the good examples of a policy, and the model's own answers that
// pass a suite.
type sources struct {
	corrections string
	author      string
	rules       rules
	self        int // answers to each test; 0: the model does not practise
	suites      []string
	unseen      []string
	sampling    model.Sampling
	again       *coach.Round // that is made once more, on another parent; nil: a new one

	system string      // the prompt that the model was tuned with, for suites
	own    *eval.Suite // of the policy's prompts; nil where there are none
	notes  []string    // lines about what was read, for when all of it was
}

func (r *sources) add(c *cobra.Command, o *coach.Options) {
	fl := c.Flags()
	fl.StringVar(&r.corrections, "corrections", "", "file of corrections")
	fl.StringSliceVar(&r.rules.paths, "policy", nil, policyHelp+"; good examples with prompts are taught")
	fl.BoolVar(&r.rules.prompt, "policy_prompt", false, "say the texts of the rules to prompts that have no system prompt")
	fl.IntVar(&r.self, "self", 0, "answers that the model samples to each test of --suite that it fails; "+
		"those that pass are trained")
	fl.StringSliceVar(&r.suites, "suite", nil, "suites that are measured before and after; with --self, practised")
	fl.StringSliceVar(&r.unseen, "unseen", nil, "with --self: suites that are only measured")
	fl.Float64Var(&r.sampling.Temperature, "temperature", 0.8, "of the answers of --self")
	fl.Float64Var(&r.sampling.TopP, "top_p", 0.95, "of the answers of --self")
	fl.IntVar(&o.Passes, "passes", o.Passes, "times that every answer of --self is trained")
}

// check reads the flags that need it.
func (r *sources) check(cmd *cobra.Command) error {
	given := cmd.Flags().Changed
	self := given("self")
	switch {
	case r.corrections == "" && len(r.rules.paths) == 0 && !self:
		return mistake("round needs something to learn from: --corrections F (answers that you want), --policy P (good " +
			"examples of rules) or --self K (the model's own answers that pass --suite)")
	case r.rules.prompt && len(r.rules.paths) == 0:
		return mistake("policy_prompt says the rules of a policy; name it with --policy")
	case self && r.self < 1:
		return mistake("self is %d; it must be at least 1, the number of answers to a test", r.self)
	case self && len(r.suites) == 0:
		return mistake("self needs --suite: the tests that the model practises")
	}
	for _, name := range []string{"unseen", "temperature", "top_p", "passes"} {
		if given(name) && !self {
			return mistake("%s is for --self", name)
		}
	}
	if self && r.sampling.Temperature == 0 {
		return mistake("temperature is 0, so that every answer would be the same; it must be above 0")
	}
	return r.sampling.Validate()
}

// read reads what is taught and what is measured: the suites, those that are unseen, and the policy's own.
func (r *sources) read(ctx context.Context) (taught []data.Correction, suites []*eval.Suite, err error) {
	if r.corrections != "" {
		if taught, err = data.ReadCorrections(r.corrections); err != nil {
			return nil, nil, err
		}
	}
	if err := r.rules.read(); err != nil {
		return nil, nil, err
	}
	if err := r.checkRules(taught); err != nil {
		return nil, nil, err
	}
	for _, path := range append(r.suites[:len(r.suites):len(r.suites)], r.unseen...) {
		suite, err := eval.Read(ctx, path, r.rules.system(r.system))
		if err != nil {
			return nil, nil, err
		}
		suites = append(suites, named(suite, suites))
	}
	if err := r.checkSuites(suites); err != nil {
		return nil, nil, err
	}
	if r.rules.policy == nil {
		return taught, suites, nil
	}
	if taught, err = r.examples(taught); err != nil {
		return nil, nil, err
	}
	if r.own != nil {
		suites = append(suites, named(r.own, suites))
	}
	return taught, suites, nil
}

func (r *sources) note(format string, args ...any) {
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}

// checkRules refuses corrections that name a rule which the policy does not have.
func (r *sources) checkRules(corrections []data.Correction) error {
	if r.rules.policy == nil {
		return nil
	}
	var ids []string
	known := map[string]bool{"": true}
	for _, rule := range r.rules.policy.Rules {
		ids = append(ids, rule.ID)
		known[rule.ID] = true
	}
	for _, c := range corrections {
		if !known[c.Rule] {
			return mistake("corrections %s: %s names the rule %q, which the policy does not have; did you mean %q?",
				r.corrections, c.ID, c.Rule, checks.Nearest(c.Rule, ids))
		}
	}
	return nil
}

// practised are the suites that the model practises, of all that are measured.
func (r *sources) practised(suites []*eval.Suite) []*eval.Suite {
	if r.self == 0 {
		return nil
	}
	return suites[:len(r.suites)]
}

// teaches says whether the round trains on what suite i asks.
func (r *sources) teaches(suites []*eval.Suite, i int) bool {
	return i < len(r.practised(suites)) || suites[i] == r.own
}

// checkSuites refuses suites that cannot be practised, and tests of others that would be.
func (r *sources) checkSuites(suites []*eval.Suite) error {
	place := map[string]string{} // of a prompt that is practised
	for i, suite := range r.practised(suites) {
		n := 0
		for j := range suite.Tests {
			t := &suite.Tests[j]
			if !coach.Practises(t) {
				continue
			}
			n++
			place[promptKey(t.Messages)] = t.ID
		}
		switch {
		case n == 0:
			return mistake("suite %s: no test judges the text of an answer, so that nothing can be practised; "+
				"add assertions such as {type: contains, value: ...}", r.suites[i])
		case n < len(suite.Tests):
			r.note("%s: %d of %d tests do not judge the text of an answer, and are not practised", suite.Name,
				len(suite.Tests)-n, len(suite.Tests))
		}
	}
	for i, path := range r.unseen {
		for _, t := range suites[len(r.suites)+i].Tests {
			if practised := place[promptKey(t.Messages)]; practised != "" {
				return mistake("unseen %s: %s asks what %s asks, which is practised; take it out of one of the suites", path,
					t.ID, practised)
			}
		}
	}
	return nil
}

// promptKey is a prompt as a key of a map.
func promptKey(messages []chat.Message) string {
	var b strings.Builder
	for _, m := range messages {
		fmt.Fprintf(&b, "%q %q\n", m.Role, m.Content)
	}
	return b.String()
}

// errNothingToLearn is of a round that has no row to train.
var errNothingToLearn = errors.New("there is nothing to learn")

// examples adds to corrections the policy's good examples, but for prompts that a person corrects.
func (r *sources) examples(corrected []data.Correction) ([]data.Correction, error) {
	p := r.rules.policy
	var examples []data.Correction
	untaught := p.Rules
	if slices.ContainsFunc(p.Rules, hasPrompt) {
		var err error
		if r.own, err = eval.FromPolicy(p, r.rules.system(r.system)); err != nil {
			return nil, err
		}
		var withheld []string
		if r.again != nil {
			withheld = r.again.Withheld
		}
		if examples, untaught, err = coach.FromPolicy(p, r.own, time.Now(), withheld); err != nil {
			return nil, err
		}
		if len(r.own.Tests) == 0 {
			r.own = nil
		}
	}
	if r.again != nil {
		corrected, examples = coach.ExamplesAgain(corrected, examples)
	}
	if r.again != nil && len(examples)+len(corrected)+r.self == 0 {
		return nil, errNothingToLearn
	}
	if len(examples)+len(corrected)+r.self == 0 {
		first := untaught[0]
		return nil, mistake("policy: %s:%d: rule %s cannot be taught, nor can another one: no good example has a prompt; "+
			"write good: [{prompt: ..., answer: ...}]", first.Path, first.Line, first.ID)
	}
	for _, rule := range untaught {
		r.note("policy: %s:%d: rule %v is only checked: no good example has a prompt", rule.Path, rule.Line, rule)
	}
	done := map[string]bool{}
	for _, c := range corrected {
		done[promptKey(c.Prompt)] = true
	}
	examples = slices.DeleteFunc(examples, func(c data.Correction) bool { return done[promptKey(c.Prompt)] })
	for i := range examples {
		examples[i].Author = r.author
	}
	return append(corrected, examples...), nil
}

// hasPrompt says whether an example of a rule has a prompt.
func hasPrompt(rule *policy.Rule) bool {
	return slices.ContainsFunc(rule.Examples, func(x policy.Example) bool { return x.Prompt != "" })
}

// learn adds to the lesson of a round what follows from the answers of the model before it: what is rejected in the
// policy's examples, what is practised, and what the model can do already, which is held in place.
func (r *rounding) learn(ctx context.Context, s *streams, m *pretrained.Model, pool *kernel.Pool,
	suites []*eval.Suite, before [][]eval.Sample, lesson *coach.Lesson, round *coach.Round) error {
	if r.own != nil {
		coach.Reject(lesson.New, r.own, before[len(before)-1], round.ParentHash)
	}
	if r.self == 0 {
		return nil
	}
	p := &coach.Practice{Answers: r.self, Seed: r.options.Seed, Parent: round.Parent, MaxNew: r.maxNew,
		Temperature: r.sampling.Temperature, TopP: r.sampling.TopP}
	can, err := r.practise(ctx, s, m, pool, suites, before, p, round)
	if err != nil {
		return err
	}
	for i := range round.Practised {
		lesson.Rows = append(lesson.Rows, round.Practised[i].Row())
	}
	o := r.options
	o.KeptFrom = coach.FromParent
	c := newCountdown(s.err, terminal(s.err), "answers that pass, to keep", len(can))
	kept, err := coach.General(ctx, r.behaviour, m, round.Parent, pool, spread(can, r.keepRows), o, c.at)
	c.done()
	if err != nil {
		return err
	}
	lesson.Kept = append(lesson.Kept, kept...)
	round.Practice = p
	fmt.Fprintf(s.err, "%v\n", p)
	if len(lesson.New)+len(lesson.Rows) == 0 {
		return fmt.Errorf("round: %w: %v; more answers (--self), longer ones (--max_new_tokens) or easier tests may help",
			errNothingToLearn, p)
	}
	return nil
}

// practise samples answers to the tests that fail, through what is kept of the model's answers, so that a round that
// was stopped goes on. It gives the prompts of the tests that pass, as rows.
func (r *rounding) practise(ctx context.Context, s *streams, m *pretrained.Model, pool *kernel.Pool,
	suites []*eval.Suite, before [][]eval.Sample, p *coach.Practice, round *coach.Round) ([]data.Row, error) {
	answers, err := openKept(s, r.answers, m, kernel.F32)
	if err != nil {
		return nil, err
	}
	k := &eval.Keeper{Model: m, Pool: pool, Kept: answers}
	defer k.Close()
	var can []data.Row
	for i, suite := range r.practised(suites) {
		failed, passes := coach.Divide(suite, before[i])
		from := k.Answers.Kept
		c := newCountdown(s.err, terminal(s.err), fmt.Sprintf("%d answers to each of %d tests of %s that fail", r.self,
			len(failed), suite.Name), len(failed)*r.self)
		passed, err := p.Sample(ctx, k, suite, failed, func() {
			c.kept = k.Answers.Kept - from
			c.step()
		})
		c.done()
		if err != nil {
			return nil, stopped(s.err, "practice", k, err)
		}
		round.Practised = append(round.Practised, passed...)
		for _, prompt := range passes {
			can = append(can, data.Row{Messages: prompt})
		}
	}
	if err := answers.Close(); err != nil {
		fmt.Fprintf(s.err, "practice: not everything is kept: %v\n", err)
	}
	return can, nil
}

// tell gives the round what its model says of suites that it trained on, and of the rules.
func (r *sources) tell(round *coach.Round, suites []*eval.Suite, before, after [][]eval.Sample) {
	for i := range round.Suites {
		round.Suites[i].Taught = r.teaches(suites, i)
	}
	if r.rules.policy != nil {
		round.Rules = coach.JudgeRules(r.rules.policy, suites, before, after, r.own)
	}
}

// spread is at most n things of all, evenly spread.
func spread[T any](all []T, n int) []T {
	n = min(n, len(all))
	some := make([]T, n)
	for i := range some {
		some[i] = all[i*len(all)/n]
	}
	return some
}

// judge says what became of the sources beside corrections, and what of it rejects the round.
func (r *sources) judge(w io.Writer, round *coach.Round) []string {
	if round.Practice != nil {
		fmt.Fprintf(w, "practised          %v\n", round.Practice)
	}
	var broken []string
	for i := range round.Rules {
		m := &round.Rules[i]
		fmt.Fprintf(w, "rule %-13s held in %d of %d answers, before %d (%s)\n", m.Rule, m.After, m.Answers, m.Before,
			m.Severity)
		sayViolations(w, m)
		if m.Blocks() {
			broken = append(broken, m.String())
		}
	}
	return broken
}

// sayViolations names the answers of a round's model that violate a rule.
func sayViolations(w io.Writer, m *coach.RuleMove) {
	for _, v := range m.Violated {
		fmt.Fprintf(w, "  %s is violated by the answer to %.70q (%s): %s\n", m.Rule, v.Prompt, v.Test, v.Reason)
	}
}
