package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"instruct/data"
	"instruct/train/coach"
)

// undecided trains the model so that it says no, and yes less often, and writes two suites that want a yes: s.yaml and,
// with other prompts, g.yaml.
func undecided(t *testing.T) {
	t.Helper()
	var b strings.Builder
	for i := range 240 {
		answer := "no"
		if i%5 < 2 {
			answer = "yes"
		}
		fmt.Fprintf(&b, `{"instruction": "q%c", "output": %q}`+"\n", 'a'+rune(i*7%26), answer)
	}
	write(t, "undecided.jsonl", b.String())
	ok(t, "", "train --model_name_or_path model --dataset undecided.jsonl --learning_rate 1e-2 --num_train_epochs 4"+
		" --eval_fraction 0 --output_dir undecided")
	suite := func(path, letters string) {
		b.Reset()
		b.WriteString("prompts: [\"{{q}}\"]\ntests:\n")
		for _, l := range letters {
			fmt.Fprintf(&b, "  - vars: {q: q%c}\n    assert: [{type: equals, value: yes}, {type: not-contains, value: no}]\n", l)
		}
		write(t, path, b.String())
	}
	write(t, "r.json", `{"learning_rate": 3e-3, "frozen": 0}`)
	suite("s.yaml", "abcdef")
	suite("g.yaml", "uvwxyz")
}

const practise = "round own --self 6 --suite s.yaml --unseen g.yaml --max_new_tokens 8 --recipe r.json --yes"

// TestRoundSelf: a model that is right now and then practises and is right from then on, on prompts that were never
// trained too. The same round has the same bits, and an answer does not depend on what is asked beside it.
func TestRoundSelf(t *testing.T) {
	workdir(t)
	undecided(t)
	o := call(t, "", practise+" --base undecided")
	has(t, o.out, "practised          ", "s                  6 of 6 tests pass, before 0",
		"g                  6 of 6 tests pass, before 0", "round 1 of own is accepted")
	if strings.Contains(o.out, "corrections right") {
		t.Errorf("a round without corrections speaks of them:\n%s", o.out)
	}
	r := lines[coach.Round](t, ok(t, "", "log own --json"))[0]
	p := r.Practice
	if p == nil || p.Tests != 6 || p.Sampled != 36 || p.Passed < 6 || p.Passed == 36 || p.Trained < p.Solved ||
		r.Taught.Rows != p.Trained || !r.Suites[0].Taught || r.Suites[1].Taught {
		t.Errorf("%+v, %+v", r, p)
	}
	has(t, ok(t, "", "log own"), p.String())
	has(t, read(t, "own/rounds/001/report.html"), "each 6 times: "+p.String(), "the weights stayed where they were")
	trained := lines[coach.Practised](t, read(t, "own/rounds/001/practised.jsonl"))
	if len(trained) != p.Trained {
		t.Errorf("%d answers are stored, %d were trained", len(trained), p.Trained)
	}
	for _, x := range trained {
		if x.Answer != "yes" || x.Prompt[0].Role != "user" || x.Sample < 1 || x.Sample > 6 ||
			!slices.Equal(x.Checks, []string{"equals", "not-contains"}) {
			t.Errorf("%+v", x)
		}
	}

	// The second round has nothing to do, and the folder is as it was.
	before := tree(t, "own")
	o = call(t, "", practise)
	has(t, o.err, "nothing to learn", "0 of the 0 tests")
	if o.code != exitFailed || tree(t, "own") != before {
		t.Errorf("exit code %d, and the folder is\n%s", o.code, tree(t, "own"))
	}

	// Another folder, where one test fewer is asked, by one thread.
	write(t, "s.yaml", strings.Replace(read(t, "s.yaml"), "{q: qa}", "{q: qt}", 1))
	ok(t, "", strings.Replace(practise, "own", "other", 1)+" --threads 1 --base undecided")
	again := lines[coach.Practised](t, read(t, "other/rounds/001/practised.jsonl"))
	same := func(all []coach.Practised) string {
		all = slices.DeleteFunc(slices.Clone(all), func(x coach.Practised) bool { return x.Test == "s.yaml:3" })
		return fmt.Sprint(all)
	}
	if same(again) != same(trained) {
		t.Errorf("beside another test the answers are\n%v, were\n%v", same(again), same(trained))
	}
	write(t, "s.yaml", strings.Replace(read(t, "s.yaml"), "{q: qt}", "{q: qa}", 1))

	// --max_worse holds for the unseen suites, not for those that are practised.
	write(t, "h.yaml", strings.NewReplacer("value: yes", "value: no", "value: no}]", "value: yes}]").Replace(
		read(t, "g.yaml")))
	held := strings.NewReplacer("own", "held", "g.yaml", "h.yaml").Replace(practise)
	o = call(t, "", held+" --threads 1 --base undecided")
	has(t, o.out, "s                  6 of 6 tests pass, before 0", "h                  0 of 6 tests pass, before 6",
		"is rejected: 6 of 6 tests of h are lost, more than 5%")
	if o.code != exitFailed || strings.TrimSpace(read(t, "held/current")) != "0" {
		t.Errorf("exit code %d, current is %s", o.code, read(t, "held/current"))
	}
	if got := lines[coach.Round](t, ok(t, "", "log held --json"))[0]; got.Weights != r.Weights {
		t.Error("the same round has other bits")
	}

	// A round after it remembers corrections of rounds before, of which this one had none.
	ok(t, "", "correct --model own --prompt a --good so --bad no --out c.jsonl")
	ok(t, "", "round own --corrections c.jsonl --recipe r.json --yes")
	if earlier, err := coach.Earlier("own", 2); err != nil || len(earlier) != 1 {
		t.Errorf("%d corrections up to round 2, %v", len(earlier), err)
	}
}

