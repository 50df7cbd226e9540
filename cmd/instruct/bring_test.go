package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestForeignRecipesRun runs recipes of axolotl and LLaMA-Factory in one go.
func TestForeignRecipesRun(t *testing.T) {
	var texts []string
	for _, name := range []string{"axolotl.yml", "llama_factory.yml"} {
		text, err := os.ReadFile(filepath.Join("..", "..", "train", "recipe", "testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	workdir(t)
	write(t, "more.jsonl", rows(8))
	write(t, "talks.jsonl", `{"conversations": [{"from": "human", "value": "hi"}, {"from": "gpt", "value": "ho"}]}`+"\n")
	write(t, "axolotl.yml", strings.Replace(texts[0], "models/small", "model", 1))
	o := call(t, "", "train axolotl.yml --max_steps 1")
	if o.code != exitDone {
		t.Fatalf("exit %d\n%s", o.code, o.err)
	}
	has(t, o.err, "axolotl.yml:2: base_model is read as model_name_or_path", "held out")
	has(t, read(t, "outputs/out/recipe.yaml"), "talks.jsonl\n", "packing: true", "lr_scheduler_type: cosine")

	write(t, "dataset_info.json", `{"identity": {"file_name": "rows.jsonl"},
		"alpaca_en_demo": {"file_name": "more.jsonl"}}`)
	text := strings.NewReplacer("models/small", "model", "DIR", ".").Replace(texts[1])
	write(t, "lf.yaml", text)
	o = call(t, "", "train lf.yaml --max_steps 1 --max_samples 5")
	if o.code != exitDone {
		t.Fatalf("exit %d\n%s", o.code, o.err)
	}
	has(t, o.err, "note: dataset_info.json: identity is read as rows.jsonl", "template: qwen3_nothink asks for nothing; "+
		"the model's own template is used", "deepspeed, ddp_timeout are not used: one process trains")
	if m := runJSON(t, "saves/full/sft"); m.Rows+m.HeldOut != 10 {
		t.Errorf("max_samples: %d rows of each of two files", m.Rows+m.HeldOut)
	}
}
