package coach

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"instruct/data"
	"instruct/data/policy"
	"instruct/train/eval"
)

// FromPolicy makes a correction of every prompt that good examples of a policy's rules answer; s is what the policy
// asks, by [eval.FromPolicy]. The answer that is wanted is the prompt's first good example that violates no rule of
// severity block, the rejected one a bad example of the same rule and prompt, or "" where there is none: [Reject] puts
// what the model says there. untaught are the rules without a good example that has a prompt. An example whose
// correction has a sha256 of withheld is as if the policy did not have it, and s does not ask its prompt, unless
// another one is taught.
func FromPolicy(p *policy.Policy, s *eval.Suite, at time.Time, withheld []string) (taught []data.Correction,
	untaught []*policy.Rule, err error) {
	forgotten := map[string]bool{} // prompts
	tests := map[string]*eval.Test{}
	for i := range s.Tests {
		tests[s.Tests[i].Prompt()] = &s.Tests[i]
	}
	done := map[string]bool{}
	refused := []string{} // prompts, in the order of the file
	why := map[string]error{}
	for _, r := range p.Rules {
		teaches := false
		for _, x := range r.Examples {
			if !x.Good || x.Prompt == "" {
				continue
			}
			c, err := correctionOf(p, r, x, tests[x.Prompt], at)
			if slices.Contains(withheld, taughtHash(&c)) {
				forgotten[x.Prompt] = true
				continue
			}
			teaches = true
			if done[x.Prompt] {
				continue // two answers to one prompt cannot both be decoded
			}
			if err == nil {
				done[x.Prompt] = true
				taught = append(taught, c)
			} else if why[x.Prompt] == nil {
				why[x.Prompt] = err
				refused = append(refused, x.Prompt)
			}
		}
		if !teaches {
			untaught = append(untaught, r)
		}
	}
	for _, prompt := range refused {
		if !done[prompt] && !forgotten[prompt] {
			return nil, nil, why[prompt]
		}
	}
	s.Tests = slices.DeleteFunc(s.Tests, func(t eval.Test) bool { return forgotten[t.Prompt()] && !done[t.Prompt()] })
	return taught, untaught, nil
}

// correctionOf makes a correction of a good example x of rule r, whose prompt test t asks.
func correctionOf(p *policy.Policy, r *policy.Rule, x policy.Example, t *eval.Test, at time.Time) (
	data.Correction, error) {
	c := data.NewCorrection(t.Messages, strings.TrimSpace(x.Answer), "", at)
	c.Note, c.Rule = r.Text, r.ID
	if err := c.Validate(); err != nil {
		return c, mistake("policy: %s:%d: the good example of rule %s cannot be taught: %w", r.Path, x.Line, r.ID, err)
	}
	for _, j := range p.Judge(policy.Turn{Prompt: x.Prompt, Tags: t.Tags, Answer: x.Answer}) {
		if !j.Pass && j.Rule.Severity == policy.Block {
			return c, mistake("policy: %s:%d: the good example of rule %s violates rule %v of %s:%d: %s; "+
				"no answer to this prompt that the policy gives can be taught", r.Path, x.Line, r.ID, j.Rule, j.Rule.Path,
				j.Rule.Line, j.Reason)
		}
	}
	for _, bad := range r.Examples {
		answer := strings.TrimSpace(bad.Answer)
		if !bad.Good && bad.Prompt == x.Prompt && answer != c.Chosen[0].Content {
			c.Rejected[0].Content = bad.Answer
			break
		}
	}
	return c, nil
}

// Reject fills in the rejected answers that are missing with those that the model, whose weights have the given hash,
// gives to the tests of s. A correction that the model answers as it is wanted keeps none.
func Reject(corrections []data.Correction, s *eval.Suite, answers []eval.Sample, hash string) {
	said := map[string]string{}
	for i := range s.Tests {
		said[s.Tests[i].Prompt()] = answers[i].Answer
	}
	for i := range corrections {
		c := &corrections[i]
		answer, asked := said[c.Prompt[len(c.Prompt)-1].Content]
		if asked && c.Rejected[0].Content == "" && strings.TrimSpace(answer) != c.Chosen[0].Content {
			c.Rejected[0].Content, c.Model = answer, hash
		}
	}
}

// RuleMove is what a round did to a rule of a policy.
type RuleMove struct {
	Rule     string      `json:"rule"`
	Severity string      `json:"severity"`
	Answers  int         `json:"answers"` // that it applies to
	Before   int         `json:"before"`  // in which it held
	After    int         `json:"after"`
	Violated []Violation `json:"violated"` // after the round; to prompts not the policy's own, only where it held before
}

// Violation is an answer that violates a rule.
type Violation struct {
	Suite  string `json:"suite"`
	Test   string `json:"test"`
	Prompt string `json:"prompt"`
	Reason string `json:"reason"`
}

// Blocks says whether a round that did so is to be rejected.
func (m *RuleMove) Blocks() bool { return m.Severity == string(policy.Block) && len(m.Violated) > 0 }

// String is the first violation, for people.
func (m *RuleMove) String() string {
	v := m.Violated[0]
	text := fmt.Sprintf("rule %s (%s) is violated by the answer to %q (%s)", m.Rule, m.Severity, v.Prompt, v.Test)
	if more := len(m.Violated) - 1; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// JudgeRules holds the answers to all suites against the rules of a policy. own is the suite of the policy's prompts,
// or nil.
func JudgeRules(p *policy.Policy, suites []*eval.Suite, before, after [][]eval.Sample, own *eval.Suite) []RuleMove {
	moves := make([]RuleMove, len(p.Rules))
	place := map[*policy.Rule]*RuleMove{}
	for i, r := range p.Rules {
		moves[i] = RuleMove{Rule: r.ID, Severity: string(r.Severity), Violated: []Violation{}}
		place[r] = &moves[i]
	}
	for i, s := range suites {
		held := s.JudgeRules(p, before[i])
		for test, judged := range s.JudgeRules(p, after[i]) {
			t := &s.Tests[test]
			for k, j := range judged {
				m := place[j.Rule]
				m.Answers++
				was := held[test][k].Pass // which rules apply follows from the test alone
				if was {
					m.Before++
				}
				switch {
				case j.Pass:
					m.After++
				case was || s == own:
					m.Violated = append(m.Violated, Violation{Suite: s.Name, Test: t.ID, Prompt: t.Prompt(), Reason: j.Reason})
				}
			}
		}
	}
	return moves
}
