package main

import (
	"bufio"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"instruct/data"
	"instruct/tokenizer/chat"
	"instruct/train/coach"
	"instruct/train/eval"
)

const (
	shopSuite = `prompts: ["{{q}}"]
tests:
  - vars: {q: one}
    assert: [{type: contains, value: 14 days}]
  - vars: {q: two}
    assert: [{type: contains, value: 30 days}]
  - vars: {q: three}
  - vars: {q: four}
  - vars: {q: a}
`
	shopRules = `rules:
  - id: days
    text: Say that it is 14 days.
    severity: block
    assert: [{type: not-contains, value: a month}]
    bad: ["In a month."]
`
	correctShop = "correct --model model --max_new_tokens 8 --prompt a --author me --applies_to shop.yaml --rule days " +
		"--policy rules.yaml"
)

var bad, good = []string{"--bad", "You have 30 days."}, []string{"--good", "You have 14 days."}

// shopdir is a working directory with a suite to whose prompts the model's kept answers are the given ones: asking
// again would give others.
func shopdir(t *testing.T, answers ...string) {
	t.Helper()
	workdir(t)
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	write(t, "shop.yaml", shopSuite)
	write(t, "rules.yaml", shopRules)
	ok(t, "", correctShop, "--good", "-", "--bad", "--", "--out", "none.jsonl")
	files, err := filepath.Glob(filepath.Join(cache, "instruct", "answers", "*.jsonl"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	var text strings.Builder
	for i, l := range lines[map[string]any](t, read(t, files[0])) {
		var ids []int // the tokens of the tiny model are bytes
		for _, b := range []byte(answers[min(i, len(answers)-1)]) {
			ids = append(ids, int(b))
		}
		l["value"] = map[string]any{"ids": ids, "finish": "stop"}
		line, err := json.Marshal(l)
		if err != nil {
			t.Fatal(err)
		}
		text.WriteString(string(line) + "\n")
	}
	write(t, files[0], text.String())
}

var shopAnswers = []string{"It is 30 days.", "you have  30 days.", "In a month.", "Never."}

func TestCorrectAppliesTo(t *testing.T) {
	shopdir(t, shopAnswers...)
	words := append(append([]string{}, good...), bad...)
	out := ok(t, "", correctShop+" --json --out c.jsonl", words...)
	first, rest, _ := strings.Cut(out, "\n")
	if made := decode[data.Correction](t, first); made.Rejected[0].Content != bad[1] {
		t.Errorf("%+v", made)
	}
	listed := lines[repairLine](t, rest)
	if len(listed) != 3 || len(corrections(t, "c.jsonl")) != 1 {
		t.Fatalf("%d are listed, %d were taken", len(listed), len(corrections(t, "c.jsonl"))-1)
	}
	for i, want := range []repairLine{
		{Kind: "same", Test: "shop.yaml:5", Why: "one that was corrected", Proposal: "You have 14 days."},
		{Kind: "replaced", Test: "shop.yaml:3", Why: `"30 days" by "14 days"`, Proposal: "It is 14 days."},
		{Kind: "violates", Test: "shop.yaml:7", Why: "violates rule days: ", Proposal: "You have 14 days."},
	} {
		got := listed[i]
		has(t, got.Why, want.Why)
		if got.Kind != want.Kind || got.Test != want.Test || got.Proposal != want.Proposal {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	has(t, ok(t, "", correctShop+" --out c.jsonl", words...),
		"answer    It is 30 days.\nproposal  It is [-30 days-]{+14 days+}.\n",
		"passes with the answer and fails with the proposal")

	// All are taken, and nothing twice.
	out = ok(t, "", correctShop+" --yes --out c.jsonl", words...)
	all := corrections(t, "c.jsonl")
	if out != read(t, "c.jsonl") || len(all) != 4 {
		t.Fatalf("the output is not the file:\n%s", out)
	}
	if c := all[2]; c.Prompt[0].Content != "one" || c.Chosen[0].Content != "It is 14 days." || c.Rule != "days" ||
		c.Rejected[0].Content != "It is 30 days." || c.Model != all[0].Model || c.Author != "me" {
		t.Errorf("%+v", c)
	}
	o := call(t, "", correctShop+" --yes --out c.jsonl", words...)
	has(t, o.err, "is in c.jsonl already", "applies to 0 other answers")
	if o.code != exitDone || len(corrections(t, "c.jsonl")) != 4 {
		t.Errorf("exit %d, %d corrections", o.code, len(corrections(t, "c.jsonl")))
	}

	// Without the policy, rows of data in the place of a suite.
	write(t, "rows.jsonl", `{"instruction": "one", "output": "?"}`+"\n")
	out = ok(t, "", "correct --model model --max_new_tokens 8 --prompt b --good yes --out d.jsonl --applies_to rows.jsonl",
		"--bad", "It is 30 days.")
	has(t, out, "rows.jsonl:1: the answer is the one that was corrected")
}

// TestAskForRepairs answers the questions.
func TestAskForRepairs(t *testing.T) {
	all := []string{"30 days", "up to 30 days", "about 30 days", "over 30 days", "after 30 days"}
	for _, c := range []struct {
		say  string
		want string
	}{
		{"y\nn\nY\nn\ny\n", "0 2 4"},
		{"n\na\n", "1 2 3 4"},
		{"y\nq\n", "0"},
		{"y\n", "0"},
		{"what\nn\ny", "1"},
		{"e\ny\nq\n", "0 1"},
		{"", ""},
	} {
		t.Run(c.say, func(t *testing.T) {
			t.Chdir(t.TempDir())
			write(t, "editor.sh", "#!/bin/sh\nprintf edited > \"$1\"\n")
			t.Setenv("EDITOR", "sh "+mustAbs(t, "editor.sh"))
			out, found := askedFor(t, all, c.say)
			var want []string
			for place := range strings.FieldsSeq(c.want) {
				want = append(want, all[place[0]-'0'])
			}
			var got []string
			for _, made := range found {
				got = append(got, made.Rejected[0].Content)
			}
			if strings.Join(got, "; ") != strings.Join(want, "; ") {
				t.Errorf("%q are taken, want %q\n%s", got, want, out)
			}
			if strings.HasPrefix(c.say, "e") && found[0].Chosen[0].Content != "edited" {
				t.Errorf("%+v", found[0])
			}
			if len(corrections(t, "c.jsonl")) != len(found) {
				t.Error("the file has others")
			}
		})
	}
}

func mustAbs(t *testing.T, path string) string {
	t.Helper()
	abs, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return abs
}

// askedFor asks for the repairs of answers, all of one kind, while a person says something.
func askedFor(t *testing.T, answers []string, say string) (string, []data.Correction) {
	t.Helper()
	var log trigger
	s := &streams{strings.NewReader(say), &log, &log}
	file := &coach.Corrections{Path: "c.jsonl", Now: time.Now}
	made := file.New([]chat.Message{{Role: "user", Content: "?"}}, "in 14 days", "in 30 days")
	a := asking{streams: s, file: file, of: made, lines: bufio.NewReader(s.in)}
	var all []found
	for _, answer := range answers {
		f := found{Repair: made.Repair(answer, false), test: &eval.Test{ID: "s:1",
			Messages: []chat.Message{{Role: "user", Content: "about " + answer}}}}
		if f.Certainty != data.Replaced {
			t.Fatalf("%q: %v", answer, f.Certainty)
		}
		all = append(all, f)
	}
	if err := a.all(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	return log.String(), a.taken
}

// TestCoachRepairs repairs other answers in a conversation, which closes the correction until they are taken back.
func TestCoachRepairs(t *testing.T) {
	const said = "eeeeeeee" // what the tiny model says to everything
	shopdir(t, said, said, "In a month.")
	o := call(t, "/repair shop.yaml\nhello\n/good You have 14 days.\n/repair\n/repair shop.yaml\nn\ny\n/note late\n"+
		"/undo\n/note now\n/repair shop.yaml\ny\ny\n/quit\n", "coach --model model --max_new_tokens 8 --out c.jsonl")
	has(t, o.err, "no correction yet that /repair", "/repair needs suites", "applies to 2 other answers",
		"1 of 2 repairs added", "other answers were repaired like this one", "is taken back", "2 of 2 repairs",
		"3 corrections added")
	all := corrections(t, "c.jsonl")
	if len(all) != 3 || all[0].Note != "now" || all[1].Note != "now" || all[2].Prompt[0].Content != "two" {
		t.Errorf("%+v", all)
	}
}

func TestCorrectAppliesToMistakes(t *testing.T) {
	workdir(t)
	write(t, "shop.yaml", shopSuite)
	write(t, "rules.yaml", shopRules)
	before := tree(t, ".")
	for _, c := range []struct {
		flags string
		want  []string
	}{
		{"--applies_to none.yaml", []string{"none.yaml"}},
		{"--applies_to shop.yaml --policy rules.yaml", []string{"policy needs --rule"}},
		{"--applies_to shop.yaml --policy rules.yaml --rule hours", []string{`"hours"`, "rules.yaml"}},
		{"--applies_to shop.yaml --yes --json", []string{"yes", "json"}},
		{"--yes", []string{"--applies_to"}},
	} {
		t.Run(c.flags, func(t *testing.T) {
			mistaken(t, call(t, "", "correct --model model --prompt a --good b "+c.flags), c.want...)
		})
	}
	if after := tree(t, "."); after != before {
		t.Errorf("the folder was\n%sand is\n%s", before, after)
	}
}
