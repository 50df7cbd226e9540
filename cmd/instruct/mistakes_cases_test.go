package main

import (
	"encoding/binary"
	"os"
	"strings"
	"testing"
)

// mistakeCase is one mistake of the user, made in a folder with the tiny model and rows.jsonl.
type mistakeCase struct {
	name       string
	file, text string             // written first, where file has a name
	setup      func(t *testing.T) // what else is done first; may be nil
	stdin      string
	args       string
	want       []string // parts of the message
}

const (
	tuneRows        = tune + "--dataset rows.jsonl"
	weightsFile     = "model/model.safetensors"
	queryProjection = "model.layers.0.self_attn.q_proj.weight"
)

// mistakesInRows are of data sets.
func mistakesInRows() []mistakeCase {
	return []mistakeCase{
		{name: "missing dataset", args: tune + "--dataset nope.jsonl", want: []string{"nope.jsonl", "does not exist"}},
		{name: "empty dataset", file: "e.jsonl", text: "", args: tune + "--dataset e.jsonl",
			want: []string{"e.jsonl", "empty"}},
		{name: "dataset of blank lines", file: "e.jsonl", text: "\n \n", args: tune + "--dataset e.jsonl",
			want: []string{"e.jsonl", "no rows"}},
		{name: "dataset is a folder", args: tune + "--dataset model", want: []string{"model is a folder"}},
		{name: "unknown file type", file: "rows.pdf", text: "hi", args: tune + "--dataset rows.pdf",
			want: []string{"rows.pdf", ".jsonl", ".parquet"}},
		{name: "row of no format", file: "r.jsonl", text: rows(3) + "{\"prompt\":\"a\",\"antwort\":\"b\"}\n",
			args: tune + "--dataset r.jsonl", want: []string{"r.jsonl:4", "antwort", "{prompt, completion}"}},
		{name: "row of another format", file: "r.jsonl", text: rows(3) + "{\"prompt\":\"a\",\"completion\":\"b\"}\n",
			args: tune + "--dataset r.jsonl --format alpaca",
			want: []string{"r.jsonl:4", "completion", "alpaca", "instruction"}},
		{name: "a template that never ends", args: tuneRows + " --chat_template chatml",
			want: []string{"do not end with a stop token", "rows.jsonl:", "chat_template", "allow_unended"}},
		{name: "a call that the template does not show", file: "r.jsonl",
			text: `{"messages":[{"role":"user","content":"a"},` +
				`{"role":"assistant","tool_calls":[{"function":{"name":"f"}}]}]}`,
			args: tune + "--dataset r.jsonl", want: []string{"r.jsonl:1", "tool_calls", "message 2", "chat_template"}},
		{name: "unknown format", file: "r.jsonl", text: "{\"frage\":\"a\",\"antwort\":\"b\"}\n",
			args: tune + "--dataset r.jsonl", want: []string{"r.jsonl:1", "frage", "messages"}},
		{name: "unknown format flag", args: tuneRows + " --format xyz",
			want: []string{`"xyz"`, "alpaca", "messages"}},
		{name: "invalid JSON line", file: "r.jsonl", text: rows(2) + "{\"instruction\":\"a\", output\":\"b\"}\n",
			args: tune + "--dataset r.jsonl", want: []string{"r.jsonl:3:21", "JSON"}},
		{name: "invalid JSON array", file: "r.json",
			text: "[{\"instruction\":\"a\",\"output\":\"b\"},\n {\"instruction\":\"a\",}]\n",
			args: tune + "--dataset r.json", want: []string{"r.json:2:", "JSON"}},
		{name: "JSON cut short", file: "r.json", text: "[{\"instruction\":\"a\",\"output\":\"b\"},\n {\"instr",
			args: tune + "--dataset r.json", want: []string{"r.json:2:", "JSON"}},
		{name: "a loss of pairs without them", args: tuneRows + " --loss_type sigmoid --eval_fraction 0",
			want: []string{"rows.jsonl:1", "pairs", "prompt, chosen and rejected"}},
		{name: "unknown loss", args: tuneRows + " --loss_type grpo", want: []string{`"grpo"`, "sigmoid", "kto"}},
		{name: "a number that the loss does not use", args: tuneRows + " --loss_type ipo --simpo_gamma 1",
			want: []string{"simpo_gamma is 1", "ipo does not use it"}},
		{name: "kto with one row a batch", args: tuneRows + " --loss_type kto --per_device_train_batch_size 1",
			want: []string{"per_device_train_batch_size is 1", "at least 2"}},
		{name: "empty response", file: "r.jsonl", text: rows(3) + "{\"instruction\":\"a\",\"output\":\"\"}\n",
			args: tune + "--dataset r.jsonl", want: []string{"r.jsonl:4", "response is empty", "remove the row"}},
		{name: "empty response in score", file: "r.jsonl", text: "{\"instruction\":\"a\",\"output\":\"\"}\n",
			args: "score --model model --dataset r.jsonl", want: []string{"r.jsonl:1", "response is empty"}},
		{name: "value of the wrong type in a row", file: "r.jsonl", text: "{\"instruction\":1,\"output\":\"b\"}\n",
			args: tune + "--dataset r.jsonl", want: []string{"r.jsonl:1", "instruction"}},
		{name: "every row too long for max_length", args: tuneRows + " --max_length 4",
			want: []string{"longer than max_length 4", "rows.jsonl:", "raise max_length"}},
		{name: "every row too long for the model", file: "r.jsonl",
			text: "{\"instruction\":\"" + strings.Repeat("x", 200) + "\",\"output\":\"b\"}\n",
			args: tune + "--dataset r.jsonl",
			want: []string{"r.jsonl:1", "this model reads at most 128 tokens", "shorten the rows"}},
		{name: "every row too long in data inspect", file: "r.jsonl",
			text: "{\"instruction\":\"" + strings.Repeat("x", 200) + "\",\"output\":\"b\"}\n",
			args: "data inspect --model model --dataset r.jsonl",
			want: []string{"r.jsonl:1", "this model reads at most 128 tokens"}},
	}
}

