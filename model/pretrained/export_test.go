package pretrained_test

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"instruct/checkpoints"
	"instruct/model"
	"instruct/model/kernel"
	"instruct/model/pretrained"
	"instruct/tokenizer/chat"
)

// TestWriteGGUF: a file of each type is read back as the same model, as far as its type goes, with the same tokens,
// template and end of an answer.
func TestWriteGGUF(t *testing.T) {
	m := tiny(t)
	want := someLogits(t, m)
	prompt, err := m.Prompt([]chat.Message{{Role: "user", Content: "Spell \"radish\"."}})
	if err != nil {
		t.Fatal(err)
	}
	allowed := map[string]float64{"f32": 0, "f16": 0.01, "bf16": 0.1, "q8_0": 0.2, "q4_0": 3}
	for _, typ := range pretrained.GGUFTypes() {
		path := filepath.Join(t.TempDir(), "m.gguf")
		if err := m.WriteGGUF(path, typ); err != nil {
			t.Fatal(err)
		}
		again := load(t, path, kernel.F32)
		for i, l := range someLogits(t, again) {
			if d := math.Abs(float64(l - want[i])); !(d <= allowed[typ]) {
				t.Errorf("%s: log-probability %d is %g, was %g", typ, i, l, want[i])
			}
		}
		ids, err := again.Prompt([]chat.Message{{Role: "user", Content: "Spell \"radish\"."}})
		if err != nil || !slices.Equal(ids, prompt) || !slices.Equal(again.Stop, m.Stop) {
			t.Errorf("%s: prompt %v (%v), was %v; stop %v, was %v", typ, ids, err, prompt, again.Stop, m.Stop)
		}
		g, err := checkpoints.OpenGGUF(path)
		if err != nil {
			t.Fatal(err)
		}
		eos, _ := g.Uint("tokenizer.ggml.eos_token_id")
		if bos, said := g.Bool("tokenizer.ggml.add_bos_token"); bos || !said || int32(eos) != m.Stop[0] {
			t.Errorf("%s: eos %d, add_bos_token %v %v", typ, eos, bos, said)
		}
		g.Close()
	}
}

// TestInBlocks: weights that are quantised as a folder is read are those of the file that it is exported to, which are
// taken as they are: the same bits.
func TestInBlocks(t *testing.T) {
	dir := saved(t, tiny(t))
	for _, d := range []kernel.DType{kernel.Q8_0, kernel.Q4_0} {
		path := filepath.Join(t.TempDir(), "m.gguf")
		if err := load(t, dir, kernel.F32).WriteGGUF(path, d.String()); err != nil {
			t.Fatal(err)
		}
		folder, file := load(t, dir, d), load(t, path, d)
		if !slices.Equal(someLogits(t, folder), someLogits(t, file)) {
			t.Errorf("%v: the logits of a folder differ from those of the file that it is exported to", d)
		}
		if a, b := folder.WeightBytes(), folder.ValueBytes(d); a < b || a > b+64 || a != file.WeightBytes() {
			t.Errorf("%v: the weights take %d bytes, said were %d, and %d of the file", d, a, b, file.WeightBytes())
		}
	}
}

// TestGGUFKeys holds the metadata of a file against a list.
func TestGGUFKeys(t *testing.T) {
	m := tiny(t)
	path := filepath.Join(t.TempDir(), "m.gguf")
	if err := m.WriteGGUF(path, "q8_0"); err != nil {
		t.Fatal(err)
	}
	g, err := checkpoints.OpenGGUF(path)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	want := strings.Fields(`general.architecture qwen3.vocab_size qwen3.context_length qwen3.embedding_length
		qwen3.block_count qwen3.feed_forward_length qwen3.attention.head_count qwen3.attention.head_count_kv
		qwen3.attention.layer_norm_rms_epsilon qwen3.attention.key_length qwen3.attention.value_length
		qwen3.rope.dimension_count qwen3.rope.freq_base general.type general.name general.file_type
		general.quantization_version tokenizer.ggml.model tokenizer.ggml.pre tokenizer.ggml.tokens
		tokenizer.ggml.token_type tokenizer.ggml.eos_token_id tokenizer.ggml.eot_token_id tokenizer.ggml.add_bos_token
		tokenizer.ggml.add_eos_token tokenizer.ggml.add_space_prefix tokenizer.chat_template`)
	if keys := g.Keys(); !slices.Equal(keys, want) {
		t.Errorf("keys %q, want %q", keys, want)
	}
}

