package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// spoiled makes a run whose second step meets, in its second micro-batch, a token whose embedding is no number.
const spoiled = tune + "--dataset z.jsonl --eval_fraction 0 --train_sampling_strategy sequential --max_steps 3 " +
	"--per_device_train_batch_size 2 --gradient_accumulation_steps 2 --eval_strategy no "

func spoiledRows(t *testing.T) {
	t.Helper()
	workdir(t)
	spoil(t, "model", "z")
	var all strings.Builder
	for i, text := range []string{"one", "two", "three", "four", "five", "six", "seven", "a zebra", "nine", "ten"} {
		fmt.Fprintf(&all, `{"instruction": %q, "output": "yes %d"}`+"\n", text, i)
	}
	write(t, "z.jsonl", all.String())
}

// TestReplay keeps the step whose loss is no number with the state before it, and sees it again: the micro-batch before
// has the bits of the run, on any number of threads, and the row is named.
func TestReplay(t *testing.T) {
	spoiledRows(t)
	for name, flags := range map[string]string{
		"plain": "", "muon": "--optim muon", "average": "--ema_decay 0.9", "packed": "--packing", "bf16": "--dtype bf16",
		"noise": "--neftune_noise_alpha 5", "adapter": "--lora_r 4 --lora_dropout 0.1",
		"last layer": "--unfreeze_layers 1",
	} {
		t.Run(name, func(t *testing.T) {
			o := call(t, "", spoiled+"--overwrite_output_dir "+flags)
			if o.code != exitFailed {
				t.Fatalf("exit %d\n%s", o.code, o.err)
			}
			bundle := "out/nan-step-2"
			if name == "packed" { // all rows are in one micro-batch
				bundle = "out/nan-step-1"
			}
			has(t, o.err, "keeping the step and the state before it in "+bundle+", about ", "kept "+bundle+", ",
				"z.jsonl:8", "instruct train --replay "+bundle)
			for _, threads := range []string{"", " --threads 1 --gradient_checkpointing"} {
				o = call(t, "", "train --replay "+bundle+threads)
				if o.code != exitFailed || strings.Contains(o.out, "in the run ") {
					t.Errorf("exit %d\n%s", o.code, o.out)
				}
				has(t, o.out, "the loss was no number", "loss NaN (as in the run)", "z.jsonl:8: loss NaN",
					"weight model.embed_tokens.weight: NaN", "output of ")
				if name != "packed" && !strings.Contains(o.out, "micro-batch 2: loss NaN") {
					t.Errorf("the micro-batch is not told:\n%s", o.out)
				}
				has(t, o.err, "comes to no number again")
			}
		})
	}
	if o := call(t, "", spoiled+"--overwrite_output_dir --max_steps 1"); o.code != exitDone || slices.ContainsFunc(
		names(t, "out"), func(name string) bool { return strings.HasPrefix(name, "nan-") }) {
		t.Errorf("exit %d; an older run's bundle stays: %v\n%s", o.code, names(t, "out"), o.err)
	}
}

// TestReplayOtherwise replays a step of preferences with the recipe's mistake put right, and refuses what would make
// another step of it, and a bundle that is damaged.
func TestReplayOtherwise(t *testing.T) {
	workdir(t)
	var all strings.Builder
	for i := range 8 {
		fmt.Fprintf(&all, `{"prompt": "number %d", "chosen": "yes", "rejected": "no"}`+"\n", i)
	}
	write(t, "pairs.jsonl", all.String())
	const dpo = tune + "--dataset pairs.jsonl --eval_fraction 0 --loss_type sigmoid --beta 1e100 --max_steps 2"
	o := call(t, "", dpo)
	has(t, o.err, "step 1: the gradient norm is", "kept out/nan-step-1")
	const replay = "train --replay out/nan-step-1 "
	o = call(t, "", replay)
	if o.code != exitFailed {
		t.Errorf("exit %d", o.code)
	}
	has(t, o.out, "gradient norm: NaN", "(as in the run)", "pairs.jsonl:", ".backward in micro-batch 1", "gradient ")
	o = call(t, "", replay+"--beta 0.1")
	if o.code != exitDone || strings.Contains(o.out, "not finite") {
		t.Errorf("exit %d\n%s%s", o.code, o.out, o.err)
	}
	has(t, o.out, "step 1 is finite now")
	for _, c := range []struct{ command, want string }{
		{replay + "--max_length 9", "max_length decides"},
		{replay + "recipe.yaml", "the bundle has its recipe"},
		{"train --replay model", "it is no bundle: step.json"},
		{"train --replay nowhere", "it is no bundle: step.json"},
	} {
		if o := call(t, "", c.command); o.code != exitMistake || !strings.Contains(o.err, c.want) {
			t.Errorf("%s: exit %d, %s", c.command, o.code, o.err)
		}
	}
	text := []byte(read(t, "out/nan-step-1/optimizer.safetensors"))
	text[len(text)/2] ^= 1
	if err := os.WriteFile("out/nan-step-1/optimizer.safetensors", text, 0o644); err != nil {
		t.Fatal(err)
	}
	if o := call(t, "", replay); o.code != exitMistake || !strings.Contains(o.err, "optimizer.safetensors: damaged") {
		t.Errorf("damaged: exit %d, %s", o.code, o.err)
	}
}
