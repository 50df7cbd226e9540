package eval

import (
	"fmt"
	"slices"

	"instruct/data/checks"
	"instruct/data/policy"
	"instruct/tokenizer/chat"
)

// FromPolicy makes a suite of what the examples of a policy ask: every prompt once, with the tags of the rules that it
// is an example of. An answer passes when every rule that applies to it holds. system is as in [Read].
func FromPolicy(p *policy.Policy, system string) (*Suite, error) {
	s := &Suite{Name: "policy"}
	place := map[string]int{} // of a prompt's test
	for _, r := range p.Rules {
		for _, x := range r.Examples {
			if x.Prompt == "" {
				continue
			}
			i, ok := place[x.Prompt]
			if !ok {
				i = len(s.Tests)
				place[x.Prompt] = i
				s.Tests = append(s.Tests, Test{ID: fmt.Sprintf("%s:%d", r.Path, x.Line),
					Messages: []chat.Message{{Role: "user", Content: x.Prompt}}})
			}
			t := &s.Tests[i]
			for _, tag := range r.Tags {
				if !slices.Contains(t.Tags, tag) {
					t.Tags = append(t.Tags, tag)
				}
			}
		}
	}
	if len(s.Tests) == 0 {
		return nil, mistake("policy: no example has a prompt to ask; write {prompt: ..., answer: ...}, or give a suite")
	}
	for i := range s.Tests {
		t := &s.Tests[i]
		turn := t.turn("")
		t.Check = func(answer string) checks.Result {
			turn := turn
			turn.Answer = answer
			return policyResult(p.Judge(turn))
		}
	}
	s.say(system)
	return s, nil
}

// policyResult is the outcome of the rules that apply to an answer; the reason is the first violated rule's.
func policyResult(judged []policy.Judgement) checks.Result {
	for _, j := range judged {
		if !j.Pass {
			return checks.Result{Verdict: checks.Verdict{Reason: fmt.Sprintf("rule %v: %s", j.Rule, j.Reason)}}
		}
	}
	return checks.Result{Verdict: checks.Verdict{Pass: true}, Score: 1}
}

// turn is what decides which rules of a policy apply to the answer to a test. The test's kind counts as a tag.
func (t *Test) turn(answer string) policy.Turn {
	turn := policy.Turn{Tags: t.Tags, Answer: answer}
	if t.Kind != "" {
		turn.Tags = append(slices.Clone(t.Tags), t.Kind)
	}
	for _, m := range t.Messages {
		if m.Role == "user" {
			turn.Prompt = m.Content
		}
	}
	return turn
}

// JudgeRules holds the answers to a suite's tests against the rules of a policy. Tests without an answer are left out.
func (s *Suite) JudgeRules(p *policy.Policy, samples []Sample) [][]policy.Judgement {
	out := make([][]policy.Judgement, len(samples))
	for i := range samples {
		if !s.Tests[i].Asked() {
			continue
		}
		out[i] = p.Judge(s.Tests[i].turn(samples[i].Answer))
	}
	return out
}

// ruleGroup is the name of a rule among the groups of a suite.
func ruleGroup(r *policy.Rule) string { return fmt.Sprintf("rule %v", r) }

// RuleRows is a row "rule ID (severity)" for each rule that applies to answers of the suite: the share of those in
// which it held.
func (s *Suite) RuleRows(p *policy.Policy, judged [][]policy.Judgement) []Row {
	var rows []Row
	for _, e := range p.Evidence(judged) {
		if e.Applies == 0 {
			continue
		}
		r := Row{Suite: s.Name, Group: ruleGroup(e.Rule), N: e.Applies, Mean: share(e.Held, e.Applies)}
		r.Low, r.High = wilson(r.Mean, r.N)
		rows = append(rows, r)
	}
	return rows
}