// shop is a policy of which one rule is taught, one only checked, and one has two good examples of a prompt.
const shop = `rules:
  - id: days
    text: Say 14.
    severity: block
    when: {prompt: "^r"}
    assert: [{type: contains, value: "14"}]
    good: ["14", {prompt: ra, answer: " 14 d"}, {prompt: ra, answer: "in 14"}, {prompt: rb, answer: "14"}]
    bad: [{prompt: ra, answer: 30 d}]
  - id: quiet
    text: Do not shout.
    severity: warn
    assert: [{type: not-contains, value: "!"}]
    good: [fine]
    bad: [No!]
`

// quickly is a recipe that teaches tiny models.
const quickly = `{"learning_rate": 1e-2, "steps": 20, "tries": 3, "frozen": 0, "kept_rows": 0}`

const teachShop = "round shop --policy p.yaml --recipe r.json --max_new_tokens 8 --yes"

// TestRoundPolicy: the good examples of a policy are taught and stored as corrections, and the rule changes.
func TestRoundPolicy(t *testing.T) {
	workdir(t)
	write(t, "r.json", quickly)
	write(t, "p.yaml", shop)
	write(t, "s.yaml", "prompts: [\"{{q}}\"]\ntests:\n  - vars: {q: zz}\n")
	o := call(t, "", teachShop+" --base model --suite s.yaml")
	has(t, o.err, "p.yaml:9: rule quiet (warn) is only checked")
	has(t, o.out, "corrections right  2 of 2", "rule days          held in 2 of 2 answers, before 0 (block)",
		"rule quiet         held in 3 of 3 answers", "policy             2 of 2 tests pass, before 0",
		"round 1 of shop is accepted")
	taught, err := data.ReadCorrections("shop/rounds/001/corrections.jsonl")
	if err != nil || len(taught) != 2 {
		t.Fatal(taught, err)
	}
	first, second := taught[0], taught[1]
	if first.Chosen[0].Content != "14 d" || first.Rejected[0].Content != "30 d" || first.Note != "Say 14." ||
		first.Rule != "days" || first.Model != "" || first.Author == "" {
		t.Errorf("%+v", first)
	}
	base := lines[coach.Round](t, ok(t, "", "log shop --json"))[0].ParentHash
	if second.Chosen[0].Content != "14" || second.Rejected[0].Content == "" || second.Model != base {
		t.Errorf("%+v", second)
	}
	has(t, ok(t, "", "log shop"), "rule days 0 -> 2 of 2", "policy 0 -> 2 of 2")
	has(t, ok(t, "", "eval --model shop --policy p.yaml --max_new_tokens 8"), "held in 2 of 2")

	// What is not learned violates the rule on the policy's own prompts.
	write(t, "other.yaml", strings.ReplaceAll(strings.ReplaceAll(shop, "30", "x"), "14", "8"))
	o = call(t, "", "round shop --policy other.yaml --learning_rate 1e-9 --steps 1 --max_new_tokens 8 --yes")
	has(t, o.out, "is rejected: rule days (block) is violated by the answer to \"ra\" (other.yaml:7) and 1 more")
	has(t, ok(t, "", "log shop --round 2"), "rule days 0 -> 0 of 2",
		`days is violated by the answer to "ra" (other.yaml:7)`)
	has(t, read(t, "shop/rounds/002/report.html"), "Held before", "is violated by the answer to <bdi>ra</bdi>")

	// The rule changes, and a person has a word on one of its prompts.
	write(t, "p.yaml", strings.ReplaceAll(strings.ReplaceAll(shop, "30", "x"), "14", "7"))
	ok(t, "", "correct --model shop --prompt rb --good 7d --rule days --max_new_tokens 8 --out c.jsonl")
	has(t, ok(t, "", teachShop+" --corrections c.jsonl"), "corrections right  2 of 2", "round 3 of shop is accepted")
	got := decode[generated](t, ok(t, "", "generate --model shop --prompt rb --json --max_new_tokens 8"))
	if got.Text != "7d" {
		t.Errorf("the person's answer is %q", got.Text)
	}
}

