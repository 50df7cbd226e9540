package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"instruct/checkpoints"
	"instruct/data"
	"instruct/data/policy"
	"instruct/model/kernel"
	"instruct/tokenizer/chat"
	"instruct/train/coach"
	"instruct/train/eval"
)

// repairs looks for other answers of a model to which a correction applies: repair one, repair all.
type repairs struct {
	paths     []string // suites whose prompts are asked
	policies  []string // that have the correction's rule
	yes, json bool

	suites []*eval.Suite
	rule   *policy.Policy // of the correction's rule alone, or nil
}

func (r *repairs) add(c *cobra.Command) {
	fl := c.Flags()
	fl.StringArrayVar(&r.paths, "applies_to", nil,
		"suite or file of rows: ask its prompts and repair the answers to which the correction applies too")
	fl.StringSliceVar(&r.policies, "policy", nil, "with --rule: an answer that violates the rule is repaired too")
	fl.BoolVar(&r.yes, "yes", false, "take all repairs without asking")
	fl.BoolVar(&r.json, "json", false, "list repairs as JSON, one object a line, and take none")
}

// read reads what is asked, before a correction is written.
func (r *repairs) read(ctx context.Context, system, rule string) error {
	switch {
	case len(r.paths) == 0 && (len(r.policies) > 0 || r.yes || r.json):
		return mistake("policy, yes and json are about the answers that --applies_to looks at; give it a suite")
	case len(r.policies) > 0 && rule == "":
		return mistake("policy needs --rule: the id of the rule that the answer broke")
	case r.yes && r.json:
		return mistake("yes takes all repairs, json lists them; give one of them")
	}
	for _, path := range r.paths {
		suite, err := eval.Read(ctx, path, system)
		if err != nil {
			return err
		}
		r.suites = append(r.suites, named(suite, r.suites))
	}
	if len(r.policies) == 0 {
		return nil
	}
	p, err := policy.Read(r.policies...)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(p.Rules, func(x *policy.Rule) bool { return x.ID == rule })
	if i < 0 {
		return mistake("rule %q is not in %s", rule, strings.Join(r.policies, ", "))
	}
	r.rule = &policy.Policy{Rules: p.Rules[i : i+1]}
	return nil
}

// found is an answer to a test to which the correction applies.
type found struct {
	data.Repair
	test *eval.Test
	why  string
}

