package model

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestParseConfigErrors(t *testing.T) {
	const good = `"vocab_size":50,"hidden_size":24,"num_hidden_layers":3,"num_attention_heads":4,"intermediate_size":40`
	for _, x := range []struct{ name, text, want string }{
		{"not JSON", `{"model_type"`, "not valid JSON"},
		{"unknown architecture", `{"model_type":"xyz"}`, `model_type "xyz"; known are llama, mistral, qwen2,`},
		{"experts", `{"model_type":"qwen3_moe"}`, "it is a mixture of experts, which is not supported"},
		{"linear attention", `{"model_type":"qwen3_5_text"}`, "most of its layers are linear attention"},
		{"state space", `{"model_type":"mamba2"}`, "state space model (Mamba)"},
		{"pictures", `{"model_type":"gemma3"}`, "save its language model alone (model_type gemma3_text)"},
		{"no architecture", `{}`, "unknown architecture"},
		{"missing key", `{"model_type":"llama","vocab_size":50}`, "hidden_size is missing"},
		{"wrong type", `{"model_type":"llama","vocab_size":"many"}`, `vocab_size is "many"; expected a whole number`},
		{"not positive", `{"model_type":"llama",` + strings.Replace(good, ":50", ":-5", 1) + `}`, "vocab_size is -5"},
		{"odd groups", `{"model_type":"llama",` + good + `,"num_key_value_heads":3}`, "not a multiple"},
		{"activation", `{"model_type":"llama",` + good + `,"hidden_act":"relu"}`,
			`hidden_act "relu" is not supported; known: silu`},
		{"rope", `{"model_type":"llama",` + good + `,"rope_scaling":{"rope_type":"spiral"}}`,
			`type "spiral" is not supported; known: default, linear, llama3, yarn, longrope, dynamic`},
		{"yarn", `{"model_type":"llama",` + good + `,"rope_scaling":{"rope_type":"yarn","beta_fast":-1}}`,
			"yarn needs"},
		{"longrope", `{"model_type":"phi3",` + good + `,"rope_scaling":{"rope_type":"longrope","short_factor":[1]}}`,
			"longrope needs short_factor and long_factor, positive numbers, one for each two of the 6"},
		{"base", `{"model_type":"llama",` + good + `,"rope_theta":-1}`, "rope_theta is -1; expected a positive number"},
		{"base inside", `{"model_type":"qwen3",` + good + `,"rope_parameters":{"rope_theta":-5}}`, "rope_theta is -5"},
		{"part of a head", `{"model_type":"phi3",` + good + `,"partial_rotary_factor":0.1}`, "enough for 2 of the 6"},
		{"odd part", `{"model_type":"phi3",` + good + `,"partial_rotary_factor":0.5}`, "3 numbers of a head of 6 turn"},
		{"layer types", `{"model_type":"gemma3_text",` + good + `,"layer_types":["full_attention"]}`,
			"1 entries for 3 layers"},
		{"layer type", `{"model_type":"gemma3_text",` + good +
			`,"layer_types":["full_attention","conv","full_attention"]}`,
			`layer 1 is "conv"`},
		{"hybrid", `{"model_type":"granitemoehybrid",` + good + `,"shared_intermediate_size":8,"num_local_experts":0,
			"layer_types":["attention","mamba","attention"]}`, `layer 1 is "mamba"`},
		{"experts inside", `{"model_type":"granitemoehybrid",` + good + `,"shared_intermediate_size":8,"num_local_experts":4,
			"layer_types":["attention","attention","attention"]}`, "a mixture of experts is not supported"},
		{"no positions", `{"model_type":"smollm3",` + good + `,"no_rope_layers":[1]}`,
			"1 entries for 3 layers"},
		{"large heads", `{"model_type":"qwen3",` + good + `,"head_dim":1024}`, "at most 512"},
		{"pad", `{"model_type":"llama",` + good + `,"pad_token_id":50}`, "pad_token_id 50 is outside"},
	} {
		t.Run(x.name, func(t *testing.T) {
			_, err := ParseConfig("config.json", []byte(x.text))
			if err == nil || !strings.Contains(err.Error(), x.want) || !strings.Contains(err.Error(), "config.json") {
				t.Errorf("error %v, want one that contains %q", err, x.want)
			}
			var user interface{ UserError() bool }
			if !errors.As(err, &user) {
				t.Error("not a user error")
			}
		})
	}
}

// TestConfigRoundTrip writes and reads the configurations of the reference models.
func TestConfigRoundTrip(t *testing.T) {
	for _, name := range referenceNames(t) {
		text, err := os.ReadFile(filepath.Join("testdata", "reference", name, "config.json"))
		if err != nil {
			t.Fatal(err)
		}
		a, err := ParseConfig(name, text)
		if err != nil {
			t.Fatal(err)
		}
		out, err := a.JSON()
		if err != nil {
			t.Fatal(err)
		}
		b, err := ParseConfig(name, out)
		if err != nil {
			t.Fatal(err)
		}
		a.raw, b.raw, a.family, b.family = nil, nil, nil, nil
		if !reflect.DeepEqual(a, b) {
			t.Errorf("%s: %+v became %+v", name, a, b)
		}
	}
}

// referenceNames are the folders of reference models.
func referenceNames(t testing.TB) (names []string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", "reference", "*", "expected.json"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no reference models (%v)", err)
	}
	for _, p := range paths {
		names = append(names, filepath.Base(filepath.Dir(p)))
	}
	return names
}

func FuzzParseConfig(f *testing.F) {
	for _, name := range referenceNames(f) {
		if text, err := os.ReadFile(filepath.Join("testdata", "reference", name, "config.json")); err == nil {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := ParseConfig("fuzz", text)
		if err != nil {
			return
		}
		out, err := c.JSON()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseConfig("fuzz", out); err != nil {
			t.Fatalf("%s\nbecame\n%s\n%v", text, out, err)
		}
	})
}

// A kind of model that is not computed is named with the reason, and those that are known behind it.
func ExampleParseConfig() {
	_, err := ParseConfig("config.json", []byte(`{"model_type":"mixtral"}`))
	what, known, _ := strings.Cut(err.Error(), ". Known are ")
	fmt.Println(what)
	fmt.Println(strings.HasPrefix(known, "llama, mistral, "))
	// Output:
	// model: config.json: model_type "mixtral" is not supported: it is a mixture of experts, which is not supported
	// true
}
