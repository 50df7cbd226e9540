package main

import (
	"slices"
	"strings"
	"testing"
)

// TestArrange holds what is made of flags as they are typed.
func TestArrange(t *testing.T) {
	for typed, want := range map[string]string{
		"train --packing true":                      "train --packing=true",
		"train --packing False --seed 3":            "train --packing=False --seed=3",
		"train --packing r.yaml":                    "train --packing r.yaml",
		"train --packing":                           "train --packing",
		"train --no-such":                           "train --no-such",
		"train --bf16 true r.yaml":                  "train --bf16=true r.yaml",
		"train --bf16 r.yaml":                       "train --bf16 r.yaml",
		"train --report_to wandb tensorboard":       "train --report_to=wandb --report_to=tensorboard",
		"train --report_to none --epochs 2":         "train --report_to=none --epochs=2",
		"train --use_peft --local_rank -1":          "train --use_peft --local_rank=-1",
		"train --dataset a.jsonl b.jsonl r.yaml":    "train --dataset=a.jsonl --dataset=b.jsonl r.yaml",
		"train r.yaml --model m --micro-batch-size": "train r.yaml --model=m --micro-batch-size",
		"train --output_dir --packing":              "train --output_dir=--packing",
		"train -- --packing true":                   "train -- --packing true",
		"generate --raw true --prompt --json":       "generate --raw=true --prompt=--json",
		"score --json false --dataset a":            "score --json=false --dataset=a",
		"data convert a.jsonl --to dpo":             "data convert a.jsonl --to=dpo",
		"generate --model_name_or_path m":           "generate --model=m",
		"score --base_model m --cutoff_len 3":       "score --model=m --max_length=3",
		"bench --new_tokens 3 --batch_size 2":       "bench --max_new_tokens=3 --batch=2",
		"tokenizer train --out d":                   "tokenizer train --output_dir=d",
		"eval --output_dir d":                       "eval --out=d",
		"score --epochs 3":                          "score --epochs 3",
		"generate --quiet":                          "generate --quiet",
		"--version":                                 "--version",
	} {
		got, err := arrange(newRoot(&streams{}, nil), strings.Fields(typed))
		if err != nil || !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("%s: %q, %v, want %q", typed, got, err, want)
		}
	}
}

// TestCompletionOfValues offers the values of flags with a closed set of them.
func TestCompletionOfValues(t *testing.T) {
	for typed, want := range map[string]string{
		"train --dtype":             "bf16",
		"train --optim":             "muon",
		"train --lr_scheduler_type": "cosine",
		"train --eval_strategy":     "epoch",
		"train --chat_template":     "chatml",
		"generate --dtype":          "q8_0",
		"chat --chat_template":      "llama3",
		"score --format":            "alpaca",
		"bench --preset":            "tiny-15m",
		"data convert --to":         "dpo",
	} {
		args := append([]string{"__complete"}, strings.Fields(typed)...)
		out := ok(t, "", strings.Join(args, " "), "")
		if !slices.Contains(strings.Split(out, "\n"), want) {
			t.Errorf("%s: no %s in %q", typed, want, out)
		}
	}
}

// TestForeignFlags trains with flags as they are typed for trl, and refuses what is not there in one message.
func TestForeignFlags(t *testing.T) {
	workdir(t)
	o := call(t, "", "train --model model --dataset_name rows.jsonl --output_dir out --max_steps 1 --packing true "+
		"--warmup_steps 0.1 --bf16 False --report_to none --logging_strategy steps --eval_strategy no --max_length 128")
	if o.code != exitDone {
		t.Fatalf("exit %d\n%s", o.code, o.err)
	}
	has(t, o.err, "note: --warmup_steps: 0.1 is read as warmup_ratio: 0.1; a share of the steps",
		"note: --logging_strategy is not used: metrics.jsonl")
	has(t, read(t, "out/recipe.yaml"), "packing: true", "warmup_ratio: 0.1", "eval_strategy: \"no\"", "dtype: fp32")
	o = call(t, "", "train --model model --dataset rows.jsonl "+
		"--peft_type LOHA --bnb_4bit_quant_type fp4 --lr fast")
	if o.code != exitMistake {
		t.Errorf("exit %d", o.code)
	}
	has(t, o.err, "the flags have 3 mistakes", "--peft_type is", "--bnb_4bit_quant_type is", `--learning_rate is "fast"`)
}
