package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"instruct/train/attribute"
)

// TestExplain explains an answer of a tiny run in every form, and makes the run again without its first rows.
func TestExplain(t *testing.T) {
	workdir(t)
	write(t, "r.jsonl", rows(8))
	tuned := "train --model_name_or_path model --dataset r.jsonl --eval_fraction 0 --max_steps 6 " +
		"--per_device_train_batch_size 2 --quiet "
	ok(t, "", tuned+"--explain true --output_dir out")
	for _, step := range []string{"1", "3", "5"} {
		if _, err := os.Stat(filepath.Join("out", "explain", "checkpoint-"+step, "model.safetensors")); err != nil {
			t.Error(err)
		}
	}
	before := tree(t, "out")
	const asked = "explain out --max_new_tokens 8 --prompt "
	has(t, ok(t, "", asked+"Hello. --answer Yes. --top 2 --html why.html"), `answer    "Yes."`, "before the run, by ",
		"r.jsonl:", "all 8 rows: ", "trace over the weights after step 1, 2, 3, 4, 5, 6")
	has(t, read(t, "why.html"), "Hello.", "r.jsonl:")
	whole := decode[attribute.Explanation](t, ok(t, "", asked+"Hello. --answer Yes. --method bm25 --json"))
	cut := decode[attribute.Explanation](t, ok(t, "", asked+"Hello. --answer Yes. --cut --method bm25 --json"))
	if n := len(cut.Tokens); n == 0 || n >= len(whole.Tokens) || cut.Tokens[n-1].ID != whole.Tokens[n-1].ID {
		t.Errorf("a cut answer has %d tokens, a whole one %d", n, len(whole.Tokens))
	}
	mistaken(t, call(t, "", asked+"Hello. --html r.jsonl"), "r.jsonl is one of the files that are read")
	x := decode[attribute.Explanation](t, ok(t, "", asked+"Hello. --answer Yes. --method bm25 --json --scores"))
	if x.Method != "bm25" || len(x.Scores) != 8 || x.BaseLogprob == nil || len(x.Tokens) == 0 {
		t.Errorf("%+v", x)
	}
	o := call(t, "", asked+"Hello. --answer Yes. --verify 2 --random 1 --json")
	if x = decode[attribute.Explanation](t, o.out); x.Proof == nil || len(x.Proof.Rows) != 2 || len(x.Proof.Random) != 1 {
		t.Errorf("%+v\n%s", x.Proof, o.err)
	}
	has(t, o.err, "verify: 2 runs of 6 steps", "run 2 of 2")
	without := strings.Join(x.Proof.Rows, ",")
	ok(t, "", tuned+"--save_strategy no --output_dir less --drop_rows", without)
	write(t, "yes.jsonl", `{"prompt":"Hello.","completion":"Yes."}`+"\n")
	type scored struct {
		Sum float64 `json:"loss_sum"`
	}
	got := lines[scored](t, ok(t, "", "score --model less --dataset yes.jsonl --json"))[0]
	if -got.Sum != x.Proof.Logprob {
		t.Errorf("a run with --drop_rows %s gives %v, verify %v", without, -got.Sum, x.Proof.Logprob)
	}
	all := lines[attribute.Explanation](t, ok(t, "", "explain out --suite r.jsonl --failed --max_new_tokens 8 "+
		"--method bm25 --json"))
	if len(all) == 0 || all[0].ID == "" {
		t.Errorf("of a suite: %+v", all)
	}
	if tree(t, "out") != before {
		t.Error("the run was changed")
	}
	half := call(t, "", strings.Replace(tuned, "--quiet ", "", 1)+
		"--explain true --explain_dtype bf16 --output_dir half")
	has(t, half.err, "weights are kept at 5 steps")
	size := func(run string) int64 {
		f, err := os.Stat(filepath.Join(run, "explain", "checkpoint-3", "model.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		return f.Size()
	}
	if whole, rounded := size("out"), size("half"); rounded > whole*6/10 {
		t.Errorf("%d bytes in bf16, %d in fp32", rounded, whole)
	}
	if read(t, "out/model.safetensors") != read(t, "half/model.safetensors") {
		t.Error("how weights are kept on the way moves the model")
	}
	has(t, ok(t, "", "explain half --max_new_tokens 8 --prompt Hello. --answer Yes."), "after step 1, 2, 3, 4, 5, 6")
	mistaken(t, call(t, "", tuned+"--explain_dtype bf16 --output_dir none"), "set explain: true")
	mistaken(t, call(t, "", tuned+"--explain true --explain_dtype q8_0 --output_dir none"), "known: fp32, bf16")
	write(t, "r.jsonl", rows(7)+`{"prompt":"x","completion":"y"}`+"\n")
	mistaken(t, call(t, "", asked+"Hello."), "explain out: its data, tokenizer or template are not those")
}

// TestExplainMistakes: one message each.
func TestExplainMistakes(t *testing.T) {
	workdir(t)
	for args, want := range map[string]string{
		"explain":              "explain takes the folder of one run",
		"explain model":        "explain needs --prompt, or --suite",
		"explain . --prompt x": "name the folder of a run",
		"explain model --prompt x --method magic":   "known: trace, unroll, bm25",
		"explain model --prompt x --failed":         "name it with --suite",
		"explain model --prompt x --random 3":       "set --verify K",
		"explain model --prompt x --cut":            "give it with --answer",
		"explain model --prompt x --top 0":          "it must be at least 1",
		"explain model --suite s.yaml --verify 3":   "as --prompt",
		"explain model --prompt x --html no/such/x": "there is no folder no/such",
		tuneRows + " --drop_rows rows.jsonl":        "expected path:line",
		tuneRows + " --drop_rows rows.jsonl:99":     "rows.jsonl:99 is no row of the data set",
		tuneRows + " --drop_rows @none":             "@ stands before a file",
	} {
		mistaken(t, call(t, "", args), want)
	}
}
