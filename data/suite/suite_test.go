package suite

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"instruct/tokenizer/chat"
)

func TestParse(t *testing.T) {
	s, err := Parse("s.yaml", []byte("\ufeff"+strings.ReplaceAll(`
description: d
prompts: "{{a}}"
defaultTest: {tags: [x], vars: {a: 1}}
tests:
  - tags: [y]
    messages:
      - {role: system, content: Be kind.}
      - role: user
        content: |
          {{a}}
          {{b}}
    vars: {b: [p, q]}
    assert:
      - type: logprob-margin
        value: {better: ["{{b}}"], worse: [no]}
        threshold: 0.5
  - {}
`, "\n", "\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range s.Cases {
		var messages []string
		for _, m := range c.Messages {
			messages = append(messages, m.Role+": "+m.Content)
		}
		got = append(got, fmt.Sprintf("%d %d %d %v %q", c.Line, c.Test, c.Prompt, c.Vars, messages))
	}
	want := []string{
		`6 0 -1 [{a 1} {b p}] ["system: Be kind." "user: 1\np\n"]`,
		`6 0 -1 [{a 1} {b q}] ["system: Be kind." "user: 1\nq\n"]`,
		`18 1 0 [{a 1}] ["user: 1"]`,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if tags := s.Tests[0].Tags; !reflect.DeepEqual(tags, []string{"x", "y"}) {
		t.Errorf("tags %v", tags)
	}
	if m := s.Cases[0].Checks.Margins(); len(m) != 1 || m[0].Worse[0].Text != "no" {
		t.Errorf("margins %v", m)
	}
}

// TestMargins makes sure that the answers of a logprob-margin stay as they are written, as mappings do in promptfoo.
func TestMargins(t *testing.T) {
	s, err := Parse("s.yaml", []byte(`
tests:
  - messages: [{role: user, content: Hi}]
    assert:
      - {type: logprob-margin, value: {better: ["{{b}}"], worse: [no]}}
`))
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(s.Cases[0].Checks.Margins()); got != "[{[{ {{b}}}] [{ no}]}]" {
		t.Error(got)
	}
	if want := []chat.Message{{Role: "user", Content: "Hi"}}; !reflect.DeepEqual(s.Cases[0].Messages, want) {
		t.Errorf("messages %v", s.Cases[0].Messages)
	}
}

// mistakes are suites with the beginning of the message for each.
func mistakes() []struct{ text, message string } {
	const good = "prompts: [\"{{q}}\"]\ntests:\n  - vars: {q: x}\n    assert:\n"
	return []struct{ text, message string }{
		{"", "suite s.yaml: the file is empty"},
		{"- a", "suite s.yaml:1: a suite must be a mapping, found a list"},
		{"a: [", "suite s.yaml:1: not valid YAML"},
		{"a: b: c", "suite s.yaml:1: not valid YAML"},
		{"prompts: x\nprompts: y", "suite s.yaml:2: "},
		{"prompts: [x]\n\x01", "suite s.yaml:2: not valid YAML: control characters"},
		{"\xff", "suite s.yaml: not valid YAML: the text is not UTF-8"},
		{"prompts: [x]\ntest: []", `suite s.yaml:2: unknown key "test"; did you mean "tests"?`},
		{"prompts: [x]\nproviders: [echo]", "suite s.yaml:2: providers has no use here"},
		{"prompts: [x]", "suite s.yaml:1: a suite needs tests"},
		{"prompts: [x]\ntests: {}", "suite s.yaml:2: tests must be a list, found a mapping"},
		{"prompts: [1]\ntests: [{}]", "suite s.yaml:1: a prompt must be text, found a number"},
		{"prompts:\n  - file://p.txt\ntests: [{}]", "suite s.yaml:2: file://p.txt is not read here"},
		{"prompts:\n  - '{\"a\": 1}'\ntests: [{}]", "suite s.yaml:2: a prompt that is JSON must be a list of messages"},
		{"prompts:\n  - '[{\"role\": \"usr\", \"content\": \"\"}]'\ntests: [{}]", `suite s.yaml:2: unknown role "usr"`},
		{"prompts:\n  - '[{\"role\": \"user\"}]'\ntests: [{}]",
			"suite s.yaml:2: a message of the prompt needs role and content"},
		{"prompts:\n  - '[{\"role\": \"user\", \"content\": {{x}}}]'\ntests: [{}]", "suite s.yaml:2: a prompt that is JSON"},
		{"prompts:\n  - |\n    - role: user\n      content: x\ntests: [{}]",
			"suite s.yaml:2: messages in a prompt must be JSON"},
		{"tests:\n  - {}", "suite s.yaml:2: the suite has no prompts, so the test needs messages"},
		{"tests:\n  - messages: []", "suite s.yaml:2: the list of messages is empty"},
		{"tests:\n  - messages:\n      - {role: user}", "suite s.yaml:3: a message needs role and content"},
		{"tests:\n  - messages:\n      - {role: assistant, content: x}",
			"suite s.yaml:3: the last message is the assistant's"},
		{"prompts: [x]\ndefaultTest: {messages: []}\ntests: [{}]", `suite s.yaml:2: unknown key "messages"`},
		{"prompts: ['{{q}}']\ntests:\n  - {}",
			"suite s.yaml:3: {{q}} has no value: the test has no vars (in the prompt of line 1)"},
		{"prompts: ['{{q}}']\ntests:\n  - vars: {r: 1}", "suite s.yaml:3: {{q}} has no value; the test's vars: r"},
		{"prompts: ['{{q|upper}}']\ntests:\n  - vars: {q: x}", `suite s.yaml:3: "{{q|upper}}": only plain variables`},
		{"prompts: ['{% if q %}']\ntests:\n  - vars: {q: x}", `suite s.yaml:3: "{% if q %}": only plain variables`},
		{"prompts: ['{{true}}']\ntests:\n  - vars: {q: x}", `suite s.yaml:3: "{{true}}": only plain variables`},
		{"prompts: [x]\ntests:\n  - vars:\n      q: '{{r}}'", "suite s.yaml:4: q: a variable's value cannot hold a template"},
		{"prompts: [x]\ntests:\n  - vars:\n      q: [1]",
			"suite s.yaml:4: q must be text, a number, a truth value or a list"},
		{"prompts: [x]\ntests:\n  - vars:\n      q: {}", "suite s.yaml:4: q must be text"},
		{"prompts: [x]\ntests:\n  - vars:\n      q: []", "suite s.yaml:4: q has no values"},
		{"prompts: [x]\ntests:\n  - vars:\n      a-b: x", `suite s.yaml:4: "a-b" cannot name a variable`},
		{"prompts: [x]\ntests:\n  - vars:\n      q: 012", "suite s.yaml:4: put 012 in quotes"},
		{"prompts: [x]\ntests:\n  - vars:\n      q: 2024-01-31",
			"suite s.yaml:4: put 2024-01-31 in quotes: without them it is a time"},
		{"prompts: [x]\ntests:\n  - vars:\n      q: 1e999", "suite s.yaml:4: the number 1e999 is out of range"},
		{"prompts: [x]\ntests:\n  - vars:\n      q: !!str 1", "suite s.yaml:4: tags such as !!str are not known here"},
		{"prompts: [x]\ntests:\n  - vars:\n      q: *a", "suite s.yaml:4: unknown alias *a"},
		{"prompts: [x]\ntests:\n  - vars: &a {q: x}\n  - vars:\n      <<: *a", "suite s.yaml:5: merge keys"},
		{"prompts:\n  - a\n    b\ntests: [{}]", "suite s.yaml:2: text of several lines needs quotes, | or >"},
		{"prompts:\n  - |+\n    b\n\ntests: [{}]", "suite s.yaml:2: |+ is not known here"},
		{"prompts:\n  - |\n    b \ntests: [{}]", "suite s.yaml:2: the last line of the block ends in white space"},
		{"prompts:\n  - ?\ntests: [{}]", "suite s.yaml:2: put ? in quotes"},
		{"prompts: [x]\ntests:\n  - {1: x}", "suite s.yaml:3: a key must be text; put 1 in quotes"},
		{"prompts: [x]\ntests:\n  - {threshold: high}", "suite s.yaml:3: threshold must be a number, found text"},
		{"prompts: [x]\ntests:\n  - tags: [1]", "suite s.yaml:3: a tag must be text, found a number"},
		{"prompts: [x]\ntests:\n  - metadata: 1", "suite s.yaml:3: metadata must be a mapping"},
		{"prompts: [x]\ntests:\n  - description: 1", "suite s.yaml:3: description must be text"},
		{good + "      - {type: contians, value: x}", `suite s.yaml:5: unknown type "contians"; did you mean "contains"?`},
		{good + "      - type: contains", "suite s.yaml:5: contains: a value is missing"},
		{good + "      - {typ: contains}", `suite s.yaml:5: unknown key "typ"; did you mean "type"?`},
		{good + "      - contains", "suite s.yaml:5: expected a mapping with type, value"},
		{good + "      - type: regex\n        weight: 2\n        value: (",
			`suite s.yaml:7: regex: invalid regular expression "("`},
		{good + "      - type: is-json\n        value:\n          tpe: object",
			`suite s.yaml:7: is-json: the schema: unknown keyword "tpe"`},
		{good + "      - type: contains\n        value: '{{r}}'",
			"suite s.yaml:6: contains: {{r}} has no value; the test's vars: q"},
		{good + "      - type: word-count\n        value: '{{q}}'",
			"suite s.yaml:6: word-count: the value must be a whole number"},
		{good + "      - type: contains\n        value: file://x", "suite s.yaml:6: file://x is not read here"},
		{good + "      - type: is-refusal\n        metric: '{{r}}'", "suite s.yaml:5: metric: {{r}} has no value"},
		{good + "      - type: logprob-margin\n        value: {better: {kind: x}, worse: {kind: y}}",
			`suite s.yaml:6: logprob-margin: the voice "kind" stands in both`},
		{good + "      - type: assert-set\n        assert:\n          - type: starts-with\n            value: 1",
			"suite s.yaml:8: starts-with: the value must be text, found a number"},
		{"prompts: [x]\ndefaultTest:\n  assert:\n    - type: regex\n      value: ')'\ntests: [{}]",
			"suite s.yaml:5: regex: invalid"},
		{"prompts: [x]\ntests: [{}]\n---\nprompts: [x]", "suite s.yaml:"},
	}
}

func TestErrors(t *testing.T) {
	for _, x := range mistakes() {
		_, err := Parse("s.yaml", []byte(x.text))
		if err == nil || !strings.HasPrefix(err.Error(), x.message) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s\n\terror %v\n\twant  %s", x.text, err, x.message)
		}
		var user interface{ UserError() bool }
		if !errors.As(err, &user) {
			t.Errorf("%s: %v is no user's mistake", x.text, err)
		}
	}
}

// TestBounds makes sure that a small file cannot fill the memory.
func TestBounds(t *testing.T) {
	lists := "prompts: [x]\ntests:\n  - metadata:\n      a0: &a0 [x]\n"
	vars := "prompts: [x]\ntests:\n  - vars:\n"
	for i := range 30 {
		lists += fmt.Sprintf("      a%d: &a%d [*a%d, *a%d]\n", i+1, i+1, i, i)
		vars += fmt.Sprintf("      v%d: [a, b]\n", i)
	}
	for text, message := range map[string]string{lists: "more than 1000000 values", vars: "more than 100000 cases"} {
		if _, err := Parse("s.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), message) {
			t.Errorf("error %v", err)
		}
	}
}

func TestRead(t *testing.T) {
	_, err := Read("testdata/none.yaml")
	if err == nil || err.Error() != "suite testdata/none.yaml: no such file or directory" {
		t.Errorf("error %v", err)
	}
}

// FuzzParse reads anything: an error is one line that names the file, and what is read can be judged.
func FuzzParse(f *testing.F) {
	f.Add("prompts: ['{{q}} x']\ntests:\n  - vars: {q: [a, b]}\n    assert: [{type: contains, value: '{{q}}'}]\n")
	f.Add("defaultTest: &d {vars: {a: 1.5}, assert: [{type: is-json, value: {type: object}}]}\n" +
		"tests:\n  - messages: [{role: user, content: |\n      x}]\n  - *d\n")
	f.Add("prompts: |+\n  x\n\ntests: [{assert: [{type: assert-set, assert: [{type: regex, value: \"(?<a>\\\\w)\"}]}]}]")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse("s.yaml", []byte(text))
		if err != nil {
			if m := err.Error(); !strings.HasPrefix(m, "suite s.yaml:") || strings.Contains(m, "\n") {
				t.Errorf("error %q", m)
			}
			return
		}
		if len(s.Cases) < len(s.Tests) {
			t.Errorf("%d cases of %d tests", len(s.Cases), len(s.Tests))
		}
		for _, c := range s.Cases[:min(len(s.Cases), 10)] {
			if c.Line < 1 || len(c.Messages) == 0 {
				t.Errorf("%+v", c)
			}
		}
	})
}