// mistakesInRecipes are of recipes, and of their keys given as flags.
func mistakesInRecipes() []mistakeCase {
	return []mistakeCase{
		{name: "unknown recipe key", file: "r.yaml", text: "dataset: rows.jsonl\nlearning_rat: 3\n",
			args: "train r.yaml", want: []string{"r.yaml:2", `"learning_rat"`, `did you mean "learning_rate"`}},
		{name: "key of another tool", file: "r.yaml", text: "dataset: rows.jsonl\nmicro_batch_sizes: 3\n",
			args: "train r.yaml", want: []string{"r.yaml:2", `"micro_batch_sizes"`, "did you mean"}},
		{name: "key given twice", file: "r.yaml", text: "seed: 1\ndataset: rows.jsonl\nseed: 2\n",
			args: "train r.yaml", want: []string{"r.yaml:3", "seed", "line 1"}},
		{name: "recipe that is no YAML", file: "r.yaml", text: "dataset: rows.jsonl\n seed: 1\n",
			args: "train r.yaml", want: []string{"r.yaml:2:6", "not valid YAML"}},
		{name: "empty recipe", file: "r.yaml", text: "# nothing\n", args: "train r.yaml",
			want: []string{"r.yaml", "empty"}},
		{name: "missing recipe", args: "train nope.yaml", want: []string{"recipe nope.yaml", "no such file"}},
		{name: "wrong type in a recipe", file: "r.yaml", text: "dataset: rows.jsonl\nmax_steps: 1.5\n",
			args: "train r.yaml", want: []string{"r.yaml:2", `max_steps is "1.5"`, "whole number"}},
		{name: "list in a recipe", file: "r.yaml", text: "learning_rate: [1, 2]\n", args: "train r.yaml",
			want: []string{"r.yaml:1", "learning_rate takes one value"}},
		{name: "wrong type of a flag", args: tuneRows + " --learning_rate fast",
			want: []string{`--learning_rate is "fast"`, "number"}},
		{name: "wrong bool", args: tuneRows + " --packing=maybe",
			want: []string{`--packing is "maybe"`, "true or false"}},
		{name: "value out of range", args: tuneRows + " --per_device_train_batch_size 0",
			want: []string{"per_device_train_batch_size is 0", "at least 1"}},
		{name: "unknown choice", args: tuneRows + " --lr_scheduler_type wavy",
			want: []string{`"wavy"`, "constant", "linear", "cosine"}},
		{name: "no dataset", args: tune, want: []string{"dataset is not set"}},
		{name: "no model", args: "train --dataset rows.jsonl", want: []string{"model_name_or_path", "model_config"}},
		{name: "model_config that is no JSON",
			args: "train --dataset rows.jsonl --model_config {nope --tokenizer_name bytes --output_dir out",
			want: []string{"model_config", "JSON"}},
	}
}

