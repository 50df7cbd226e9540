package openai

import (
	"fmt"
	"strings"

	"instruct/data/policy"
)

// finishFilter is the finish reason of an answer that a policy withholds.
const finishFilter = "content_filter"

// violation is a rule that an answer does not keep.
type violation struct {
	Rule     string `json:"rule"`
	Severity string `json:"severity"`
	Text     string `json:"text"`             // what the rule asks for
	Reason   string `json:"reason,omitempty"` // not of an answer that is withheld, of which it may say something
}

// judged lets an answer through once it is whole and the policy has seen it: until then everything is held back.
func (s *Server) judged(c *call, take func(part) error) func(part) error {
	open := make([]whole, len(c.choices))
	return func(p part) error {
		x := &open[p.index]
		x.add(p)
		if p.finish == "" {
			return nil
		}
		made := part{index: p.index, text: x.text.String(), tokens: x.tokens, calls: x.calls}
		end := part{index: p.index, finish: p.finish, made: p.made}
		var blocked bool
		made.violations, blocked = s.judge(c.choices[p.index], &made)
		if blocked {
			q := c.choices[p.index]
			made.text, made.tokens, made.calls = made.text[:q.echoed], made.tokens[:min(len(q.starts), len(made.tokens))], nil
			made.refusal = refusal(made.violations)
			end.finish = finishFilter
		}
		if made.text != "" || len(made.tokens)+len(made.calls)+len(made.violations) > 0 {
			if err := take(made); err != nil {
				return err
			}
		}
		return take(end)
	}
}

// judge gives the rules that an answer violates, and whether it is to be withheld. An answer that only calls functions
// is not judged.
func (s *Server) judge(c *choice, p *part) (list []violation, blocked bool) {
	answer := p.text[c.echoed:]
	if c.noNew || len(p.calls) > 0 && strings.TrimSpace(answer) == "" {
		return nil, false
	}
	for _, j := range s.options.Policy.Judge(policy.Turn{Prompt: c.asked, Answer: answer}) {
		if j.Pass {
			continue
		}
		s.metrics.violation(j.Rule.ID, string(j.Rule.Severity))
		list = append(list, violation{j.Rule.ID, string(j.Rule.Severity), j.Rule.Text, j.Reason})
		blocked = blocked || j.Rule.Severity == policy.Block
	}
	if blocked {
		for i := range list {
			list[i].Reason = ""
		}
	}
	return list, blocked
}

// refusal is what a client reads in the place of an answer.
func refusal(list []violation) string {
	var rules []string
	for _, v := range list {
		if v.Severity == string(policy.Block) {
			rules = append(rules, fmt.Sprintf("%s (%s)", v.Rule, v.Text))
		}
	}
	return "The answer is withheld: it violates " + strings.Join(rules, ", ")
}