// TestWriteAdapterGGUF: the base's file with the adapter's product added is the file of the merged model.
func TestWriteAdapterGGUF(t *testing.T) {
	base, run := tinyAdapter(t, model.AdapterConfig{R: 2, Alpha: 6, RSLoRA: true, Targets: []string{model.AllLinear}})
	dir := t.TempDir()
	files := map[string]*checkpoints.GGUF{}
	for name, path := range map[string]string{"base": base, "merged": run, "adapter": run} {
		file := filepath.Join(dir, name)
		m := load(t, path, kernel.F32)
		write := m.WriteGGUF
		if name == "adapter" {
			write = m.WriteAdapterGGUF
		}
		if err := write(file, "f32"); err != nil {
			t.Fatal(err)
		}
		g, err := checkpoints.OpenGGUF(file)
		if err != nil {
			t.Fatal(err)
		}
		defer g.Close()
		files[name] = g
	}
	read := func(file, name string) []float32 {
		shape, ok := files[file].Shape(name)
		if !ok {
			t.Fatalf("%s has no %s", file, name)
		}
		out := make([]float32, shape[0]*shape[1])
		if err := files[file].Read(name, out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	alpha, _ := files["adapter"].Float("adapter.lora.alpha")
	count := 0
	for _, name := range files["adapter"].Names() {
		name, isA := strings.CutSuffix(name, ".lora_a")
		if !isA {
			continue
		}
		count++
		shape, _ := files["base"].Shape(name)
		w, merged := read("base", name), read("merged", name)
		a, b := read("adapter", name+".lora_a"), read("adapter", name+".lora_b")
		for o := range shape[0] {
			for i := range shape[1] {
				sum := float64(w[o*shape[1]+i])
				for r := range 2 {
					sum += float64(alpha / 2 * float64(b[o*2+r]) * float64(a[r*shape[1]+i]))
				}
				if d := math.Abs(sum - float64(merged[o*shape[1]+i])); !(d <= 1e-5) {
					t.Fatalf("%s: [%d,%d] is %g, merged %g", name, o, i, sum, merged[o*shape[1]+i])
				}
			}
		}
	}
	if count != 14 {
		t.Errorf("%d matrices, want 14", count)
	}
	if err := load(t, run, kernel.F32).WriteAdapterGGUF(filepath.Join(dir, "q"), "q8_0"); err == nil {
		t.Error("an adapter in q8_0 was written")
	}
}

// TestSaveAs: a folder in halves of two kinds and in pieces is read back.
func TestSaveAs(t *testing.T) {
	m := tiny(t)
	want := someLogits(t, m)
	for dtype, allowed := range map[string]float64{"fp32": 0, "f16": 0.01, "bf16": 0.1} {
		dir := t.TempDir()
		if err := m.SaveAs(dir, dtype, 10000); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(dir, "model.safetensors.index.json")); err != nil {
			t.Error(err)
		}
		for i, l := range someLogits(t, load(t, dir, kernel.F32)) {
			if d := math.Abs(float64(l - want[i])); !(d <= allowed) {
				t.Errorf("%s: log-probability %d is %g, was %g", dtype, i, l, want[i])
			}
		}
	}
	if err := m.SaveAs(t.TempDir(), "q8_0", 0); err == nil {
		t.Error("a folder in q8_0 was written")
	}
}

// TestSaveOllama: the template in Ollama's words is there, and the stop token.
func TestSaveOllama(t *testing.T) {
	for template, want := range map[string]string{
		"chatml": "TEMPLATE \"\"\"{{- range .Messages }}{{ if eq .Role \"system\" }}<|im_start|>system\n{{ .Content }}",
		"gemma":  "# The chat template of the GGUF file is one that Ollama's words cannot say.",
	} {
		m := load(t, saved(t, tiny(t)), kernel.F32)
		var err error
		if m.Template, err = chat.NewBuiltin(template, m.Tokenizer); err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		if err := m.SaveOllama(dir, "q8_0"); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(dir, "Modelfile"))
		if err != nil || !strings.Contains(string(text), want) || !strings.Contains(string(text), "\nPARAMETER stop ") {
			t.Errorf("%s (%v)\nwant %s", text, err, want)
		}
	}
}
