package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"instruct/data"
	"instruct/train/coach"
	"instruct/train/record"
)

// weights is the hash that a command printed of its model.
func weights(t *testing.T, out string) string {
	t.Helper()
	_, hash, ok := strings.Cut(out, "weights sha256 ")
	if !ok {
		t.Fatalf("no hash in\n%s", out)
	}
	hash, _, _ = strings.Cut(hash, "\n")
	return hash
}

// TestForgetRun asks before it forgets, takes near rows when told to, and gives the weights of training anew.
func TestForgetRun(t *testing.T) {
	workdir(t)
	var text strings.Builder
	for _, what := range []string{"the sea is blue", "count to nine", "my cat sleeps", "who is it", "ten times ten",
		"where is north", "my cat sleeps"} { // the third row stands twice
		fmt.Fprintf(&text, `{"prompt":"%s","completion":"%[1]s, they say"}`+"\n", what)
	}
	write(t, "r.jsonl", text.String())
	const recipe = "train --model_name_or_path model --dataset r.jsonl --max_steps 4 --save_steps 2 --quiet " +
		"--train_sampling_strategy sequential --per_device_train_batch_size 1 --output_dir "
	ok(t, "", recipe+"out")
	old := read(t, "out/run.json")
	write(t, "forget.txt", "r.jsonl:3\n")

	o := call(t, "n\nn\n", "forget out --rows forget.txt --quiet")
	has(t, o.err, "say almost the same: 1\n  r.jsonl:7\n", "they stay", "first used in step 3 of 4",
		"train again from checkpoint-2", "nobody said yes")
	if o.code != exitFailed || read(t, "out/run.json") != old {
		t.Errorf("exit %d, or the run changed", o.code)
	}
	want := weights(t, ok(t, "", recipe+"without --drop_rows @forget.txt,r.jsonl:7"))
	o = call(t, "", "forget out --rows forget.txt --near --yes --quiet")
	if o.code != exitDone {
		t.Fatal(o.err)
	}
	has(t, o.out, "deleted          checkpoint-4, which saw the rows", "forgotten        2 rows")
	if got := weights(t, o.out); got != want {
		t.Errorf("the weights are %s, want %s", got, want)
	}
	has(t, ok(t, "", "audit verify out --replay --quiet"), "3 entries", "out is as recorded")
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".out") {
			t.Errorf("%s is left", e.Name())
		}
	}
	// A row may be named by what it says: here both that say it.
	ok(t, "", recipe+"other")
	write(t, "them.jsonl", strings.SplitAfter(text.String(), "\n")[2])
	o = call(t, "", "forget other --rows them.jsonl --yes --quiet")
	has(t, o.out, "forgotten        2 rows")
	if got := weights(t, o.out); got != want {
		t.Errorf("named by what they say, the weights are %s, want %s", got, want)
	}
	write(t, "them.jsonl", `{"prompt":"the sea is red","completion":"no"}`)
	mistaken(t, call(t, "", "forget other --rows them.jsonl"),
		"them.jsonl: no row of the run's data says the same as that of", "them.jsonl:1")
	write(t, "them.txt", read(t, "them.jsonl"))
	mistaken(t, call(t, "", "forget other --rows them.txt"), "them.txt: it holds rows", ".jsonl")
	write(t, "them.jsonl", `{"prompt":"the sea is red"`)
	mistaken(t, call(t, "", "forget other --rows them.jsonl"), "them.jsonl:1")

	mistaken(t, call(t, "", "forget out"), "forget needs --rows")
	mistaken(t, call(t, "", "forget out --rows none.txt"), "none.txt")
	mistaken(t, call(t, "", "forget out --rows forget.txt"), "nothing to forget")
	mistaken(t, call(t, "", "forget none --rows forget.txt"), "name the folder of a run")
}

// roundWeights is the hash of a round's model.
func roundWeights(t *testing.T, behaviour string, round int) string {
	t.Helper()
	r, _, err := coach.ReadRound(behaviour, round)
	if err != nil {
		t.Fatal(err)
	}
	return r.Weights
}