// TestRoundPolicySaid teaches with the rules as system prompt.
func TestRoundPolicySaid(t *testing.T) {
	workdir(t)
	write(t, "r.json", quickly)
	write(t, "p.yaml", shop)
	has(t, ok(t, "", teachShop+" --policy_prompt --base model"), "of 2, earlier ones 0", "round 1 of shop is accepted")
	taught, err := data.ReadCorrections("shop/rounds/001/corrections.jsonl")
	if err != nil || taught[0].Prompt[0].Content != "1. Say 14.\n2. Do not shout." || taught[0].Prompt[1].Content != "ra" {
		t.Errorf("%+v, %v", taught, err)
	}
}

// TestRoundPolicyBlocks: a round that breaks a block rule is rejected, whatever a person corrects; a warn rule is only
// told.
func TestRoundPolicyBlocks(t *testing.T) {
	workdir(t)
	write(t, "r.json", quickly)
	write(t, "p.yaml", "rules:\n  - id: calm\n    text: No shouting.\n    severity: block\n"+
		"    assert: [{type: not-contains, value: \"!\"}]\n    bad: [No!]\n")
	write(t, "s.yaml", "prompts: [\"{{q}}\"]\ntests:\n  - vars: {q: a}\n")
	ok(t, "", "correct --model model --prompt a --good no! --bad yes --out c.jsonl")
	const command = "round shop --corrections c.jsonl --policy p.yaml --suite s.yaml --recipe r.json --yes"
	o := call(t, "", command+" --base model --max_new_tokens 8")
	has(t, o.err, "p.yaml:2: rule calm (block) is only checked")
	has(t, o.out, `calm is violated by the answer to "a" (s.yaml:3)`,
		`is rejected: rule calm (block) is violated by the answer to "a" (s.yaml:3)`)
	if o.code != exitFailed {
		t.Errorf("exit code %d", o.code)
	}
	write(t, "p.yaml", strings.Replace(read(t, "p.yaml"), "block", "warn", 1))
	has(t, ok(t, "", command+" --max_new_tokens 8"), "calm is violated by the answer to", "round 2 of shop is accepted")
}

