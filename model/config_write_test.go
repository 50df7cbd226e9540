package model

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// written is the config.json that is saved of one that was read, keys of which are replaced.
func written(t *testing.T, name string, replace map[string]any) (map[string]any, Config) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "reference", name, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]any{}
	if err := json.Unmarshal(text, &keys); err != nil {
		t.Fatal(err)
	}
	for key, value := range replace {
		keys[key] = value
	}
	if text, err = json.Marshal(keys); err != nil {
		t.Fatal(err)
	}
	c, err := ParseConfig("config.json", text)
	if err != nil {
		t.Fatal(err)
	}
	if text, err = c.JSON(); err != nil {
		t.Fatal(err)
	}
	out := map[string]any{}
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out, c
}

// TestConfigForOlderPrograms: transformers 4 reads rope_theta and rope_scaling and takes 10000 and none where they are
// not, transformers 5 reads rope_parameters; both must find the same.
func TestConfigForOlderPrograms(t *testing.T) {
	for _, name := range []string{"llama", "llama3", "linear", "qwen2", "qwen3"} {
		out, c := written(t, name, nil)
		parameters, ok := out["rope_parameters"].(map[string]any)
		if !ok || parameters["rope_theta"] != c.Rope.Theta || out["rope_theta"] != c.Rope.Theta {
			t.Errorf("%s: rope_theta is %v, rope_parameters %v; want %g in both", name, out["rope_theta"],
				parameters, c.Rope.Theta)
		}
		scaling, scaled := out["rope_scaling"].(map[string]any)
		if scaled != (c.Rope.Scaling.Type != "default") {
			t.Errorf("%s: rope_scaling is %v", name, out["rope_scaling"])
		}
		for key, value := range scaling {
			if value != parameters[key] {
				t.Errorf("%s: rope_scaling has %s %v, rope_parameters %v", name, key, value, parameters[key])
			}
		}
	}
}

// TestConfigForMLX: the keys that mlx-lm's ModelArgs have no default for, or another one than the family has.
func TestConfigForMLX(t *testing.T) {
	decoder := strings.Fields("model_type hidden_size num_hidden_layers intermediate_size num_attention_heads " +
		"rms_norm_eps " +
		"vocab_size num_key_value_heads max_position_embeddings rope_theta head_dim tie_word_embeddings")
	for name, keys := range map[string][]string{"llama": decoder, "qwen2": decoder, "qwen3": decoder,
		"gpt2": strings.Fields("model_type n_ctx n_embd n_head n_layer n_positions layer_norm_epsilon vocab_size")} {
		out, _ := written(t, name, nil)
		for _, key := range keys {
			if out[key] == nil {
				t.Errorf("%s: config.json has no %s", name, key)
			}
		}
	}
}

// TestConfigThatContradictsItself: what transformers 5 takes is taken, with a note.
func TestConfigThatContradictsItself(t *testing.T) {
	object := func(theta float64) map[string]any { return map[string]any{"rope_type": "default", "rope_theta": theta} }
	for _, x := range []struct {
		name  string
		keys  map[string]any
		theta float64
		note  string // "" for none
	}{
		{"equal", map[string]any{"rope_theta": 500.0, "rope_parameters": object(500)}, 500, ""},
		{"outside only", map[string]any{"rope_theta": 500.0, "rope_parameters": nil}, 500, ""},
		{"inside only", map[string]any{"rope_theta": nil, "rope_parameters": object(500)}, 500, ""},
		{"they differ", map[string]any{"rope_theta": 1e4, "rope_parameters": object(500)}, 500,
			"rope_theta is 10000, and 500 in rope_parameters, which is taken"},
		{"an empty scaling", map[string]any{"rope_theta": nil, "rope_scaling": map[string]any{},
			"rope_parameters": object(500)}, 500, ""},
		{"scaling wins", map[string]any{"rope_theta": 1e4, "rope_parameters": object(7), "rope_scaling": object(500)}, 500,
			"500 in rope_scaling"},
		{"quantised", map[string]any{"quantization_config": map[string]any{"quant_method": "gptq"}}, 0,
			"quantization_config is not applied"},
	} {
		out, c := written(t, "llama", x.keys)
		if x.theta > 0 && c.Rope.Theta != x.theta {
			t.Errorf("%s: theta is %g, want %g", x.name, c.Rope.Theta, x.theta)
		}
		if notes := fmt.Sprint(c.Notes); (x.note == "") != (len(c.Notes) == 0) || !strings.Contains(notes, x.note) {
			t.Errorf("%s: the notes are %s, want %q", x.name, notes, x.note)
		}
		if out["quantization_config"] != nil {
			t.Errorf("%s: the saved config.json has the quantization_config of other weights", x.name)
		}
	}
}
