package eval

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"instruct/data/policy"
)

// TestFromPolicy makes sure that a prompt is asked once, whichever rules have it as an example, and judged by all rules
// that apply to it.
func TestFromPolicy(t *testing.T) {
	const rule = "  - {id: %s, text: Be %[1]s., severity: %s, when: %s, assert: [{type: contains, value: %[1]s}], " +
		"good: [{prompt: Hi, answer: %[1]s}, {prompt: to %[1]s, answer: %[1]s}, %[1]s]}\n"
	p, err := policy.Parse("p.yaml", []byte("rules:\n"+fmt.Sprintf(rule, "kind", "block", "{tags: [a, b]}")+
		fmt.Sprintf(rule, "short", "warn", "{tags: [b, c], prompt: '^Hi|t'}")))
	if err != nil {
		t.Fatal(err)
	}
	s, err := FromPolicy(p, "Be.")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, x := range s.Tests {
		r := x.Check("very short")
		got = append(got, fmt.Sprintf("%s %s %v, %v: %s", x.ID, onOneLine(x.Messages), x.Tags, r.Pass, r.Reason))
	}
	want := []string{
		`p.yaml:2 [system] Be.  Hi [a b c], false: rule kind (block): expected the answer to contain "kind"`,
		`p.yaml:2 [system] Be.  to kind [a b], false: rule kind (block): expected the answer to contain "kind"`,
		`p.yaml:3 [system] Be.  to short [b c], false: rule kind (block): expected the answer to contain "kind"`,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	samples := []Sample{{Answer: "kind"}, {Answer: "kind and short"}, {Answer: "short"}}
	var rows []string
	for _, r := range s.RuleRows(p, s.JudgeRules(p, samples)) {
		rows = append(rows, fmt.Sprintf("%s, %s: %d %.2f in %.2f to %.2f", r.Suite, r.Group, r.N, r.Mean, r.Low, r.High))
	}
	want = []string{"policy, rule kind (block): 3 0.67 in 0.21 to 0.94",
		"policy, rule short (warn): 3 0.67 in 0.21 to 0.94"}
	if !reflect.DeepEqual(rows, want) {
		t.Errorf("rows %q", rows)
	}
}
