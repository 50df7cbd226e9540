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
		{"unknown architecture", `{"model_type":"bert"}`, `model_type "bert"; known are llama, qwen2, qwen3, gpt2`},
		{"no architecture", `{}`, "unknown architecture"},
		{"missing key", `{"model_type":"llama","vocab_size":50}`, "hidden_size is missing"},
		{"wrong type", `{"model_type":"llama","vocab_size":"many"}`, `vocab_size is "many"; expected a whole number`},
		{"not positive", `{"model_type":"llama",` + strings.Replace(good, ":50", ":-5", 1) + `}`, "vocab_size is -5"},
		{"odd groups", `{"model_type":"llama",` + good + `,"num_key_value_heads":3}`, "not a multiple"},
		{"activation", `{"model_type":"llama",` + good + `,"hidden_act":"relu"}`,
			`hidden_act "relu" is not supported; known: silu`},
		{"rope", `{"model_type":"llama",` + good + `,"rope_scaling":{"rope_type":"yarn"}}`,
			`type "yarn" is not supported; known: default, linear, llama3`},
		{"attention bias", `{"model_type":"llama",` + good + `,"attention_bias":true}`,
			"attention_bias: true is not supported"},
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
	for _, name := range []string{"llama", "llama3", "linear", "qwen2", "qwen3", "gpt2"} {
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

func FuzzParseConfig(f *testing.F) {
	for _, name := range []string{"llama", "llama3", "qwen3", "gpt2"} {
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

// An unknown architecture is named together with those that are known.
func ExampleParseConfig() {
	_, err := ParseConfig("config.json", []byte(`{"model_type":"mamba"}`))
	fmt.Println(err)
	// Output: model: config.json: unknown architecture: model_type "mamba"; known are llama, qwen2, qwen3, gpt2
}
