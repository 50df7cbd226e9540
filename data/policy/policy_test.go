package policy

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"instruct/data"
	"instruct/tokenizer/chat"
)

func TestRead(t *testing.T) {
	p, err := Read("testdata/shop.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range p.Rules {
		got = append(got, fmt.Sprintf("%v line %d, tags %v, %d examples", r, r.Line, r.Tags, len(r.Examples)))
	}
	want := []string{
		"refund-days (block) line 3, tags [], 3 examples",
		"no-promises (block) line 14, tags [delivery], 2 examples",
		"brief (warn) line 22, tags [], 1 examples",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	const list = "1. Say that a refund takes 14 days.\n2. Promise nothing that the shop does not decide, " +
		"such as the day of delivery.\n3. Answer in at most 25 words."
	if p.SystemPrompt() != list {
		t.Error(p.SystemPrompt())
	}
	want2 := Example{Line: 12, Prompt: "When do I get my money back?", Answer: "As soon as we can."}
	if x := p.Rules[0].Examples[2]; x != want2 {
		t.Errorf("%+v", x)
	}
}

// TestJudge makes sure that a rule applies when one of its tags is given and its expression matches, and not otherwise.
func TestJudge(t *testing.T) {
	const rule = "  - {id: %s, text: t, severity: warn, %sassert: [{type: contains, value: '{{x}}'}]}\n"
	p, err := Parse("p.yaml", []byte("rules:\n"+fmt.Sprintf(rule, "always", "")+
		fmt.Sprintf(rule, "tagged", "when: {tags: [a, b]}, ")+fmt.Sprintf(rule, "asked", "when: {prompt: ^x}, ")+
		fmt.Sprintf(rule, "both", "when: {tags: [a], prompt: x$}, ")))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		turn Turn
		want string
	}{
		{Turn{}, "always"},
		{Turn{Tags: []string{"c", "b"}}, "always tagged"},
		{Turn{Prompt: "xy"}, "always asked"},
		{Turn{Prompt: "yx"}, "always"},
		{Turn{Prompt: "yx", Tags: []string{"a"}}, "always tagged both"},
		{Turn{Prompt: "x", Tags: []string{"a"}, Answer: "{{x}}"}, "always tagged asked both"},
	} {
		var ids []string
		for _, j := range p.Judge(c.turn) {
			ids = append(ids, j.Rule.ID)
			if j.Pass != (c.turn.Answer == "{{x}}") || j.Pass != (j.Reason == "") {
				t.Errorf("%+v: %v: %+v", c.turn, j.Rule, j.Verdict)
			}
		}
		if got := strings.Join(ids, " "); got != c.want {
			t.Errorf("%+v: %s apply, want %s", c.turn, got, c.want)
		}
	}
}

