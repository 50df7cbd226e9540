package pretrained_test

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"instruct/checkpoints"
	"instruct/model"
	"instruct/model/kernel"
	"instruct/model/pretrained"
)

// edit changes keys of a JSON file, which is made where there is none.
func edit(t *testing.T, dir, name string, change map[string]any) {
	t.Helper()
	path := filepath.Join(dir, name)
	keys := map[string]any{}
	if text, err := os.ReadFile(path); err == nil {
		if err := json.Unmarshal(text, &keys); err != nil {
			t.Fatal(err)
		}
	}
	maps.Copy(keys, change)
	text, err := json.Marshal(keys)
	if err == nil {
		err = os.WriteFile(path, text, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// rename writes a folder's weights anew, each tensor under the names that it is given, "" for none.
func rename(t *testing.T, dir string, names func(old string) []string, more ...checkpoints.Tensor) {
	t.Helper()
	src, err := checkpoints.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	tensors := more
	for _, old := range src.Names() {
		shape, _ := src.Shape(old)
		size := 1
		for _, n := range shape {
			size *= n
		}
		data := make([]float32, size)
		if err := src.Read(old, data); err != nil {
			t.Fatal(err)
		}
		for _, name := range names(old) {
			tensors = append(tensors, checkpoints.Tensor{Name: name, Shape: shape, Data: data})
		}
	}
	src.Close()
	if err := pretrained.WriteTensors(filepath.Join(dir, "model.safetensors"), tensors, nil); err != nil {
		t.Fatal(err)
	}
}

func same(old string) []string { return []string{old} }

// before puts a prefix before every name.
func before(prefix string) func(string) []string {
	return func(old string) []string { return []string{prefix + old} }
}

// without leaves out the names that contain a text.
func without(part string) func(string) []string {
	return func(old string) []string {
		if strings.Contains(old, part) {
			return nil
		}
		return same(old)
	}
}

func tensor(name string, shape ...int) checkpoints.Tensor {
	size := 1
	for _, n := range shape {
		size *= n
	}
	return checkpoints.Tensor{Name: name, Shape: shape, Data: make([]float32, size)}
}

// disagreement is a folder that says one thing twice, or has other tensors than it should.
type disagreement struct {
	name string
	do   func(t *testing.T, dir string)
	want string // of the notes, or of the error where fails; "" for neither
}

// TestDisagreements: what transformers resolves is resolved as it does, with a note.
func TestDisagreements(t *testing.T) {
	base := saved(t, tiny(t))
	hash := load(t, base, kernel.F32).WeightsHash()
	embed := "model.embed_tokens.weight"
	for _, x := range []disagreement{
		{"none", func(*testing.T, string) {}, ""},
		{"_orig_mod.", func(t *testing.T, dir string) { rename(t, dir, before("_orig_mod.")) }, "begin with _orig_mod."},
		{"module.", func(t *testing.T, dir string) { rename(t, dir, before("module.")) }, "begin with module."},
		{"both", func(t *testing.T, dir string) { rename(t, dir, before("module._orig_mod.")) }, "module._orig_mod."},
		{"PEFT around a whole model", func(t *testing.T, dir string) { rename(t, dir, before("base_model.model.")) },
			"begin with base_model.model."},
		{"an equal head", func(t *testing.T, dir string) {
			rename(t, dir, func(old string) []string {
				if old == embed {
					return []string{old, "lm_head.weight"}
				}
				return same(old)
			})
		}, ""},
		{"the head for the embedding", func(t *testing.T, dir string) {
			rename(t, dir, func(old string) []string {
				return []string{strings.Replace(old, embed, "lm_head.weight", 1)}
			})
		}, ""},
		{"an index too", func(t *testing.T, dir string) { edit(t, dir, "model.safetensors.index.json", nil) },
			"model.safetensors is read; the shards"},
		{"generation_config.json is broken", func(t *testing.T, dir string) {
			_ = os.WriteFile(filepath.Join(dir, "generation_config.json"), []byte(`{"eos`), 0o644)
		}, "generation_config.json is not valid JSON"},
		{"its end is a text", func(t *testing.T, dir string) {
			edit(t, dir, "generation_config.json", map[string]any{"eos_token_id": "<|end|>"})
		}, "expected a token id"},
		{"its end is outside", func(t *testing.T, dir string) {
			edit(t, dir, "generation_config.json", map[string]any{"eos_token_id": []int{256, 70000}})
		}, "the end token 70000 is outside the vocabulary of 260"},
		{"its end is another", func(t *testing.T, dir string) {
			edit(t, dir, "generation_config.json", map[string]any{"eos_token_id": 65})
		}, "generation_config.json ends answers at [65], but 256"},
		{"the configuration's end is another", func(t *testing.T, dir string) {
			_ = os.Remove(filepath.Join(dir, "generation_config.json"))
			edit(t, dir, "config.json", map[string]any{"eos_token_id": 65})
		}, "config.json ends answers at [65], but 256"},
		{"a named token is unknown", func(t *testing.T, dir string) {
			edit(t, dir, "tokenizer_config.json", map[string]any{"pad_token": "<|gone|>"})
		}, `pad_token is "<|gone|>", which tokenizer.json has not`},
		{"an added token has another id", func(t *testing.T, dir string) {
			edit(t, dir, "tokenizer_config.json", map[string]any{
				"added_tokens_decoder": map[string]any{"3": map[string]any{"content": "<|user|>"}}})
		}, `added_tokens_decoder has "<|user|>" as 3`},
		{"a quantisation of other weights", func(t *testing.T, dir string) {
			edit(t, dir, "config.json", map[string]any{"quantization_config": map[string]any{"quant_method": "gptq"}})
		}, "quantization_config is not applied"},
	} {
		t.Run(x.name, func(t *testing.T) {
			dir := copied(t, base)
			x.do(t, dir)
			m := load(t, dir, kernel.F32)
			if got := strings.Join(m.Notes, "\n"); (x.want == "") != (got == "") || !strings.Contains(got, x.want) {
				t.Errorf("the notes are %q, want %q", got, x.want)
			}
			if m.WeightsHash() != hash {
				t.Error("other weights were read")
			}
		})
	}
	dir := copied(t, base)
	rename(t, dir, same, tensor("lm_head.weight", 260, 32))
	m := load(t, dir, kernel.F32)
	if m.Config.Tied || !strings.Contains(strings.Join(m.Notes, ""), "has a head that is not the embedding") {
		t.Errorf("a head of its own: tied %v, notes %v", m.Config.Tied, m.Notes)
	}
	if again := load(t, saved(t, m), kernel.F32); again.Config.Tied || again.WeightsHash() != m.WeightsHash() ||
		len(again.Notes) > 0 {
		t.Errorf("saved and loaded: tied %v, notes %v", again.Config.Tied, again.Notes)
	}
}

func copied(t *testing.T, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "model")
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

// TestForeignTensors: a folder that cannot be read says what it has instead.
func TestForeignTensors(t *testing.T) {
	base := saved(t, tiny(t))
	with := func(name string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) { rename(t, dir, same, tensor(name, 4, 4)) }
	}
	const q = "model.layers.0.self_attn.q_proj"
	for _, x := range []disagreement{
		{"LoRA inside", with(q + ".lora_A.weight"), "LoRA adapter: merge them first"},
		{"GPTQ", func(t *testing.T, dir string) { rename(t, dir, without(q), tensor(q+".qweight", 4, 4)) }, "GPTQ or AWQ"},
		{"bitsandbytes", with(q + ".weight.absmax"), "bitsandbytes"},
		{"compressed", with(q + ".weight_packed"), "compressed tensors"},
		{"MLX", with(q + ".scales"), "quantised by MLX"},
		{"a value head", with("v_head.summary.weight"), "value head"},
		{"mixed", with("_orig_mod.model.norm.weight"), "two models are mixed"},
		{"a layer less", func(t *testing.T, dir string) { rename(t, dir, without(".layers.1.")) },
			"the file has 1 layers, config.json says 2"},
		{"a layer more", with("model.layers.2.self_attn.q_proj.weight"), "the file has 3 layers, config.json says 2"},
		{"no head", func(t *testing.T, dir string) {
			edit(t, dir, "config.json", map[string]any{"tie_word_embeddings": false})
		}, "tie_word_embeddings: true"},
		{"another name", func(t *testing.T, dir string) {
			rename(t, dir, func(old string) []string {
				return []string{strings.Replace(old, "model.norm.weight", "model.final_norm.weight", 1)}
			})
		}, "model.norm.weight is missing; a qwen3 model of this config.json needs it with shape [32]; the file has " +
			"model.final_norm.weight instead, and 0 more"},
		{"an adapter beside a model", func(t *testing.T, dir string) { edit(t, dir, "adapter_config.json", nil) },
			"holds a whole model and an adapter"},
		{"one file of another name", func(t *testing.T, dir string) {
			_ = os.Rename(filepath.Join(dir, "model.safetensors"), filepath.Join(dir, "consolidated.safetensors"))
		}, "it holds consolidated.safetensors"},
		{"a shard is gone", func(t *testing.T, dir string) {
			_ = os.Remove(filepath.Join(dir, "model.safetensors"))
			edit(t, dir, "model.safetensors.index.json", map[string]any{"weight_map": map[string]string{"a": "x.safetensors"}})
		}, "shard x.safetensors is missing"},
	} {
		t.Run(x.name, func(t *testing.T) {
			dir := copied(t, base)
			x.do(t, dir)
			_, err := pretrained.Load(dir, pretrained.Options{})
			if err == nil || !strings.Contains(err.Error(), x.want) {
				t.Errorf("error %v, want %q", err, x.want)
			}
			var user interface{ UserError() bool }
			if !errors.As(err, &user) {
				t.Errorf("%v is not a mistake of the user", err)
			}
		})
	}
}

// TestUnwrap: a wrapper is left out where every name has it.
func TestUnwrap(t *testing.T) {
	base := saved(t, tiny(t))
	src, err := checkpoints.OpenFolder(base)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	inner, prefix := model.Unwrap(src)
	if prefix != "" || !slices.Equal(inner.Names(), src.Names()) {
		t.Errorf("of plain names %q is left out", prefix)
	}
}
