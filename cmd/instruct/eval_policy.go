package main

import (
	"fmt"
	"io"
	"strings"

	"instruct/data/policy"
	"instruct/train/eval"
)

// rules is the policy that the answers of an evaluation are held against.
type rules struct {
	paths  []string
	prompt bool // the texts of the rules are said as system prompt
	policy *policy.Policy
}

// read reads the policy, if one is named.
func (r *rules) read() (err error) {
	if len(r.paths) > 0 {
		r.policy, err = policy.Read(r.paths...)
	}
	return err
}

// system adds the texts of the rules to the system prompt, if they shall be said.
func (r *rules) system(system string) string {
	if !r.prompt {
		return system
	}
	return strings.TrimSpace(system + "\n\n" + r.policy.SystemPrompt())
}

// judge holds the answers of a candidate against the rules, suite by suite.
func (r *rules) judge(c *candidate, suites []*eval.Suite) {
	if r.policy == nil {
		return
	}
	for i, suite := range suites {
		c.judged = append(c.judged, suite.JudgeRules(r.policy, c.samples[i]))
	}
}

// ruleResult is what a candidate's answers to all suites say about a rule.
type ruleResult struct {
	ruleLine
	Violations []violation `json:"violations"`

	evidence policy.Evidence
}

// violation is an answer that violates a rule.
type violation struct {
	Rule     string          `json:"rule"`
	Severity policy.Severity `json:"severity"`
	Suite    string          `json:"suite"`
	Test     string          `json:"test"`
	Reason   string          `json:"reason"`
}

// violations are those of an answer to a test of the suite.
func violations(s *eval.Suite, test int, judged []policy.Judgement) []violation {
	var out []violation
	for _, j := range judged {
		if !j.Pass {
			out = append(out, violation{j.Rule.ID, j.Rule.Severity, s.Name, s.Tests[test].ID, j.Reason})
		}
	}
	return out
}

// addRules adds what the answers say about the rules to the results of every candidate.
func (r *results) addRules(p *policy.Policy) {
	if p == nil {
		return
	}
	for n, c := range r.candidates {
		var all [][]policy.Judgement
		violated := map[string][]violation{}
		for i, suite := range r.suites {
			r.Candidates[n].Rows = append(r.Candidates[n].Rows, suite.RuleRows(p, c.judged[i])...)
			all = append(all, c.judged[i]...)
			for test, judged := range c.judged[i] {
				for _, v := range violations(suite, test, judged) {
					violated[v.Rule] = append(violated[v.Rule], v)
				}
			}
		}
		for _, e := range p.Evidence(all) {
			one := ruleResult{newRuleLine(e), violated[e.Rule.ID], e}
			if one.Violations == nil {
				one.Violations = []violation{}
			}
			r.Candidates[n].Rules = append(r.Candidates[n].Rules, one)
		}
	}
}

// print writes the evidence for a rule, and the first answers that violate it.
func (r *ruleResult) print(w io.Writer) {
	fmt.Fprintln(w, r.evidence)
	const most = 5
	for i, v := range r.Violations {
		if i == most {
			fmt.Fprintf(w, "  and %d more; --out writes them all\n", len(r.Violations)-most)
			break
		}
		fmt.Fprintf(w, "  violated by %s: %s\n", v.Test, v.Reason)
	}
}

// brokenRules is a message for each block rule that the candidate's answers violate.
func (c *candidateResult) brokenRules() []string {
	var evidence []policy.Evidence
	for _, r := range c.Rules {
		evidence = append(evidence, r.evidence)
	}
	return policy.Broken(evidence)
}
