package tokenizer

import (
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	"instruct/tokenizer/file"
)

// FromGGUF makes a tokenizer from the vocabulary of a GGUF file. It builds the tokenizer.json that the file was made
// from, as far as the metadata tells, so that [Tokenizer.Save] writes a folder which other programs load.
func FromGGUF(v file.GGUF) (*Tokenizer, error) {
	v.Tokens = uniqueTokens(v.Tokens)
	data, conf, err := v.Files()
	if err != nil {
		return nil, err
	}
	t, err := Parse(data, conf)
	if err != nil {
		return nil, fmt.Errorf("tokenizer: GGUF: %w", err)
	}
	t.config.chatTemplate = v.ChatTemplate
	for _, name := range slices.Sorted(maps.Keys(v.NamedTemplates)) {
		if name != "default" || v.ChatTemplate == "" {
			t.config.setTemplate(name, v.NamedTemplates[name])
		}
	}
	return t, nil
}

// uniqueTokens gives names to tokens that have the text of an earlier one, which no text can produce, and makes broken
// UTF-8 whole, since JSON can hold neither.
func uniqueTokens(tokens []string) []string {
	seen := make(map[string]bool, len(tokens))
	out := slices.Clone(tokens)
	for i, s := range out {
		if !utf8.ValidString(s) {
			b, _ := appendLossy(nil, []byte(s), true)
			s = string(b)
		}
		if seen[s] {
			s = fmt.Sprintf("<|duplicate_%d|>", i)
		}
		seen[s] = true
		out[i] = s
	}
	return out
}
