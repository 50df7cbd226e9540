package tokenizer

import (
	"encoding/json"
	"path/filepath"
	"testing"
)

// TestConfigForOlderPrograms: tokenizer_config.json carries what transformers 4 reads there only, and no words that
// only transformers 5 knows.
func TestConfigForOlderPrograms(t *testing.T) {
	file := Bytes("end").raw
	for _, x := range []struct {
		name, config string
		want         map[string]string // key: JSON, "" for no such key
	}{
		{"nothing", ``, map[string]string{"tokenizer_class": `"PreTrainedTokenizerFast"`, "model_max_length": `77`,
			"chat_template": `"T"`}},
		{"kept", `{"tokenizer_class":"GPT2Tokenizer","model_max_length":5,"padding_side":"left"}`,
			map[string]string{"tokenizer_class": `"GPT2Tokenizer"`, "model_max_length": `5`, "padding_side": `"left"`}},
		{"null", `{"tokenizer_class":null,"model_max_length":null}`,
			map[string]string{"tokenizer_class": `"PreTrainedTokenizerFast"`, "model_max_length": `77`}},
		{"a class of transformers 5", `{"tokenizer_class":"TokenizersBackend"}`,
			map[string]string{"tokenizer_class": `"PreTrainedTokenizerFast"`}},
		{"a list of transformers 5", `{"extra_special_tokens":["end"]}`,
			map[string]string{"additional_special_tokens": `["end"]`, "extra_special_tokens": ""}},
		{"names of transformers 4", `{"extra_special_tokens":{"image":"i"},"additional_special_tokens":["end"]}`,
			map[string]string{"additional_special_tokens": `["end"]`, "extra_special_tokens": `{"image":"i"}`}},
		{"another template", `{"chat_template":"U"}`, map[string]string{"chat_template": `"T"`}},
	} {
		tok, err := Parse([]byte(file), []byte(x.config))
		if err != nil {
			t.Fatal(err)
		}
		tok.SetChatTemplate("T")
		if err := tok.SetDefault("model_max_length", 77); err != nil {
			t.Fatal(err)
		}
		saved := map[string]json.RawMessage{}
		err = tok.Save("dir", func(path string, data []byte) error {
			if filepath.Base(path) != "tokenizer_config.json" {
				return nil
			}
			return json.Unmarshal(data, &saved)
		})
		if err != nil {
			t.Fatal(err)
		}
		for key, want := range x.want {
			var compact []byte
			if src, ok := saved[key]; ok {
				var v any
				_ = json.Unmarshal(src, &v)
				compact, _ = json.Marshal(v)
			}
			if string(compact) != want {
				t.Errorf("%s: %s is %s, want %s", x.name, key, compact, want)
			}
		}
	}
}
