package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"instruct/data/policy"
)

const policyHelp = "policies: YAML files of rules, each with a text, assertions and examples"

func newPolicy(s *streams) *cobra.Command {
	return group("policy", "Hold data against the rules of a policy", newPolicyLint(s))
}

// linter judges training rows as the flags say.
type linter struct {
	reading
	policies []string
	json     bool
}

func newPolicyLint(s *streams) *cobra.Command {
	var l linter
	c := &cobra.Command{Use: "lint DATA...", Short: "Name the training rows that teach a violation of a rule",
		Long: `Judges every answer that training on the files would teach by the rules that apply to it, and names those that
violate one. The tag of an answer is its row's "kind", its prompt the user's message before it. Exit 1 when a rule of
severity block is violated; violations of severity warn are only printed.`,
		Example: "  instruct policy lint --policy policy.yaml train.jsonl more.parquet",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return mistake("%s needs %s", shortPath(cmd), filesHelp)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return l.run(cmd, s, args) }}
	c.Flags().StringSliceVar(&l.policies, "policy", nil, policyHelp)
	l.reading.add(c.Flags())
	c.Flags().BoolVar(&l.json, "json", false, "violations as JSON, one object a line, and a last line with the counts")
	return c
}

func (l *linter) run(cmd *cobra.Command, s *streams, paths []string) error {
	if err := required(cmd, "policy"); err != nil {
		return err
	}
	p, err := policy.Read(l.policies...)
	if err != nil {
		return err
	}
	rows, err := l.load(cmd.Context(), s, paths)
	if err != nil {
		return err
	}
	report, err := p.Lint(cmd.Context(), rows)
	if err != nil {
		return err
	}
	if l.json {
		err = printLintJSON(s.out, report)
	} else {
		printLint(s.out, report)
	}
	if err != nil {
		return err
	}
	if broken := policy.Broken(report.Evidence); len(broken) > 0 {
		return fmt.Errorf("%s: %s", shortPath(cmd), strings.Join(broken, "; "))
	}
	return nil
}

func printLint(w io.Writer, r *policy.Report) {
	for _, v := range r.Violations {
		fmt.Fprintf(w, "%s: %v: %s; answer: %s\n", v.Source, v.Rule, v.Reason, excerpt(v.Answer))
	}
	fmt.Fprintf(w, "%d rows, %d trained answers, %d violations\n", r.Rows, r.Answers, len(r.Violations))
	if r.Plain > 0 {
		fmt.Fprintf(w, "rows of plain text, which have no answers and were not judged: %d\n", r.Plain)
	}
	for _, e := range r.Evidence {
		fmt.Fprintln(w, e)
	}
}

// excerpt is the beginning of an answer in quotes, on one line.
func excerpt(answer string) string {
	const most = 80
	if rs := []rune(answer); len(rs) > most {
		return fmt.Sprintf("%q...", string(rs[:most]))
	}
	return fmt.Sprintf("%q", answer)
}

// lintLine is a violation as JSON, lintTotals the last line.
type lintLine struct {
	Row      string          `json:"row"`
	Message  int             `json:"message"`
	Rule     string          `json:"rule"`
	Severity policy.Severity `json:"severity"`
	Reason   string          `json:"reason"`
	Prompt   string          `json:"prompt"`
	Answer   string          `json:"answer"`
}

type lintTotals struct {
	Rows       int        `json:"rows"`
	Answers    int        `json:"answers"`
	Plain      int        `json:"plain"`
	Violations int        `json:"violations"`
	Rules      []ruleLine `json:"rules"`
}

// ruleLine is the evidence for a rule as JSON.
type ruleLine struct {
	Rule     string          `json:"rule"`
	Severity policy.Severity `json:"severity"`
	Text     string          `json:"text"`
	Applies  int             `json:"n"` // answers that the rule applies to
	Held     int             `json:"held"`
}

func newRuleLine(e policy.Evidence) ruleLine {
	return ruleLine{e.Rule.ID, e.Rule.Severity, e.Rule.Text, e.Applies, e.Held}
}

func printLintJSON(w io.Writer, r *policy.Report) error {
	for _, v := range r.Violations {
		line := lintLine{v.Source, v.Message, v.Rule.ID, v.Rule.Severity, v.Reason, v.Prompt, v.Answer}
		if err := writeJSON(w, line); err != nil {
			return err
		}
	}
	totals := lintTotals{Rows: r.Rows, Answers: r.Answers, Plain: r.Plain, Violations: len(r.Violations)}
	for _, e := range r.Evidence {
		totals.Rules = append(totals.Rules, newRuleLine(e))
	}
	return writeJSON(w, totals)
}
