package main

import (
	"os"
	"testing"
)

// TestAdapter trains an adapter, uses its folder as a model, trains it on, merges it, and loses its base.
func TestAdapter(t *testing.T) {
	workdir(t)
	o := call(t, "", "train --model_name_or_path model --dataset rows.jsonl --lora_r 4 "+
		"--lora_target_modules q_proj,down_proj --learning_rate 1e-2 --max_steps 4 --eval_fraction 0.2 "+
		"--output_dir run --dtype bf16")
	if o.code != exitDone {
		t.Fatal(o.err)
	}
	has(t, o.err, "adapter   ",
		" parameters (lora_r 4, lora_alpha 8) beside down_proj, q_proj; all else is frozen, in bf16")
	has(t, read(t, "run/adapter_config.json"), `"peft_type": "LORA"`, `"lora_alpha": 8`, `"q_proj"`)
	if _, err := os.Stat("run/model.safetensors"); err == nil {
		t.Error("the base was saved too")
	}
	score := func(model string) float64 {
		all := lines[scored](t, ok(t, "", "score --dataset rows.jsonl --json --model", model))
		return all[len(all)-1].Mean
	}
	has(t, ok(t, "", "model merge run --out whole"), "whole  weights sha256 ")
	before, run, whole := score("model"), score("run"), score("whole")
	if run != whole || run >= before {
		t.Errorf("mean loss %v of the run, %v merged, %v before", run, whole, before)
	}
	ok(t, "", "generate --model run --prompt hi --max_new_tokens 3")
	has(t, ok(t, "", "model inspect --model run"), "model.layers.0.self_attn.q_proj.weight")
	ok(t, "", "train --model_name_or_path run --dataset rows.jsonl --max_steps 1 --eval_fraction 0 --output_dir on")
	has(t, read(t, "on/adapter_config.json"), `"r": 4`, `"down_proj"`)
	for command, want := range map[string]string{
		"model merge run --out whole": "whole is there already",
		"model merge model --out x":   "model is a whole model, not an adapter",
		"model merge run":             "set --out",
		"model merge":                 "takes one folder of an adapter",
		tuneRows + " --lora_r 4 --output_dir x --lora_target_modules nose": "has no linear module nose",
	} {
		mistaken(t, call(t, "", command), want)
	}
	if err := os.Rename("model", "elsewhere"); err != nil {
		t.Fatal(err)
	}
	mistaken(t, call(t, "", "score --dataset rows.jsonl --model run"), "adapter run: its base ", "is not there")
}
