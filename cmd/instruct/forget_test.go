package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
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
	for _, what := range []string{"the sea is blue", "count to nine", "my cat sleeps", "name a tree", "ten times ten",
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
	has(t, ok(t, "", "audit verify out --replay --quiet"), "2 entries", "out is as recorded")
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".out") {
			t.Errorf("%s is left", e.Name())
		}
	}
	mistaken(t, call(t, "", "forget out"), "forget needs --rows")
	mistaken(t, call(t, "", "forget out --rows none.txt"), "none.txt")
	mistaken(t, call(t, "", "forget out --rows forget.txt"), "nothing to forget")
	mistaken(t, call(t, "", "forget none --rows forget.txt"), "name the folder of a run")
}
