package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"instruct/data"
	"instruct/tokenizer/chat"
	"instruct/train/coach"
)

// TestRound teaches a model in rounds: one that is accepted, one that is rejected, and the way back.
func TestRound(t *testing.T) {
	workdir(t)
	write(t, "brief.json", `{"learning_rate": 0.01, "steps": 20, "kept_rows": 2, "kept_tokens": 2}`)
	const teach = "round shop --corrections c.jsonl --recipe brief.json --max_new_tokens 6"
	before := decode[generated](t, ok(t, "", "generate --model model --prompt a --json --max_new_tokens 6")).Text
	ok(t, "", "correct --model model --prompt a --good yes --max_new_tokens 4 --out c.jsonl")
	write(t, "keep.jsonl", `{"instruction": "b", "output": "?"}`+"\n"+`{"instruction": "c", "output": "?"}`+"\n")
	write(t, "s.yaml", `prompts: ["{{q}}"]`+"\ntests:\n  - vars: {q: a}\n    assert: [{type: equals, value: yes}]\n")

	has(t, ok(t, "", teach+" --base model --keep keep.jsonl --suite s.yaml --yes"), "corrections right  1 of 1",
		"1 of 1 tests pass, before 0", "round 1 of shop is accepted")
	answer := func() string {
		return decode[generated](t, ok(t, "", "generate --model shop --prompt a --json --max_new_tokens 6")).Text
	}
	if got := answer(); got != "yes" {
		t.Errorf("after the round the answer is %q", got)
	}
	log := lines[coach.Round](t, ok(t, "", "log shop --json"))
	if len(log) != 1 || log[0].Verdict != coach.Accepted || log[0].About[0] != "a" || log[0].Suites[0].After != 1 {
		t.Errorf("%+v", log)
	}

	// Nobody says yes; then the suite says no.
	ok(t, "", "correct --model shop --prompt d --good no --max_new_tokens 4 --out d.jsonl")
	second := strings.Replace(teach, "c.jsonl", "d.jsonl", 1)
	o := call(t, "n\n", second)
	has(t, o.out, "is rejected: nobody said yes")
	ok(t, "", "correct --model shop --prompt a --good no --bad yes --out e.jsonl")
	third := strings.Replace(teach, "c.jsonl", "e.jsonl", 1)
	o = call(t, "", third+" --suite s.yaml --yes --max_worse 50%")
	has(t, o.out, "lost   s.yaml:3", "is rejected: 1 of 1 tests of s are lost, more than 50%")
	if o.code != exitFailed || answer() != "yes" {
		t.Errorf("exit code %d, the model now answers %q", o.code, answer())
	}
	has(t, call(t, "y\n", second).out, "round 4 of shop is accepted")
	if earlier, err := coach.Earlier("shop", 4); err != nil || len(earlier) != 2 {
		t.Errorf("%d corrections up to round 4, %v", len(earlier), err)
	}
	has(t, ok(t, "", "rollback shop --to 0"), "round 0 of shop")
	if got := answer(); got != before {
		t.Errorf("at the beginning again the answer is %q, was %q", got, before)
	}
	has(t, ok(t, "", "log shop"), "rolled back to", "current: 0")
}

// TestRoundKeepsAnswers: what a round's model was asked after it is not asked again before the next one, nor by eval;
// and the record of a round, which page and log show.
func TestRoundKeepsAnswers(t *testing.T) {
	workdir(t)
	write(t, "small.json", small)
	const round = " --recipe small.json --max_new_tokens 6 --kept kept --suite s.yaml --yes --max_worse 100%"
	ok(t, "", "correct --model model --prompt a --good yes --note always --max_new_tokens 4 --out c.jsonl")
	write(t, "s.yaml", `prompts: ["{{q}}"]`+"\ntests:\n  - vars: {q: a}\n    assert: [{type: equals, value: yes}]\n"+
		"  - vars: {q: b}\n    assert: [{type: not-equals, value: yes}]\n")
	first := call(t, "", "round shop --base model --corrections c.jsonl"+round)
	if first.code != exitDone {
		t.Fatalf("exit code %d\n%s%s", first.code, first.out, first.err)
	}
	has(t, first.err, "before: 1 of 3 answers were kept") // the correction and the first test ask the same
	has(t, first.out, "report             shop/rounds/001/report.html")
	has(t, read(t, "shop/rounds/001/report.html"), "Round 1 of shop is", ">accepted<", "always", "says now")
	has(t, ok(t, "", "log shop --round 1"), "1  accepted, of 0; 1 of 1 corrections right", "right  ", "asked   a",
		"note    always", "wanted  yes", "now     yes", "report  shop/rounds/001/report.html")
	has(t, ok(t, "", "log shop"), "current: 1, shop/rounds/001/report.html")

	has(t, call(t, "", "eval --model shop --suite s.yaml --max_new_tokens 6 --kept kept").err, "2 of 2 answers were kept")
	ok(t, "", "correct --model shop --prompt a --good no --out d.jsonl")
	ok(t, "", "correct --model shop --prompt d --good no --bad yes --out d.jsonl")
	kept := keptLines(t)
	second := call(t, "", "round shop --corrections d.jsonl"+round)
	has(t, second.err, "before: 3 of 4 answers were kept from before") // all but the new correction's
	has(t, ok(t, "", "log shop --round 2"), "tests of s that were lost: 1", "lost   s.yaml:3", "before  yes", "now     no")
	if n := keptLines(t) - kept; n != 1+3 {
		t.Errorf("%d answers were added, want 1 before and 3 after\n%s", n, second.err)
	}
	type record struct{ Answers coach.Answers }
	got := decode[record](t, ok(t, "", "log shop --round 2 --json")).Answers
	if len(got.New) != 2 || len(got.Earlier) != 0 || !got.New[1].Now.Right || len(got.Suites[0].Tests) != 2 {
		t.Errorf("%+v", got)
	}

	ok(t, "", "correct --model shop --prompt e --good no --bad yes --out e.jsonl")
	none := call(t, "", "round shop --corrections e.jsonl --kept none"+strings.Replace(round, "--kept kept", "", 1))
	if strings.Contains(none.err, "were kept") || none.code != exitDone {
		t.Errorf("exit code %d\n%s", none.code, none.err)
	}
	mistaken(t, call(t, "", "log shop --round 0"), "began with", "nothing was taught")
	mistaken(t, call(t, "", "log shop --round 9"), "shop has no round 9")
	write(t, "shop/rounds/002/answers.json", "{")
	mistaken(t, call(t, "", "log shop --round 2"), "shop/rounds/002/answers.json holds no answers")
	if err := os.Remove("shop/rounds/002/answers.json"); err != nil {
		t.Fatal(err)
	}
	has(t, ok(t, "", "log shop --round 2"), "were not recorded", `"d"`)
}

