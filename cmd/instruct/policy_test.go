package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// refunds is a policy of two rules.
const refunds = `rules:
  - id: refund-days
    text: Say that a refund takes 14 days.
    severity: block
    when: {prompt: "[Rr]efund"}
    assert: [{type: contains, value: 14 days}]
    good: [{prompt: How long does a refund take?, answer: It takes 14 days.}]
    bad: [{prompt: "Where is my refund?", answer: Soon.}, {prompt: How long does a refund take?, answer: Days.}]
  - id: no-shouting
    text: Do not shout.
    severity: warn
    when: {tags: [loud]}
    assert: [{type: not-contains, value: "!"}]
    bad: [No!]
`

// TestPolicyLint holds the example of docs/evaluation.md.
func TestPolicyLint(t *testing.T) {
	files := map[string]string{}
	for _, name := range []string{"shop.yaml", "shop.jsonl"} {
		text, err := os.ReadFile("../../data/policy/testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(text)
	}
	workdir(t)
	for name, text := range files {
		write(t, name, text)
	}
	const want = `shop.jsonl:2: refund-days (block): expected the answer to contain "14 days"; answer: "Of course. Send ` +
		`the parcel to us, and we pay soon."
shop.jsonl:4: no-promises (block): expected the answer not to match "[Gg]uarantee|[Pp]romise"; answer: "Yes, we ` +
		`guarantee it!"
shop.jsonl:6: brief (warn): expected the answer to have at most 25 words, found 30; answer: "The blue lamp is made ` +
		`of glass and brass, is forty centimetres high, takes one b"...
6 rows, 6 trained answers, 3 violations
evidence for rule refund-days (block): held in 1 of 2 answers it applies to
evidence for rule no-promises (block): held in 1 of 2 answers it applies to
evidence for rule brief (warn): held in 5 of 6 answers it applies to
`
	const command = "policy lint --policy shop.yaml shop.jsonl"
	o := call(t, "", command)
	if o.code != exitFailed || o.out != want {
		t.Errorf("exit %d\n%s\nwant\n%s", o.code, o.out, want)
	}
	if o.err != "instruct: policy lint: rule refund-days (block) is violated by 1 of the 2 answers it applies to; "+
		"rule no-promises (block) is violated by 1 of the 2 answers it applies to\n" {
		t.Error(o.err)
	}

	o = call(t, "", command+" --json")
	all := strings.SplitAfter(strings.TrimSpace(o.out), "\n")
	if o.code != exitFailed || len(all) != 4 {
		t.Fatalf("exit %d, %d lines\n%s", o.code, len(all), o.out)
	}
	first := decode[lintLine](t, all[0])
	if first != (lintLine{"shop.jsonl:2", 2, "refund-days", "block", `expected the answer to contain "14 days"`,
		"I want my money back.", "Of course. Send the parcel to us, and we pay soon."}) {
		t.Errorf("%+v", first)
	}
	totals := decode[lintTotals](t, all[3])
	if totals.Rows != 6 || totals.Answers != 6 || totals.Violations != 3 || len(totals.Rules) != 3 ||
		totals.Rules[2].Rule != "brief" || totals.Rules[2].Applies != 6 || totals.Rules[2].Held != 5 {
		t.Errorf("%+v", totals)
	}

	// What is only warned of, and what is right, is no failure; plain text has no answers.
	write(t, "block.yaml", files["shop.yaml"][:strings.Index(files["shop.yaml"], "  - id: brief")])
	write(t, "warn.yaml", "rules:\n"+files["shop.yaml"][strings.Index(files["shop.yaml"], "  - id: brief"):])
	has(t, ok(t, "", "policy lint --policy warn.yaml shop.jsonl"), "shop.jsonl:6: brief (warn)", "1 violations")
	write(t, "text.jsonl", `{"text": "Refund me!"}`+"\n")
	has(t, ok(t, "", "policy lint --policy block.yaml --policy warn.yaml text.jsonl rows.jsonl"),
		"21 rows, 20 trained answers, 0 violations", "rows of plain text, which have no answers and were not judged: 1\n",
		"evidence for rule refund-days (block): none, it applies to no answer",
		"evidence for rule brief (warn): held in 20 of 20 answers")
}

const complaints = `prompts: ["{{q}}"]
tests:
  - vars: {q: Refund please}
    assert: [{type: contains, value: days}]
  - vars: {q: Is a refund possible?}
    tags: [loud]
  - vars: {q: Hello}
    tags: [loud]
`

func TestEvalPolicyOfAnswers(t *testing.T) {
	workdir(t)
	write(t, "p.yaml", refunds)
	write(t, "s.yaml", complaints)
	write(t, "a.jsonl", answersOf("Refund please", "In 14 days.", "Is a refund possible?", "Yes!", "Hello", "Hello!"))
	const command = "eval --suite s.yaml --policy p.yaml --answers "
	o := call(t, "", command+"a.jsonl --out found")
	if o.code != exitFailed {
		t.Errorf("a violated block rule gives exit code %d", o.code)
	}
	has(t, o.err, "instruct: eval: rule refund-days (block) is violated by 1 of the 2 answers it applies to\n")
	has(t, o.out,
		"s                    rule refund-days (block)         2   50.0%  9.5 to 90.5 %\n",
		"s                    rule no-shouting (warn)          2    0.0%  0.0 to 65.8 %\n",
		"evidence for rule refund-days (block): held in 1 of 2 answers it applies to\n"+
			"  violated by s.yaml:5: expected the answer to contain \"14 days\"\n",
		"evidence for rule no-shouting (warn): held in 0 of 2 answers it applies to\n")

	samples := lines[sampleLine](t, read(t, "found/samples-1-s.jsonl"))
	if len(samples[0].Violated) != 0 || len(samples[1].Violated) != 2 || len(samples[2].Violated) != 1 ||
		samples[1].Violated[0] != (violation{"refund-days", "block", "s", "s.yaml:5",
			`expected the answer to contain "14 days"`}) || samples[1].Violated[1].Rule != "no-shouting" {
		t.Errorf("%+v", samples)
	}
	var saved results
	if err := json.Unmarshal([]byte(read(t, "found/results.json")), &saved); err != nil {
		t.Fatal(err)
	}
	rules := saved.Candidates[0].Rules
	if len(rules) != 2 || rules[0].Applies != 2 || rules[0].Held != 1 || len(rules[0].Violations) != 1 ||
		rules[0].Violations[0] != samples[1].Violated[0] || rules[1].Severity != "warn" || len(rules[1].Violations) != 2 {
		t.Errorf("%+v", rules)
	}
	o = call(t, "", command+"a.jsonl --json")
	if c := lines[candidateResult](t, o.out)[0]; o.code != exitFailed || len(c.Rules) != 2 || c.Rules[1].Held != 0 {
		t.Errorf("exit %d, %+v", o.code, c)
	}

	// A rule of severity warn does not fail the gate.
	write(t, "b.jsonl", answersOf("Refund please", "In 14 days.", "Is a refund possible?", "In 14 days!", "Hello", "Hi."))
	has(t, ok(t, "", command+"b.jsonl"), "no-shouting (warn): held in 1 of 2 answers",
		"refund-days (block): held in 2 of 2")

	// Without a suite the examples' prompts are asked, each once.
	write(t, "c.jsonl", answersOf("How long does a refund take?", "14 days.", "Where is my refund?", "Here."))
	o = call(t, "", "eval --policy p.yaml --answers c.jsonl")
	has(t, o.out, "policy                                                2   50.0%", "refund-days (block): held in 1 of 2",
		"violated by p.yaml:8: ", "evidence for rule no-shouting (warn): none, it applies to no answer")
	has(t, o.err, "rule refund-days (block) is violated by 1 of the 2 answers")
}

// TestEvalPolicyOfModels asks a model, with the rules said and without.
func TestEvalPolicyOfModels(t *testing.T) {
	workdir(t)
	ask := func(prompt string, more ...string) string {
		return decode[generated](t, ok(t, "", "generate --model model --json --max_new_tokens 6",
			append(more, "--prompt", prompt)...)).Text
	}
	plain, quoted := ask("a"), func(s string) string { return string(must(json.Marshal(s))) }
	write(t, "p.yaml", "rules:\n  - id: as-ever\n    text: Say it\n    severity: block\n"+
		"    assert: [{type: equals, value: "+quoted(plain)+"}]\n"+
		"    good: [{prompt: a, answer: "+quoted(plain)+"}]\n")
	const command = "eval --model model --policy p.yaml --max_new_tokens 6"
	has(t, ok(t, "", command), "evidence for rule as-ever (block): held in 1 of 1 answers it applies to")

	call(t, "", command+" --policy_prompt --system Be --out found")
	sample := decode[sampleLine](t, read(t, "found/samples-1-policy.jsonl"))
	if got, want := sample.Filtered[0], ask("a", "--system", "Be\n\n1. Say it"); got != want {
		t.Errorf("with the rules said the answer is %q, want %q", got, want)
	}
	has(t, read(t, "found/samples-1-policy.jsonl"), `Be\n\n1. Say it`)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestPolicyMistakes(t *testing.T) {
	workdir(t)
	write(t, "p.yaml", refunds)
	write(t, "s.yaml", complaints)
	write(t, "a.jsonl", answersOf("Hello", "Hi."))
	write(t, "key.yaml", strings.Replace(refunds, "severity: block", "severty: block", 1))
	write(t, "good.yaml", strings.Replace(refunds, "It takes 14 days.", "It takes a while.", 1))
	write(t, "bad.yaml", strings.Replace(refunds, "answer: Soon.", "answer: In 14 days.", 1))
	write(t, "when.yaml", strings.Replace(refunds, "[Rr]efund", "[Ref", 1))
	write(t, "numbers.yaml", strings.Replace(refunds, "contains, value: 14 days", "perplexity, threshold: 9", 1))
	write(t, "twice.yaml", strings.Replace(refunds, "id: no-shouting", "id: refund-days", 1))
	write(t, "silent.yaml", "rules:\n"+refunds[strings.Index(refunds, "  - id: no-shouting"):])
	for _, c := range []struct {
		command string
		want    []string
	}{
		{"policy lint --policy p.yaml", []string{"policy lint needs files of rows"}},
		{"policy lint rows.jsonl", []string{"policy lint needs --policy"}},
		{"policy lint --policy none.yaml rows.jsonl", []string{"policy none.yaml: no such file"}},
		{"policy lint --policy p.yaml none.jsonl", []string{"none.jsonl does not exist"}},
		{"policy lint --policy p.yaml --format odd rows.jsonl", []string{`"odd"`, "alpaca"}},
		{"policy lint --policy key.yaml rows.jsonl", []string{`policy key.yaml:4: unknown key "severty"`, `"severity"`}},
		{"policy lint --policy good.yaml rows.jsonl", []string{
			`policy good.yaml:7: rule refund-days: the good example "It takes a while." must pass and fails: `}},
		{"policy lint --policy bad.yaml rows.jsonl", []string{
			`policy bad.yaml:8: rule refund-days: the bad example "In 14 days." must fail and passes every assertion`}},
		{"policy lint --policy when.yaml rows.jsonl", []string{"policy when.yaml:5: prompt: invalid regular expression"}},
		{"policy lint --policy numbers.yaml rows.jsonl", []string{"policy numbers.yaml:6: perplexity", "only judge text"}},
		{"policy lint --policy twice.yaml rows.jsonl", []string{"policy twice.yaml:9: rule refund-days", "twice.yaml:2"}},
		{"policy lint --policy p.yaml --policy p.yaml rows.jsonl", []string{"policy p.yaml:2: rule refund-days", "already"}},
		{"policy lnit", []string{`unknown command "lnit"`, "lint"}},
		{"eval --model model", []string{"eval needs --suite or --policy"}},
		{"eval --model model --policy key.yaml", []string{"policy key.yaml:4"}},
		{"eval --model model --suite s.yaml --policy good.yaml", []string{"policy good.yaml:7"}},
		{"eval --model model --policy silent.yaml", []string{"no example has a prompt to ask"}},
		{"eval --policy p.yaml", []string{"either --model or --answers"}},
		{"eval --policy p.yaml --answers a.jsonl", []string{"answers a.jsonl", "p.yaml:7"}},
		{"eval --model model --suite s.yaml --policy_prompt", []string{"policy_prompt", "--policy"}},
		{"eval --suite s.yaml --policy p.yaml --answers a.jsonl --policy_prompt", []string{"policy_prompt", "elsewhere"}},
	} {
		t.Run(c.command, func(t *testing.T) { mistaken(t, call(t, "", c.command), c.want...) })
	}
}