// TestForgetCorrections: the rounds from the first one that was taught a correction on are those of a behaviour that
// never had it; a round of which nothing is left is left out.
func TestForgetCorrections(t *testing.T) {
	workdir(t)
	write(t, "small.json", `{"learning_rate": 0.01, "steps": 20, "kept_rows": 0}`)
	write(t, "keep.jsonl", `{"instruction": "q", "output": "?"}`+"\n")
	write(t, "s.yaml", `prompts: ["{{q}}"]`+"\ntests:\n  - vars: {q: a}\n    assert: [{type: equals, value: yes}]\n")
	for file, prompts := range map[string][]string{"one": {"a"}, "two": {"b", "who is it"}, "three": {"d"}} {
		for _, p := range prompts {
			ok(t, "", "correct --model model --bad no --out "+file+".jsonl", "--prompt", p, "--good", "yes")
		}
	}
	two := strings.SplitAfter(read(t, "two.jsonl"), "\n")
	write(t, "left.jsonl", two[0])
	teach := func(behaviour, corrections string, more string) {
		t.Helper()
		ok(t, "", "round "+behaviour+" --corrections "+corrections+".jsonl --recipe small.json --max_new_tokens 6 "+
			"--keep keep.jsonl --suite s.yaml --max_worse 100% --yes"+more)
	}
	for _, b := range []string{"shop", "fresh", "empty"} {
		teach(b, "one", " --base model")
	}
	teach("fresh", "left", "")
	for _, b := range []string{"fresh", "empty"} {
		teach(b, "three", "")
	}
	teach("shop", "two", "")
	teach("shop", "three", "")
	write(t, "shop/mine.txt", "notes")
	write(t, "id.txt", decode[data.Correction](t, two[1]).ID)

	before := roundWeights(t, "shop", 3)
	head := decode[record.Audit](t, ok(t, "", "audit verify shop --json")).Head
	o := call(t, "no\n", "forget shop --rows id.txt")
	has(t, o.err, "first taught in round 2", "round 2 with 1 of its 2 corrections", "round 3 with 1 of its 1")
	if o.code != exitFailed {
		t.Errorf("exit %d", o.code)
	}
	o = call(t, "", "forget shop --rows id.txt --yes")
	if o.code != exitDone {
		t.Fatal(o.err)
	}
	if roundWeights(t, "shop", 3) == before {
		t.Error("the weights of round 3 are those of before")
	}
	has(t, call(t, "", "audit verify shop --head "+head).out, "DIFFERS  head: that entry and others were taken out when "+
		"entry 5 (forget)")
	has(t, o.out, "round 2          made again", "not touched      mine.txt", "forgotten        1 corrections")
	for n := 1; n <= 3; n++ {
		if got, want := roundWeights(t, "shop", n), roundWeights(t, "fresh", n); got != want {
			t.Errorf("round %d has the weights %s, want %s", n, got, want)
		}
	}
	has(t, ok(t, "", "audit verify shop"), "shop is as recorded")
	has(t, ok(t, "", "log shop"), "forgotten: 1 corrections, the first taught in round 2; 2 rounds made again, 3 current")
	has(t, ok(t, "", "log shop --json"), `{"kind":"forget",`, `"rows_sha256":["`)
	for _, path := range filesOf(t, "shop") {
		if strings.Contains(read(t, path), "who is it") {
			t.Errorf("%s has the text of what was forgotten", path)
		}
	}
	has(t, read(t, "shop/rounds/002/report.html"), "Round 2 of shop is")

	// Now the rest of round 2, in the words of the correction itself.
	write(t, "line.txt", two[0])
	has(t, ok(t, "", "forget shop --rows line.txt --yes"), "round 2          left out", "round 3          made again")
	if got, want := roundWeights(t, "shop", 2), roundWeights(t, "empty", 2); got != want {
		t.Errorf("without round 2, the next has the weights %s, want %s", got, want)
	}
	has(t, ok(t, "", "audit verify shop"), "shop is as recorded")
	mistaken(t, call(t, "", "forget shop --rows id.txt"), "no round was taught a correction with the id")
	write(t, "s.yaml", read(t, "s.yaml")+"#\n")
	write(t, "id.txt", decode[data.Correction](t, read(t, "one.jsonl")).ID)
	o = call(t, "", "forget shop --rows id.txt --yes")
	mistaken(t, o, "round 2 read s.yaml, which has another content now")
}