func TestLint(t *testing.T) {
	p, err := Read("testdata/shop.yaml")
	if err != nil {
		t.Fatal(err)
	}
	rows, err := data.Load(context.Background(), []string{"testdata/shop.jsonl"}, "")
	if err != nil {
		t.Fatal(err)
	}
	say := func(role, text string) chat.Message { return chat.Message{Role: role, Content: text} }
	untrained := say("assistant", "Soon.")
	untrained.Train = new(false)
	call := chat.Message{Role: "assistant", ToolCalls: []byte("[]")}
	rows = append(rows, data.Row{Source: "own:1", Text: "A refund."},
		data.Row{Source: "own:2", Messages: []chat.Message{say("system", "refund"), say("assistant", "Hello."),
			say("user", "A refund!"), untrained, say("user", "My refund!"), call, say("tool", "refund"),
			say("assistant", "Later.")}})
	r, err := p.Lint(context.Background(), rows)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, v := range r.Violations {
		got = append(got, fmt.Sprintf("%s message %d: %v: %.30s; %s", v.Source, v.Message, v.Rule, v.Reason, v.Prompt))
	}
	for _, e := range r.Evidence {
		got = append(got, e.String())
	}
	got = append(got, fmt.Sprint(r.Rows, r.Answers, r.Plain), strings.Join(Broken(r.Evidence), "; "))
	want := []string{
		"testdata/shop.jsonl:2 message 2: refund-days (block): expected the answer to contain; I want my money back.",
		"testdata/shop.jsonl:4 message 2: no-promises (block): expected the answer not to mat; " +
			"Will the chair come on Friday?",
		"testdata/shop.jsonl:6 message 2: brief (warn): expected the answer to have at; Tell me about the blue lamp.",
		"own:2 message 8: refund-days (block): expected the answer to contain; My refund!",
		"evidence for rule refund-days (block): held in 1 of 3 answers it applies to",
		"evidence for rule no-promises (block): held in 1 of 2 answers it applies to",
		"evidence for rule brief (warn): held in 7 of 8 answers it applies to",
		"8 8 1",
		"rule refund-days (block) is violated by 2 of the 3 answers it applies to; " +
			"rule no-promises (block) is violated by 1 of the 2 answers it applies to",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	r, err = p.Lint(context.Background(), rows[:1])
	if err != nil || r.Evidence[1].String() != "evidence for rule no-promises (block): none, it applies to no answer" {
		t.Errorf("%v, %v", r.Evidence[1], err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := p.Lint(ctx, rows); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// mistakes are policies with the message for each.
func mistakes() []struct{ text, message string } {
	const head = "rules:\n  - id: a\n    text: t\n    severity: warn\n"
	const good = head + "    assert: [{type: contains, value: x}]\n"
	return []struct{ text, message string }{
		{"", "policy p.yaml: the file is empty; it should hold rules"},
		{"- a", "policy p.yaml:1: a policy must be a mapping, found a list"},
		{"a: [", "policy p.yaml:1: not valid YAML"},
		{"rule: []", `policy p.yaml:1: unknown key "rule"; did you mean "rules"?`},
		{"rules: []", "policy p.yaml:1: a policy needs rules"},
		{"{}", "policy p.yaml:1: a policy needs rules"},
		{"rules: {}", "policy p.yaml:1: rules must be a list, found a mapping"},
		{"rules:\n  - x", "policy p.yaml:2: expected a mapping with id, text, severity"},
		{"rules:\n  - id: a\n    txt: t", `policy p.yaml:3: unknown key "txt"; did you mean "text"?`},
		{"rules:\n  - text: t", "policy p.yaml:2: a rule needs an id"},
		{"rules:\n  - text: t\n    id: 7", "policy p.yaml:3: id must be text, found a number"},
		{"rules:\n  - text: t\n    id: A rule", `policy p.yaml:3: the id "A rule" must be lower-case letters, digits`},
		{"rules:\n  - id: " + strings.Repeat("x", 41), `policy p.yaml:2: the id "xxx`},
		{"rules:\n  - id: a", "policy p.yaml:2: rule a needs a text: what it asks for, in words"},
		{"rules:\n  - id: a\n    text: ' '", "policy p.yaml:2: rule a needs a text"},
		{"rules:\n  - id: a\n    text: t", "policy p.yaml:2: rule a needs a severity: block or warn"},
		{"rules:\n  - id: a\n    text: t\n    severity: error",
			`policy p.yaml:4: severity must be block or warn, found "error"`},
		{head, "policy p.yaml:2: rule a needs assertions in assert"},
		{head + "    assert: []", "policy p.yaml:2: rule a needs assertions in assert"},
		{head + "    assert: {type: contains}", "policy p.yaml:5: assert must be a list, found a mapping"},
		{head + "    assert:\n      - type: contians", `policy p.yaml:6: unknown type "contians"; did you mean "contains"?`},
		{head + "    assert:\n      - type: contains", "policy p.yaml:6: contains: a value is missing"},
		{head + "    assert:\n      - type: regex\n        value: (",
			`policy p.yaml:7: regex: invalid regular expression "("`},
		{head + "    assert:\n      - {type: not-perplexity, threshold: 3}",
			"policy p.yaml:6: not-perplexity judges a model's numbers; a rule can only judge text"},
		{head + "    assert:\n      - type: assert-set\n        assert:\n" +
			"          - {type: is-json}\n          - {type: logprob-margin, value: {better: [a], worse: [b]}}",
			"policy p.yaml:9: logprob-margin judges a model's numbers"},
		{good + "    when:", "policy p.yaml:6: expected a mapping with tags, prompt, found nothing"},
		{good + "    when: {}", "policy p.yaml:6: when needs tags or prompt; leave it out where the rule always applies"},
		{good + "    when: {tag: [a]}", `policy p.yaml:6: unknown key "tag"; did you mean "tags"?`},
		{good + "    when: {tags: []}", "policy p.yaml:6: tags must name at least one tag"},
		{good + "    when: {tags: a}", "policy p.yaml:6: tags must be a list, found text"},
		{good + "    when: {tags: [1]}", "policy p.yaml:6: a tag must be text, found a number"},
		{good + "    when:\n      tags:\n        - ''", "policy p.yaml:8: a tag is empty"},
		{good + "    when: {prompt: ''}", "policy p.yaml:6: prompt must be a regular expression, found an empty text"},
		{good + "    when: {prompt: '['}", `policy p.yaml:6: prompt: invalid regular expression "["`},
		{good + "    when: {prompt: 1}", "policy p.yaml:6: prompt must be text, found a number"},
		{good + "    good: x", "policy p.yaml:6: good must be a list, found text"},
		{good + "    good: [1]", "policy p.yaml:6: an example must be an answer as text, or {prompt: ..., answer: ...}"},
		{good + "    good: [{answer: x}]", "policy p.yaml:6: an example needs prompt and answer"},
		{good + "    good: [{prompt: x}]", "policy p.yaml:6: an example needs prompt and answer"},
		{good + "    good: [{prompt: x, response: x}]", `policy p.yaml:6: unknown key "response"`},
		{good + "    good:\n      - x\n      - hello", `policy p.yaml:8: rule a: the good example "hello" must pass ` +
			`and fails: expected the answer to contain "x"`},
		{good + "    bad:\n      - y\n      - |\n        x\n        y",
			`policy p.yaml:8: rule a: the bad example "x" must fail and passes every assertion`},
		{good + "    when: {tags: [b], prompt: ^z}\n    good:\n      - {prompt: zz, answer: x}\n" +
			"      - {prompt: q, answer: x}",
			`policy p.yaml:9: rule a: its when does not match the prompt of the example "q"`},
		{good + strings.TrimPrefix(good, "rules:\n"), "policy p.yaml:6: rule a: its id was already given in p.yaml:2"},
	}
}

func TestMistakes(t *testing.T) {
	for _, x := range mistakes() {
		_, err := Parse("p.yaml", []byte(x.text))
		if err == nil || !strings.HasPrefix(err.Error(), x.message) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s\n\terror %v\n\twant  %s", x.text, err, x.message)
		}
		var user interface{ UserError() bool }
		if !errors.As(err, &user) {
			t.Errorf("%s: %v is no user's mistake", x.text, err)
		}
	}
	if _, err := Read("testdata/none.yaml"); err == nil ||
		err.Error() != "policy testdata/none.yaml: no such file or directory" {
		t.Errorf("error %v", err)
	}
	const want = "policy testdata/shop.yaml:3: rule refund-days: its id was already given in testdata/shop.yaml:3"
	if _, err := Read("testdata/shop.yaml", "testdata/shop.yaml"); err == nil || err.Error() != want {
		t.Errorf("error %v", err)
	}
}

// FuzzParse reads anything: an error is one line that names the file, and what is read judges its own examples as it
// says.
func FuzzParse(f *testing.F) {
	for _, x := range mistakes() {
		f.Add(x.text)
	}
	f.Add("rules:\n  - {id: a, text: t, severity: block, when: {tags: [x], prompt: 'a|b'}, " +
		"assert: [{type: assert-set, threshold: 0.5, assert: [{type: contains, value: x}, {type: is-json}]}], " +
		"good: ['x', {prompt: a, answer: '{}'}], bad: [y]}\n")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Parse("p.yaml", []byte(text))
		if err != nil {
			if m := err.Error(); !strings.HasPrefix(m, "policy p.yaml:") || strings.Contains(m, "\n") {
				t.Errorf("error %q", m)
			}
			return
		}
		for _, r := range p.Rules {
			for _, x := range r.Examples {
				if v := p.Judge(Turn{Prompt: x.Prompt, Tags: r.Tags, Answer: x.Answer}); x.Prompt != "" && len(v) == 0 {
					t.Errorf("%v does not apply to its example %+v", r, x)
				}
			}
		}
	})
}