// mistakesInFlags are of the other flags.
func mistakesInFlags() []mistakeCase {
	return []mistakeCase{
		{name: "preset and recipe", file: "r.yaml", text: "model_name_or_path: model\ndataset: rows.jsonl\n",
			args: "bench --preset tiny-15m --recipe r.yaml", want: []string{"--preset", "--recipe", "not both"}},
		{name: "batch beside a recipe", file: "r.yaml", text: "model_name_or_path: model\ndataset: rows.jsonl\n",
			args: "bench --recipe r.yaml --batch 2", want: []string{"brings its own batch"}},
		{name: "bench of a missing recipe", args: "bench --recipe nope.yaml",
			want: []string{"recipe nope.yaml", "no such file"}},
		{name: "bench against nothing", args: "bench --against nope", want: []string{"--against nope", "no such program"}},
		{name: "bench against a recipe alone", args: "bench --against old.yaml",
			want: []string{"old.yaml is a recipe", "--recipe"}},
		{name: "too few rounds", args: "bench --against nope --rounds 3", want: []string{"rounds is 3", "fewer than 6"}},
		{name: "unknown dtype", args: "generate --model model --prompt x --dtype int4",
			want: []string{`dtype is "int4"`, "fp32, bf16, q8_0"}},
		{name: "unknown dtype of chat", args: "chat --model model --dtype q4",
			want: []string{`dtype is "q4"`, "fp32, bf16, q8_0"}},
		{name: "unknown dtype of score", args: "score --model model --dataset rows.jsonl --dtype fp16",
			want: []string{`dtype is "fp16"`, "fp32, bf16, q8_0"}},
		{name: "unknown dtype of train", args: tuneRows + " --dtype int4",
			want: []string{`dtype is "int4"`, "fp32, bf16, q8_0"}},
		{name: "every weight in q8_0", args: tuneRows + " --dtype q8_0",
			want: []string{`dtype is "q8_0"`, "set lora_r"}},
		{name: "unknown dtype of bench", args: "bench --dtype int4",
			want: []string{`dtype is "int4"`, "fp32, bf16, q8_0"}},
		{name: "training steps in q8_0", args: "bench --dtype q8_0", want: []string{"q8_0", "--generate"}},
		{name: "training steps of a model", args: "bench --model model", want: []string{"--model", "--generate"}},
		{name: "prompt too long", args: "generate --model model --prompt " + strings.Repeat("x", 200),
			want: []string{"the prompt has 20", "at most 128"}},
		{name: "impossible sampling", args: "generate --model model --prompt x --temperature -1",
			want: []string{"temperature is -1"}},
	}
}

// mistakesInModels are of models and their tokenizers.
func mistakesInModels() []mistakeCase {
	return []mistakeCase{
		{name: "missing model", args: "generate --model nope --prompt x",
			want: []string{"no such model: nope", "config.json", ".gguf"}},
		{name: "model is a file", args: "generate --model rows.jsonl --prompt x",
			want: []string{"rows.jsonl is a file", ".gguf"}},
		{name: "no config.json", setup: without("model/config.json"),
			args: tuneRows,
			want: []string{"model folder model", "no readable config.json", "tokenizer.json"}},
		{name: "broken config.json", file: "model/config.json", text: `{"model_type": `,
			args: tuneRows, want: []string{"model/config.json", "JSON"}},
		{name: "unknown architecture", setup: otherArchitecture, args: tuneRows,
			want: []string{`"mamba"`, "llama", "qwen2", "qwen3", "gpt2"}},
		{name: "no weights", setup: without("model/model.safetensors"),
			args: tuneRows,
			want: []string{"no weights", "model.safetensors", "model.safetensors.index.json"}},
		{name: "truncated safetensors", setup: cutWeights, args: tuneRows,
			want: []string{"model/model.safetensors", "truncated", "expected", "found", "copy or download it again"}},
		{name: "no safetensors", file: "model/model.safetensors", text: "hello world, this is no such file",
			args: tuneRows, want: []string{"model/model.safetensors"}},
		{name: "tensor of the wrong shape", setup: otherShape, args: tuneRows,
			want: []string{queryProjection, "[16 64]", "[32 32]", "config.json"}},
		{name: "missing tensor", setup: renamedTensor, args: tuneRows, want: []string{queryProjection, "missing", "[32 32]"}},
		{name: "no tokenizer.json", setup: without("model/tokenizer.json"),
			args: tuneRows, want: []string{"model", "no tokenizer.json"}},
		{name: "broken tokenizer.json", file: "model/tokenizer.json", text: `{"model": `,
			args: tuneRows, want: []string{"model", "tokenizer.json", "cut short"}},
		{name: "tokenizer of another model", setup: otherTokenizer, args: tuneRows,
			want: []string{"tokenizer has 261 tokens", "vocabulary only 260"}},
		{name: "unknown chat_template", args: tuneRows + " --chat_template nonsense",
			want: []string{`chat_template "nonsense"`, "built-in", "file"}},
		{name: "broken chat_template", file: "t.jinja", text: "{% for m in messages %}{{ m.content }}",
			args: tuneRows + " --chat_template t.jinja", want: []string{"template"}},
	}
}