// find asks the suites and gives the answers to which a correction applies, the surest first. Prompts that the
// correction or the file speaks of already are left out.
func (r *repairs) find(ctx context.Context, s *streams, sp *speaker, made data.Correction, known []data.Correction) (
	all []found, err error) {
	d, err := kernel.ParseDType(sp.flags.dtype)
	if err != nil {
		return nil, err
	}
	kept, err := openKept(s, "", sp.model, d)
	if err != nil {
		return nil, err
	}
	k := &eval.Keeper{Model: sp.model, Pool: sp.pool, Kept: kept}
	defer k.Close()
	repaired := map[string]bool{}
	for _, c := range known {
		repaired[repairKey(c.Prompt, c.Chosen[0].Content)] = true
	}
	for _, suite := range r.suites {
		samples, err := r.ask(ctx, s, sp, k, suite)
		if err != nil {
			return nil, stopped(s.err, sp.flags.model, k, err)
		}
		for i := range suite.Tests {
			f, ok := r.look(suite, i, samples[i], made)
			key := repairKey(suite.Tests[i].Messages, f.Good)
			if ok && !repaired[key] {
				repaired[key] = true
				all = append(all, f)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b found) int { return int(a.Certainty - b.Certainty) })
	return all, kept.Close()
}

// repairKey tells repairs apart.
func repairKey(prompt []chat.Message, good string) string {
	text, err := json.Marshal([]any{prompt, good})
	if err != nil {
		panic(err) // strings only
	}
	return string(text)
}

// ask asks a suite, whose own limits of answers do not count: a correction is about a whole answer.
func (r *repairs) ask(ctx context.Context, s *streams, sp *speaker, k *eval.Keeper, suite *eval.Suite) (
	[]eval.Sample, error) {
	for i := range suite.Tests {
		suite.Tests[i].MaxNew = 0
	}
	from := k.Answers.Kept
	p := newCountdown(s.err, terminal(s.err), suite.Name, suite.Questions())
	defer p.done()
	return suite.AskWith(ctx, k, sp.decoding(nil), func() {
		p.kept = k.Answers.Kept - from
		p.step()
	})
}

// look holds the answer to a test against a correction.
func (r *repairs) look(suite *eval.Suite, test int, answer eval.Sample, made data.Correction) (f found, ok bool) {
	t := &suite.Tests[test]
	last := len(t.Messages) - 1
	if answer.PromptIDs == nil || t.Messages[last].Role != "user" || made.Covers(t.Messages) {
		return f, false
	}
	reason, violates := "", false
	if r.rule != nil {
		one := eval.Suite{Tests: suite.Tests[test : test+1]}
		for _, j := range one.JudgeRules(r.rule, []eval.Sample{answer})[0] {
			reason, violates = j.Reason, !j.Pass
		}
	}
	f = found{Repair: made.Repair(answer.Answer, violates), test: t}
	switch f.Certainty {
	case data.Same:
		f.why = "the answer is the one that was corrected"
	case data.Replaced:
		f.why = "the answer has what the correction replaces: " + replacedBy(f.Repair)
	case data.Violates:
		f.why = fmt.Sprintf("the answer violates rule %s: %s", made.Rule, reason)
	}
	return f, f.Certainty != data.None
}

// replacedBy says what is replaced by what.
func replacedBy(r data.Repair) string {
	var all []string
	for _, c := range r.Changes {
		text := fmt.Sprintf("%q by %q", strings.TrimSpace(r.Answer[c.Start:c.End]), c.By)
		if !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	return strings.Join(all, ", ")
}

// correction is the found answer's own correction.
func (f *found) correction(file *coach.Corrections, of data.Correction, good string) data.Correction {
	made := file.New(f.test.Messages, good, f.Answer)
	made.Note, made.Rule = of.Note, of.Rule
	return made
}

// run finds answers and takes, asks for or lists their repairs. It gives those that were taken, which are in the file
// even where there is an error.
func (r *repairs) run(ctx context.Context, s *streams, sp *speaker, file *coach.Corrections, made data.Correction,
	lines *bufio.Reader) (taken []data.Correction, err error) {
	known, err := data.ReadCorrections(file.Path)
	if err != nil {
		return nil, err
	}
	all, err := r.find(ctx, s, sp, made, known)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(s.err, "the correction applies to %d other answers\n", len(all))
	switch {
	case len(all) == 0:
		return nil, nil
	case r.yes:
		for _, f := range all {
			taken = append(taken, f.correction(file, made, f.Good))
		}
		if err := data.AppendCorrections(file.Path, taken, checkpoints.WriteFile); err != nil {
			return nil, err
		}
	case r.json || lines == nil:
		return nil, r.list(s, all)
	default:
		a := asking{streams: s, file: file, of: made, lines: lines}
		err = a.all(ctx, all)
		taken = a.taken
	}
	fmt.Fprintf(s.err, "%d of %d repairs added to %s\n", len(taken), len(all), file.Path)
	return taken, err
}

// repairLine is a repair that is listed.
type repairLine struct {
	Kind     string         `json:"kind"` // same, replaced or violates
	Why      string         `json:"why"`
	Test     string         `json:"test"`
	Prompt   []chat.Message `json:"prompt"`
	Answer   string         `json:"answer"`
	Proposal string         `json:"proposal"`
}

// list writes what was found.
func (r *repairs) list(s *streams, all []found) error {
	for i, f := range all {
		if r.json {
			l := repairLine{f.Certainty.String(), f.why, f.test.ID, f.test.Messages, f.Answer, f.Good}
			if err := writeJSON(s.out, l); err != nil {
				return err
			}
			continue
		}
		f.write(s.out, i, len(all))
	}
	fmt.Fprintln(s.err, "none was taken: --yes takes all, and in a terminal each is asked for")
	return nil
}
