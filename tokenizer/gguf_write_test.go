package tokenizer

import (
	"slices"
	"strings"
	"testing"

	"instruct/tokenizer/file"
	"instruct/tokenizer/internal/fixture"
)

// TestToGGUF: the vocabulary for a GGUF file makes a tokenizer with the same ids.
func TestToGGUF(t *testing.T) {
	for name, want := range map[string]file.GGUF{
		"tokenizers/gpt2":    {Model: "gpt2", Pre: "gpt-2", EOS: 50256, BOS: 50256, UNK: 50256, PAD: -1},
		"tokenizers/smollm2": {Model: "gpt2", Pre: "smollm", EOS: 0, BOS: 0, UNK: 0, PAD: -1},
		"tokenizers/qwen2_5": {Model: "gpt2", Pre: "qwen2", EOS: 151645, BOS: -1, UNK: -1, PAD: 151643},
		"models/stories260K-hf": {Model: "llama", Pre: "default", EOS: 2, BOS: 1, UNK: 0, PAD: -1, AddBOS: true,
			AddSpacePrefix: true},
	} {
		t.Run(name, func(t *testing.T) {
			tok := load(t, fixture.Path(t, strings.Split(name, "/")...))
			v, err := tok.GGUF(tok.VocabSize() + 3)
			if err != nil {
				t.Fatal(err)
			}
			got := file.GGUF{Model: v.Model, Pre: v.Pre, EOS: v.EOS, BOS: v.BOS, UNK: v.UNK, PAD: v.PAD, AddBOS: v.AddBOS,
				AddEOS: v.AddEOS, AddSpacePrefix: v.AddSpacePrefix}
			if last := len(v.Tokens) - 1; v.Types[last] != 5 || len(v.Types) != tok.VocabSize()+3 {
				t.Errorf("token %d is %q of type %d", last, v.Tokens[last], v.Types[last])
			}
			if got.Pre != want.Pre || got.Model != want.Model || got.AddBOS != want.AddBOS || got.BOS != want.BOS ||
				got.EOS != want.EOS || got.AddSpacePrefix != want.AddSpacePrefix {
				t.Errorf("%+v, want %+v", got, want)
			}
			again, err := FromGGUF(v)
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range []string{"", "Once upon a time, there was a cat.", " two  spaces\n\nand 1234 digits",
				"naïve — 東京 🙂", "<|im_start|>user\nhi<|im_end|>", "a<s>b</s>"} {
				if a, b := tok.Encode(text, true), again.Encode(text, true); !slices.Equal(a, b) {
					t.Errorf("%q: %v, by way of GGUF %v", text, a, b)
				}
			}
		})
	}
}

// TestToGGUFRefuses: what a GGUF file cannot say is refused.
func TestToGGUFRefuses(t *testing.T) {
	model := func(rest string) string {
		return `{"version":"1.0","added_tokens":[],"model":{"type":"BPE","vocab":{"a":0,"b":1,"c":2,"ab":3,"bc":4},` +
			`"merges":["a b","b c"]` + rest
	}
	for _, c := range []struct{ name, src, want string }{
		{"words", `{"version":"1.0","model":{"type":"WordPiece","unk_token":"a","continuing_subword_prefix":"##",` +
			`"max_input_chars_per_word":9,"vocab":{"a":0}}}`, "holds BPE"},
		{"split", model(`},"pre_tokenizer":{"type":"Split","pattern":{"Regex":"a+"},"behavior":"Isolated","invert":false}}`),
			"no name for how"},
		{"marks", model(`,"byte_fallback":true},"normalizer":{"type":"Lowercase"}}`), "llama.cpp knows no"},
		{"pairs", `{"version":"1.0","normalizer":{"type":"Replace","pattern":{"String":" "},"content":"▁"},"model":` +
			`{"type":"BPE","byte_fallback":true,"vocab":{"a":0,"b":1,"ab":2},"merges":[]}}`, "are not merged"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tok, err := Parse([]byte(c.src), nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tok.GGUF(9); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}
