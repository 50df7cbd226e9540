package policy

import (
	"fmt"
	"slices"
	"strings"

	"instruct/data/checks"
)

// Policy is rules in the order of their files.
type Policy struct{ Rules []*Rule }

// Severity says what follows from a violated rule.
type Severity string

// The severities: a violated rule fails the command, or is only told.
const (
	Block Severity = "block"
	Warn  Severity = "warn"
)

// Rule is what answers of some kind must be like.
type Rule struct {
	Path     string
	Line     int
	ID, Text string
	Severity Severity
	// Tags are those of which one must be given for the rule to apply; without any, it does not ask for tags.
	Tags     []string
	Examples []Example

	prompt *checks.Regexp // nil where the rule does not look at the prompt
	set    *checks.Set
}

// Example is an answer that a rule was proved on.
type Example struct {
	Line int
	Good bool
	// Prompt is what was asked, "" where the example is an answer alone.
	Prompt, Answer string
}

// String names a rule in results.
func (r *Rule) String() string { return fmt.Sprintf("%s (%s)", r.ID, r.Severity) }

// SystemPrompt is the texts of the rules as a numbered list.
func (p *Policy) SystemPrompt() string {
	lines := make([]string, len(p.Rules))
	for i, r := range p.Rules {
		lines[i] = fmt.Sprintf("%d. %s", i+1, r.Text)
	}
	return strings.Join(lines, "\n")
}

// Turn is an answer with what decides which rules apply to it.
type Turn struct {
	Prompt string // the last message of the user before the answer
	Tags   []string
	Answer string
}

// Judgement is the verdict of a rule on an answer that it applies to.
type Judgement struct {
	Rule *Rule
	checks.Verdict
}

// Judge gives the verdicts of the rules that apply to a turn.
func (p *Policy) Judge(t Turn) []Judgement {
	var out []Judgement
	for _, r := range p.Rules {
		if v, applies := r.judge(t); applies {
			out = append(out, Judgement{r, v})
		}
	}
	return out
}

// judge gives the verdict on a turn and whether the rule applies to it. A prompt that the expression takes too long for
// counts as violating the rule: nothing else can be said of it.
func (r *Rule) judge(t Turn) (v checks.Verdict, applies bool) {
	tagged := func(tag string) bool { return slices.Contains(t.Tags, tag) }
	if len(r.Tags) > 0 && !slices.ContainsFunc(r.Tags, tagged) {
		return v, false
	}
	if r.prompt != nil {
		matches, err := r.prompt.Match(t.Prompt)
		if err != nil {
			return checks.Verdict{Reason: fmt.Sprintf("matching the prompt with %q took too long", r.prompt)}, true
		}
		if !matches {
			return v, false
		}
	}
	return r.set.Judge(checks.Answer{Text: t.Answer}).Verdict, true
}

// Evidence is in how many of the answers that a rule applies to it held.
type Evidence struct {
	Rule          *Rule
	Applies, Held int
}

// Evidence counts the judgements of many answers, rule by rule.
func (p *Policy) Evidence(judged [][]Judgement) []Evidence {
	out := make([]Evidence, len(p.Rules))
	place := map[*Rule]int{}
	for i, r := range p.Rules {
		out[i].Rule = r
		place[r] = i
	}
	for _, answer := range judged {
		for _, j := range answer {
			e := &out[place[j.Rule]]
			e.Applies++
			if j.Pass {
				e.Held++
			}
		}
	}
	return out
}

// Violated is how many answers violate the rule.
func (e Evidence) Violated() int { return e.Applies - e.Held }

// String is a line for people.
func (e Evidence) String() string {
	if e.Applies == 0 {
		return fmt.Sprintf("evidence for rule %v: none, it applies to no answer", e.Rule)
	}
	return fmt.Sprintf("evidence for rule %v: held in %d of %d answers it applies to", e.Rule, e.Held, e.Applies)
}

// Broken is a message for each block rule that is violated.
func Broken(evidence []Evidence) []string {
	var out []string
	for _, e := range evidence {
		if n := e.Violated(); n > 0 && e.Rule.Severity == Block {
			out = append(out, fmt.Sprintf("rule %v is violated by %d of the %d answers it applies to", e.Rule, n, e.Applies))
		}
	}
	return out
}