// mistakesInGGUF are of GGUF files.
func mistakesInGGUF() []mistakeCase {
	return []mistakeCase{
		{name: "truncated GGUF", file: "m.gguf", text: gguf(3, 2), args: "generate --model m.gguf --prompt x",
			want: []string{"m.gguf", "truncated"}},
		{name: "GGUF of a few bytes", file: "m.gguf", text: "GGUF\x03", args: "generate --model m.gguf --prompt x",
			want: []string{"m.gguf"}},
		{name: "no GGUF", file: "m.gguf", text: "hello world, this is no such file",
			args: "generate --model m.gguf --prompt x", want: []string{"m.gguf", "not a GGUF file"}},
		{name: "GGUF with a lying number of tensors", file: "m.gguf", text: gguf(1<<60, 0),
			args: "generate --model m.gguf --prompt x", want: []string{"m.gguf", "1152921504606846976"}},
		{name: "GGUF with a lying number of keys", file: "m.gguf", text: gguf(0, 1<<40),
			args: "model inspect --model m.gguf", want: []string{"m.gguf", "1099511627776"}},
		{name: "GGUF with a lying string", file: "m.gguf",
			text: gguf(0, 1) + string(binary.LittleEndian.AppendUint64(nil, 1<<50)) + strings.Repeat("x", 64),
			args: "tokenizer inspect --tokenizer m.gguf", want: []string{"m.gguf", "1125899906842624"}},
	}
}

// mistakesInStreams are of standard input, and of folders to write to.
func mistakesInStreams() []mistakeCase {
	return []mistakeCase{
		{name: "token id outside the vocabulary", stdin: "[1, 999999]\n", args: "tokenizer decode --tokenizer model",
			want: []string{"standard input:1", "999999", "260"}},
		{name: "negative token id", stdin: "[-1]\n", args: "tokenizer decode --tokenizer model",
			want: []string{"standard input:1", "-1"}},
		{name: "ids that are none", stdin: "[1,", args: "tokenizer decode --tokenizer model",
			want: []string{"standard input:1", "JSON array"}},
		{name: "text that is no JSON string", stdin: "hello\n", args: "tokenizer encode --tokenizer model",
			want: []string{"standard input:1", "JSON string"}},
		{name: "output_dir is not empty",
			args: "train --model_name_or_path model --dataset rows.jsonl --output_dir .",
			want: []string{"output_dir .", "--overwrite_output_dir", "--resume_from_checkpoint"}},
		{name: "output_dir is a file",
			args: "train --model_name_or_path model --dataset rows.jsonl --output_dir rows.jsonl",
			want: []string{"output_dir rows.jsonl", "not a directory"}},
		{name: "output_dir below a file",
			args: "train --model_name_or_path model --dataset rows.jsonl --output_dir rows.jsonl/out",
			want: []string{"output_dir rows.jsonl/out", "not a directory"}},
		{name: "no checkpoint to resume from", args: tuneRows + " --resume_from_checkpoint true",
			want: []string{"no checkpoint in out"}},
		{name: "a checkpoint folder that is none", args: tuneRows + " --resume_from_checkpoint model",
			want: []string{"model is no checkpoint", "state.json"}},
		{name: "tokenizer trained on nothing", args: "tokenizer train --dataset nope.txt --output_dir out",
			want: []string{"nope.txt"}},
	}
}

// without removes a file.
func without(path string) func(t *testing.T) {
	return func(t *testing.T) {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

func otherArchitecture(t *testing.T) {
	editJSON(t, "model/config.json", func(m map[string]any) { m["model_type"] = "mamba" })
}

func otherTokenizer(t *testing.T) {
	editJSON(t, "model/tokenizer.json", func(m map[string]any) {
		more := map[string]any{"id": 260, "content": "<|more|>", "special": true}
		m["added_tokens"] = append(m["added_tokens"].([]any), more)
	})
}

func cutWeights(t *testing.T) {
	text := read(t, weightsFile)
	write(t, weightsFile, text[:len(text)-100])
}

func otherShape(t *testing.T) {
	editSafetensors(t, weightsFile, func(h map[string]any, _ []byte) {
		h[queryProjection].(map[string]any)["shape"] = []int{16, 64}
	})
}

func renamedTensor(t *testing.T) {
	editSafetensors(t, weightsFile, func(h map[string]any, _ []byte) {
		h["other"] = h[queryProjection]
		delete(h, queryProjection)
	})
}

// gguf is the head of a GGUF file that says it holds so many tensors and keys, and a few bytes more.
func gguf(tensors, keys uint64) string {
	b := binary.LittleEndian.AppendUint32([]byte("GGUF"), 3)
	b = binary.LittleEndian.AppendUint64(b, tensors)
	return string(binary.LittleEndian.AppendUint64(b, keys))
}
