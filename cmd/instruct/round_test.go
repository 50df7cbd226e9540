package main

import (
	"os"
	"strings"
	"testing"

	"instruct/train/coach"
)

// TestRound teaches a model in rounds: one that is accepted, one that is rejected, and the way back.
func TestRound(t *testing.T) {
	workdir(t)
	const teach = "round shop --corrections c.jsonl --learning_rate 1e-2 --max_new_tokens 6 --steps 20"
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

func TestRoundMistakes(t *testing.T) {
	workdir(t)
	ok(t, "", "correct --model model --prompt a --good yes --bad no --out c.jsonl")
	write(t, "empty.jsonl", strings.Replace(read(t, "c.jsonl"), `"content":"yes"`, `"content":""`, 1))
	write(t, "other.jsonl", strings.Replace(read(t, "c.jsonl"), `"model_sha256":"`, `"model_sha256":"0`, 1))
	ok(t, "", "round shop --base model --corrections c.jsonl --learning_rate 1e-2 --steps 20 --yes")
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