func TestRoundMistakes(t *testing.T) {
	workdir(t)
	ok(t, "", "correct --model model --prompt a --good yes --bad no --out c.jsonl")
	write(t, "empty.jsonl", strings.Replace(read(t, "c.jsonl"), `"content":"yes"`, `"content":""`, 1))
	write(t, "other.jsonl", strings.Replace(read(t, "c.jsonl"), `"model_sha256":"`, `"model_sha256":"0`, 1))
	write(t, "small.json", small)
	ok(t, "", "round shop --base model --corrections c.jsonl --recipe small.json --yes")
	for _, dir := range []string{"half/rounds/000", "plain"} {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	unlock, err := coach.Lock("shop")
	if err != nil {
		t.Fatal(err)
	}
	mistaken(t, call(t, "", "round shop --corrections c.jsonl"), "another round is at work")
	mistaken(t, call(t, "", "rollback shop --to 0"), "another round is at work")
	unlock()
	for _, c := range []struct {
		command string
		want    []string
	}{
		{"round --corrections c.jsonl", []string{"one behaviour folder"}},
		{"round shop", []string{"--corrections"}},
		{"round none --corrections c.jsonl", []string{"no behaviour folder none", "--base"}},
		{"round shop --corrections c.jsonl --base model", []string{"shop exists"}},
		{"round plain --corrections c.jsonl --base model", []string{"plain", "exists"}},
		{"round plain --corrections c.jsonl", []string{"plain is no behaviour folder"}},
		{"round half --corrections c.jsonl", []string{"half is not whole"}},
		{"round shop --corrections empty.jsonl", []string{"empty.jsonl:1", "correction is empty"}},
		{"round shop --corrections none.jsonl", []string{"none.jsonl does not exist"}},
		{"round shop --corrections other.jsonl", []string{"other.jsonl", "another model"}},
		{"round shop --corrections c.jsonl --max_worse 5x", []string{"max_worse", "5%"}},
		{"round shop --corrections c.jsonl --steps 0", []string{"steps is 0"}},
		{"generate --model half --prompt a", []string{"half is not whole"}},
		{"log half", []string{"half is not whole"}},
		{"rollback shop", []string{"--to"}},
		{"rollback shop --to 7", []string{"no model of round 7"}},
	} {
		t.Run(c.command, func(t *testing.T) { mistaken(t, call(t, "", c.command), c.want...) })
	}
}

// TestRoundGatesEarlier: a round that breaks more of the earlier corrections than --max_worse allows is rejected.
func TestRoundGatesEarlier(t *testing.T) {
	told := func(id string, now bool) coach.Told {
		c := data.NewCorrection([]chat.Message{{Role: "user", Content: id}}, "yes", "no", time.Unix(0, 0))
		c.ID = id
		return coach.Told{Correction: c, Before: coach.Said{Right: true}, Now: coach.Said{Text: "hm", Right: now}}
	}
	for _, tc := range []struct {
		worse float64
		want  string
	}{{0.05, coach.Rejected}, {0.5, coach.Accepted}} {
		var out, err bytes.Buffer
		round := coach.Round{Corrections: 1, Taught: coach.Taught{Right: 1}}
		round.Tell(&coach.Answers{Earlier: []coach.Told{told("a", true), told("b", false)}})
		r := rounding{worse: tc.worse, maxWorse: "so much", yes: true}
		r.decide(t.Context(), &streams{out: &out, err: &err}, &round)
		if round.Verdict != tc.want || tc.want == coach.Rejected && !strings.Contains(round.Reason, "1 of 2 earlier") {
			t.Errorf("%v: %s, %s\n%s", tc.worse, round.Verdict, round.Reason, out.String())
		}
	}
}
