package main

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMistakes holds what a user must see: one clear message, exit code 2, nothing half-written.
func TestMistakes(t *testing.T) {
	tune := func(more ...string) []string {
		return append([]string{"train", "--model_name_or_path", "model", "--output_dir", "out"}, more...)
	}
	rowsOf := func(name, text string) func(t *testing.T) {
		return func(t *testing.T) { write(t, name, text) }
	}
	const q = "model.layers.0.self_attn.q_proj.weight"
	for _, c := range []struct {
		name  string
		setup func(t *testing.T) // in a folder with the tiny model and rows.jsonl
		stdin string
		args  []string
		want  []string
	}{
		{"missing dataset", nil, "", tune("--dataset", "nope.jsonl"), []string{"nope.jsonl", "does not exist"}},
		{"empty dataset", rowsOf("e.jsonl", ""), "", tune("--dataset", "e.jsonl"), []string{"e.jsonl", "empty"}},
		{"dataset of blank lines", rowsOf("e.jsonl", "\n \n"), "", tune("--dataset", "e.jsonl"), []string{"e.jsonl", "no rows"}},
		{"dataset is a folder", nil, "", tune("--dataset", "model"), []string{"model is a folder"}},
		{"unknown file type", rowsOf("rows.txt", "hi"), "", tune("--dataset", "rows.txt"), []string{"rows.txt", ".jsonl", ".parquet"}},
		{"row of another format", rowsOf("r.jsonl", rows(3)+"{\"prompt\":\"a\",\"completion\":\"b\"}\n"), "", tune("--dataset", "r.jsonl"),
			[]string{"r.jsonl:4", "completion", "alpaca", "instruction"}},
		{"unknown format", rowsOf("r.jsonl", "{\"frage\":\"a\",\"antwort\":\"b\"}\n"), "", tune("--dataset", "r.jsonl"), []string{"r.jsonl:1", "frage", "messages"}},
		{"unknown format flag", nil, "", tune("--dataset", "rows.jsonl", "--format", "xyz"), []string{`"xyz"`, "alpaca", "messages"}},
		{"invalid JSON line", rowsOf("r.jsonl", rows(2)+"{\"instruction\":\"a\", output\":\"b\"}\n"), "", tune("--dataset", "r.jsonl"), []string{"r.jsonl:3:21", "JSON"}},
		{"invalid JSON array", rowsOf("r.json", "[{\"instruction\":\"a\",\"output\":\"b\"},\n {\"instruction\":\"a\",}]\n"), "", tune("--dataset", "r.json"), []string{"r.json:2:", "JSON"}},
		{"JSON cut short", rowsOf("r.json", "[{\"instruction\":\"a\",\"output\":\"b\"},\n {\"instr"), "", tune("--dataset", "r.json"), []string{"r.json:2:", "JSON"}},
		{"empty response", rowsOf("r.jsonl", rows(3)+"{\"instruction\":\"a\",\"output\":\"\"}\n"), "", tune("--dataset", "r.jsonl"), []string{"r.jsonl:4", "response is empty", "remove the row"}},
		{"empty response in score", rowsOf("r.jsonl", "{\"instruction\":\"a\",\"output\":\"\"}\n"), "", []string{"score", "--model", "model", "--dataset", "r.jsonl"}, []string{"r.jsonl:1", "response is empty"}},
		{"value of the wrong type in a row", rowsOf("r.jsonl", "{\"instruction\":1,\"output\":\"b\"}\n"), "", tune("--dataset", "r.jsonl"), []string{"r.jsonl:1", "instruction"}},
		{"every row too long for max_length", nil, "", tune("--dataset", "rows.jsonl", "--max_length", "4"), []string{"longer than max_length 4", "rows.jsonl:", "raise max_length"}},
		{"every row too long for the model", rowsOf("r.jsonl", "{\"instruction\":\""+strings.Repeat("x", 200)+"\",\"output\":\"b\"}\n"), "", tune("--dataset", "r.jsonl"),
			[]string{"r.jsonl:1", "this model reads at most 128 tokens", "shorten the rows"}},
		{"every row too long in data inspect", rowsOf("r.jsonl", "{\"instruction\":\""+strings.Repeat("x", 200)+"\",\"output\":\"b\"}\n"), "",
			[]string{"data", "inspect", "--model", "model", "--dataset", "r.jsonl"}, []string{"r.jsonl:1", "this model reads at most 128 tokens"}},

		{"unknown recipe key", rowsOf("r.yaml", "dataset: rows.jsonl\nlearning_rat: 3\n"), "", []string{"train", "r.yaml"}, []string{"r.yaml:2", `"learning_rat"`, `did you mean "learning_rate"`}},
		{"key of another tool", rowsOf("r.yaml", "dataset: rows.jsonl\nmicro_batch_sizes: 3\n"), "", []string{"train", "r.yaml"}, []string{"r.yaml:2", `"micro_batch_sizes"`, "did you mean"}},
		{"key given twice", rowsOf("r.yaml", "seed: 1\ndataset: rows.jsonl\nseed: 2\n"), "", []string{"train", "r.yaml"}, []string{"r.yaml:3", "seed", "line 1"}},
		{"recipe that is no YAML", rowsOf("r.yaml", "dataset: rows.jsonl\n seed: 1\n"), "", []string{"train", "r.yaml"}, []string{"r.yaml:2:6", "not valid YAML"}},
		{"empty recipe", rowsOf("r.yaml", "# nothing\n"), "", []string{"train", "r.yaml"}, []string{"r.yaml", "empty"}},
		{"missing recipe", nil, "", []string{"train", "nope.yaml"}, []string{"recipe nope.yaml", "no such file"}},
		{"wrong type in a recipe", rowsOf("r.yaml", "dataset: rows.jsonl\nmax_steps: 1.5\n"), "", []string{"train", "r.yaml"}, []string{"r.yaml:2", `max_steps is "1.5"`, "whole number"}},
		{"list in a recipe", rowsOf("r.yaml", "learning_rate: [1, 2]\n"), "", []string{"train", "r.yaml"}, []string{"r.yaml:1", "learning_rate takes one value"}},
		{"wrong type of a flag", nil, "", tune("--dataset", "rows.jsonl", "--learning_rate", "fast"), []string{`--learning_rate is "fast"`, "number"}},
		{"wrong bool", nil, "", tune("--dataset", "rows.jsonl", "--packing=maybe"), []string{`--packing is "maybe"`, "true or false"}},
		{"value out of range", nil, "", tune("--dataset", "rows.jsonl", "--per_device_train_batch_size", "0"), []string{"per_device_train_batch_size is 0", "at least 1"}},
		{"unknown choice", nil, "", tune("--dataset", "rows.jsonl", "--lr_scheduler_type", "wavy"), []string{`"wavy"`, "constant", "linear", "cosine"}},
		{"preset and recipe", rowsOf("r.yaml", "model_name_or_path: model\ndataset: rows.jsonl\n"), "", []string{"bench", "--preset", "tiny-15m", "--recipe", "r.yaml"}, []string{"--preset", "--recipe", "not both"}},
		{"batch beside a recipe", rowsOf("r.yaml", "model_name_or_path: model\ndataset: rows.jsonl\n"), "", []string{"bench", "--recipe", "r.yaml", "--batch", "2"}, []string{"brings its own batch"}},
		{"bench of a missing recipe", nil, "", []string{"bench", "--recipe", "nope.yaml"}, []string{"recipe nope.yaml", "no such file"}},
		{"bench against nothing", nil, "", []string{"bench", "--against", "nope"}, []string{"--against nope", "no such program"}},
		{"bench against a recipe alone", nil, "", []string{"bench", "--against", "old.yaml"}, []string{"old.yaml is a recipe", "--recipe"}},
		{"too few rounds", nil, "", []string{"bench", "--against", "nope", "--rounds", "3"}, []string{"rounds is 3", "fewer than 6"}},
		{"no dataset", nil, "", tune(), []string{"dataset is not set"}},
		{"no model", nil, "", []string{"train", "--dataset", "rows.jsonl"}, []string{"model_name_or_path", "model_config"}},
		{"model_config that is no JSON", nil, "", []string{"train", "--dataset", "rows.jsonl", "--model_config", "{nope", "--tokenizer_name", "bytes", "--output_dir", "out"}, []string{"model_config", "JSON"}},

		{"unknown dtype", nil, "", []string{"generate", "--model", "model", "--prompt", "x", "--dtype", "int4"}, []string{`dtype is "int4"`, "fp32, bf16, q8_0"}},
		{"unknown dtype of chat", nil, "", []string{"chat", "--model", "model", "--dtype", "q4"}, []string{`dtype is "q4"`, "fp32, bf16, q8_0"}},
		{"unknown dtype of score", nil, "", []string{"score", "--model", "model", "--dataset", "rows.jsonl", "--dtype", "fp16"}, []string{`dtype is "fp16"`, "fp32, bf16, q8_0"}},
		{"unknown dtype of train", nil, "", tune("--dataset", "rows.jsonl", "--dtype", "q8_0"), []string{`dtype is "q8_0"`, "fp32, bf16"}},
		{"unknown dtype of bench", nil, "", []string{"bench", "--dtype", "int4"}, []string{`dtype is "int4"`, "fp32, bf16, q8_0"}},
		{"training steps in q8_0", nil, "", []string{"bench", "--dtype", "q8_0"}, []string{"q8_0", "--generate"}},
		{"training steps of a model", nil, "", []string{"bench", "--model", "model"}, []string{"--model", "--generate"}},
		{"missing model", nil, "", []string{"generate", "--model", "nope", "--prompt", "x"}, []string{"no such model: nope", "config.json", ".gguf"}},
		{"model is a file", nil, "", []string{"generate", "--model", "rows.jsonl", "--prompt", "x"}, []string{"rows.jsonl is a file", ".gguf"}},
		{"no config.json", func(t *testing.T) { remove(t, "model/config.json") }, "", tune("--dataset", "rows.jsonl"), []string{"model folder model", "no readable config.json", "tokenizer.json"}},
		{"broken config.json", rowsOf("model/config.json", `{"model_type": `), "", tune("--dataset", "rows.jsonl"), []string{"model/config.json", "JSON"}},
		{"unknown architecture", func(t *testing.T) {
			editJSON(t, "model/config.json", func(m map[string]any) { m["model_type"] = "mamba" })
		}, "", tune("--dataset", "rows.jsonl"), []string{`"mamba"`, "llama", "qwen2", "qwen3", "gpt2"}},
		{"no weights", func(t *testing.T) { remove(t, "model/model.safetensors") }, "", tune("--dataset", "rows.jsonl"), []string{"no weights", "model.safetensors", "model.safetensors.index.json"}},
		{"truncated safetensors", func(t *testing.T) {
			text := read(t, "model/model.safetensors")
			write(t, "model/model.safetensors", text[:len(text)-100])
		}, "", tune("--dataset", "rows.jsonl"), []string{"model/model.safetensors", "truncated", "expected", "found", "copy or download it again"}},
		{"no safetensors", rowsOf("model/model.safetensors", "hello world, this is no such file"), "", tune("--dataset", "rows.jsonl"), []string{"model/model.safetensors"}},
		{"tensor of the wrong shape", func(t *testing.T) {
			editSafetensors(t, "model/model.safetensors", func(h map[string]any, _ []byte) { h[q].(map[string]any)["shape"] = []int{16, 64} })
		}, "", tune("--dataset", "rows.jsonl"), []string{q, "[16 64]", "[32 32]", "config.json"}},
		{"missing tensor", func(t *testing.T) {
			editSafetensors(t, "model/model.safetensors", func(h map[string]any, _ []byte) { h["other"] = h[q]; delete(h, q) })
		}, "", tune("--dataset", "rows.jsonl"), []string{q, "missing", "[32 32]"}},
		{"no tokenizer.json", func(t *testing.T) { remove(t, "model/tokenizer.json") }, "", tune("--dataset", "rows.jsonl"), []string{"model", "no tokenizer.json"}},
		{"broken tokenizer.json", rowsOf("model/tokenizer.json", `{"model": `), "", tune("--dataset", "rows.jsonl"), []string{"model", "tokenizer.json", "cut short"}},
		{"tokenizer of another model", func(t *testing.T) {
			editJSON(t, "model/tokenizer.json", func(m map[string]any) {
				m["added_tokens"] = append(m["added_tokens"].([]any), map[string]any{"id": 260, "content": "<|more|>", "special": true})
			})
		}, "", tune("--dataset", "rows.jsonl"), []string{"tokenizer has 261 tokens", "vocabulary only 260"}},
		{"unknown chat_template", nil, "", tune("--dataset", "rows.jsonl", "--chat_template", "nonsense"), []string{`chat_template "nonsense"`, "built-in", "file"}},
		{"broken chat_template", rowsOf("t.jinja", "{% for m in messages %}{{ m.content }}"), "", tune("--dataset", "rows.jsonl", "--chat_template", "t.jinja"), []string{"template"}},
		{"prompt too long", nil, "", []string{"generate", "--model", "model", "--prompt", strings.Repeat("x", 200)}, []string{"the prompt has 20", "at most 128"}},
		{"impossible sampling", nil, "", []string{"generate", "--model", "model", "--prompt", "x", "--temperature", "-1"}, []string{"temperature is -1"}},

		{"truncated GGUF", rowsOf("m.gguf", gguf(3, 2)), "", []string{"generate", "--model", "m.gguf", "--prompt", "x"}, []string{"m.gguf", "truncated"}},
		{"GGUF of a few bytes", rowsOf("m.gguf", "GGUF\x03"), "", []string{"generate", "--model", "m.gguf", "--prompt", "x"}, []string{"m.gguf"}},
		{"no GGUF", rowsOf("m.gguf", "hello world, this is no such file"), "", []string{"generate", "--model", "m.gguf", "--prompt", "x"}, []string{"m.gguf", "not a GGUF file"}},
		{"GGUF with a lying number of tensors", rowsOf("m.gguf", gguf(1<<60, 0)), "", []string{"generate", "--model", "m.gguf", "--prompt", "x"}, []string{"m.gguf", "1152921504606846976"}},
		{"GGUF with a lying number of keys", rowsOf("m.gguf", gguf(0, 1<<40)), "", []string{"model", "inspect", "--model", "m.gguf"}, []string{"m.gguf", "1099511627776"}},
		{"GGUF with a lying string", rowsOf("m.gguf", gguf(0, 1)+string(binary.LittleEndian.AppendUint64(nil, 1<<50))+strings.Repeat("x", 64)), "",
			[]string{"tokenizer", "inspect", "--tokenizer", "m.gguf"}, []string{"m.gguf", "1125899906842624"}},

		{"token id outside the vocabulary", nil, "[1, 999999]\n", []string{"tokenizer", "decode", "--tokenizer", "model"}, []string{"standard input:1", "999999", "260"}},
		{"negative token id", nil, "[-1]\n", []string{"tokenizer", "decode", "--tokenizer", "model"}, []string{"standard input:1", "-1"}},
		{"ids that are none", nil, "[1,", []string{"tokenizer", "decode", "--tokenizer", "model"}, []string{"standard input:1", "JSON array"}},
		{"text that is no JSON string", nil, "hello\n", []string{"tokenizer", "encode", "--tokenizer", "model"}, []string{"standard input:1", "JSON string"}},

		{"output_dir is not empty", nil, "", []string{"train", "--model_name_or_path", "model", "--dataset", "rows.jsonl", "--output_dir", "."}, []string{"output_dir .", "--overwrite_output_dir", "--resume_from_checkpoint"}},
		{"output_dir is a file", nil, "", []string{"train", "--model_name_or_path", "model", "--dataset", "rows.jsonl", "--output_dir", "rows.jsonl"}, []string{"output_dir rows.jsonl", "not a directory"}},
		{"output_dir below a file", nil, "", []string{"train", "--model_name_or_path", "model", "--dataset", "rows.jsonl", "--output_dir", "rows.jsonl/out"}, []string{"output_dir rows.jsonl/out", "not a directory"}},
		{"no checkpoint to resume from", nil, "", tune("--dataset", "rows.jsonl", "--resume_from_checkpoint", "true"), []string{"no checkpoint in out"}},
		{"a checkpoint folder that is none", nil, "", tune("--dataset", "rows.jsonl", "--resume_from_checkpoint", "model"), []string{"model is no checkpoint", "state.json"}},
		{"tokenizer trained on nothing", nil, "", []string{"tokenizer", "train", "--dataset", "nope.txt", "--output_dir", "out"}, []string{"nope.txt"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			workdir(t)
			if c.setup != nil {
				c.setup(t)
			}
			before := tree(t, ".")
			o := call(t, c.stdin, c.args...)
			mistaken(t, o, c.want...)
			if after := tree(t, "."); after != before {
				t.Errorf("the folder was\n%sand is\n%s", before, after)
			}
			if len(o.err) > 500 {
				t.Errorf("the message has %d bytes:\n%s", len(o.err), o.err)
			}
		})
	}
}