// TestRoundSourcesMistakes: one message, exit code 2, and nothing is written.
func TestRoundSourcesMistakes(t *testing.T) {
	workdir(t)
	write(t, "r.json", quickly)
	write(t, "p.yaml", shop)
	write(t, "unasked.yaml", strings.NewReplacer(`, {prompt: ra, answer: " 14 d"}, {prompt: ra, answer: "in 14"}, `+
		`{prompt: rb, answer: "14"}`, "", "{prompt: ra, answer: 30 d}", "30 d").Replace(shop))
	write(t, "none.yaml", "rules:\n  - {id: a, text: A, severity: warn, assert: [{type: contains, value: a}]}\n")
	write(t, "blank.yaml", "rules:\n  - id: a\n    text: A\n    severity: warn\n"+
		"    assert: [{type: not-contains, value: a}]\n    good: [{prompt: p, answer: \" \"}]\n")
	write(t, "against.yaml", shop+"  - id: words\n    text: No digits.\n    severity: block\n"+
		"    assert: [{type: not-regex, value: \"[0-9]\"}]\n")
	write(t, "empty.yaml", "prompts: [a]\ntests: []\n")
	write(t, "free.yaml", "prompts: [a]\ntests:\n  - vars: {q: a}\n")
	write(t, "s.yaml", manners)
	write(t, "g.yaml", strings.Replace(manners, "q: one", "q: other", 1))
	ok(t, "", "correct --model model --prompt a --good yes --bad no --rule dais --out c.jsonl")
	for _, c := range []struct {
		command string
		want    []string
	}{
		{"", []string{"--corrections", "--policy", "--self"}},
		{"--self 0 --suite s.yaml", []string{"self is 0", "at least 1"}},
		{"--self -3 --suite s.yaml", []string{"self is -3"}},
		{"--self 2", []string{"self needs --suite"}},
		{"--self 2 --suite s.yaml --temperature 0", []string{"temperature is 0"}},
		{"--self 2 --suite s.yaml --temperature -1", []string{"temperature is -1"}},
		{"--self 2 --suite s.yaml --top_p 2", []string{"top_p is 2"}},
		{"--self 2 --suite s.yaml --passes 0", []string{"passes 0"}},
		{"--self 2 --suite s.yaml --max_new_tokens 0", []string{"max_new_tokens is 0"}},
		{"--self 2 --suite nowhere.yaml", []string{"nowhere.yaml", "no such file"}},
		{"--self 2 --suite empty.yaml", []string{"empty.yaml"}},
		{"--self 2 --suite free.yaml", []string{"free.yaml: no test judges the text"}},
		{"--self 2 --suite s.yaml --unseen g.yaml", []string{"unseen g.yaml: g.yaml:6 asks what s.yaml:6 asks"}},
		{"--policy p.yaml --unseen g.yaml", []string{"unseen is for --self"}},
		{"--policy p.yaml --temperature 1", []string{"temperature is for --self"}},
		{"--policy nowhere.yaml", []string{"nowhere.yaml"}},
		{"--policy none.yaml", []string{"none.yaml:2: rule a cannot be taught"}},
		{"--policy unasked.yaml", []string{"unasked.yaml:2: rule days cannot be taught"}},
		{"--policy blank.yaml", []string{"blank.yaml:6", "rule a cannot be taught", "empty"}},
		{"--policy against.yaml", []string{"against.yaml:7", "rule days violates rule words (block)"}},
		{"--policy p.yaml --corrections c.jsonl", []string{"c.jsonl", `the rule "dais"`, `"days"`}},
		{"--policy_prompt --corrections c.jsonl", []string{"policy_prompt", "--policy"}},
		{"--policy p.yaml --keep nowhere.jsonl", []string{"nowhere.jsonl"}},
	} {
		t.Run(c.command, func(t *testing.T) {
			before := tree(t, ".")
			mistaken(t, call(t, "", "round shop --base model "+c.command), c.want...)
			if after := tree(t, "."); after != before {
				t.Errorf("the folder was\n%sand is\n%s", before, after)
			}
		})
	}
}
