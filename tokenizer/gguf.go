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

// GGUF gives the vocabulary that a GGUF file has for the tokenizer and a model with size rows of embedding, which is at
// least [Tokenizer.VocabSize]: the reverse of [FromGGUF]. What such a file cannot say is refused.
func (t *Tokenizer) GGUF(size int) (file.GGUF, error) {
	f, err := file.Parse(t.raw)
	if err != nil {
		return file.GGUF{}, err
	}
	tokens := slices.Concat(t.tokens, make([]string, max(0, size-len(t.tokens))))
	v, err := f.ToGGUF(tokens, t.added)
	if err != nil {
		return v, err
	}
	for _, named := range []struct {
		text string
		to   *int
	}{{t.config.bos, &v.BOS}, {t.config.eos, &v.EOS}, {t.config.unk, &v.UNK}, {t.config.pad, &v.PAD}} {
		if id, ok := t.named(named.text); ok {
			*named.to = int(id)
		}
	}
	if len(t.before) > 1 || len(t.after) > 1 {
		return v, mistake("tokenizer: %d tokens are put before a text and %d behind it; a GGUF file can say one of each; "+
			"export with --to hf", len(t.before), len(t.after))
	}
	for _, id := range t.before {
		v.BOS, v.AddBOS = int(id), true
	}
	for _, id := range t.after {
		v.EOS, v.AddEOS = int(id), true
	}
	v.ChatTemplate = t.config.chatTemplate
	for _, more := range t.config.moreTemplates {
		if v.NamedTemplates == nil {
			v.NamedTemplates = map[string]string{}
		}
		v.NamedTemplates[more.Name] = more.Template
	}
	return v, nil
}
