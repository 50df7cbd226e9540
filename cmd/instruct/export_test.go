package main

import "testing"

// TestExport writes a model in each form, reads two of them back, and is asked for what cannot be.
func TestExport(t *testing.T) {
	workdir(t)
	mean := func(model string) float64 {
		all := lines[scored](t, ok(t, "", "score --dataset rows.jsonl --json --model", model))
		return all[len(all)-1].Mean
	}
	has(t, ok(t, "", "export model --to gguf --type f32 --out deep/m.gguf"), "deep/m.gguf  ", " bytes")
	has(t, ok(t, "", "export model --to hf --shard_size 20KB --out hf"), "hf\n")
	ok(t, "", "export model --to ollama --type q8_0 --out ollama")
	has(t, read(t, "ollama/Modelfile"), "FROM ./model.gguf\n")
	want := mean("model")
	if a, b := mean("deep/m.gguf"), mean("hf"); a != want || b != want {
		t.Errorf("mean loss %v of the model, %v of its GGUF file, %v of its folder", want, a, b)
	}
	for command, want := range map[string]string{
		"export model --to gguf --out hf":               "hf is there already",
		"export model --to onnx --out x":                `--to "onnx" is not known; expected one of gguf, hf, ollama, trl`,
		"export model --to gguf --type q4_k --out x":    `--type "q4_k" is not known`,
		"export model --to hf --dtype q8_0 --out x":     `--dtype "q8_0" is not known`,
		"export model --to hf --shard_size 5XB --out x": "expected a size such as 500MB",
		"export model --out x":                          "export needs --to",
		"export --to hf --out x":                        "export takes one model",
		"export nowhere --to gguf --out x":              "no such model: nowhere",
		"export model --to trl --out x":                 "it is no checkpoint and has none",
		"import model --out x":                          "it is no folder of `instruct export RUN --to trl`",
		"import model":                                  "set --out",
	} {
		mistaken(t, call(t, "", command), want)
	}
}