// gguf is the head of a GGUF file that says it holds so many tensors and keys, and a few bytes more.
func gguf(tensors, keys uint64) string {
	b := binary.LittleEndian.AppendUint32([]byte("GGUF"), 3)
	b = binary.LittleEndian.AppendUint64(b, tensors)
	return string(binary.LittleEndian.AppendUint64(b, keys))
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

func TestUnwritableOutput(t *testing.T) {
	workdir(t)
	if os.Geteuid() == 0 {
		t.Skip("root may write everywhere")
	}
	if err := os.Mkdir("locked", 0o555); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"locked", filepath.Join("locked", "out")} {
		mistaken(t, call(t, "", "train", "--model_name_or_path", "model", "--dataset", "rows.jsonl", "--output_dir", dir), "output_dir "+dir, "permission denied")
	}
}

func TestUnknownCPU(t *testing.T) {
	workdir(t)
	t.Setenv("INSTRUCT_CPU", "bogus")
	for _, args := range [][]string{
		{"train", "--model_name_or_path", "model", "--dataset", "rows.jsonl", "--output_dir", "out"},
		{"generate", "--model", "model", "--prompt", "x"},
		{"chat", "--model", "model"},
		{"score", "--model", "model", "--dataset", "rows.jsonl"},
		{"bench", "--steps", "1"},
		{"version"},
	} {
		mistaken(t, call(t, "", args...), "INSTRUCT_CPU", `"bogus"`, "generic")
	}
}
