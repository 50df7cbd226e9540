package openai

import (
	"strings"
	"unicode/utf8"

	"instruct/tokenizer"
)

// labels give tokens a text of their own, for lists of tokens.
type labels struct {
	tokenizer *tokenizer.Tokenizer
	before    []int32 // a token that a label is decoded behind: alone, some decoders would strip its space
	text      string  // of before
}

func newLabels(t *tokenizer.Tokenizer) labels {
	l := labels{tokenizer: t, before: t.Encode("a", false)}
	l.text, _ = t.Decode(l.before, false)
	return l
}

// of is what the token adds to a text; whole is false where that is no text, and the label is the token as
// tokenizer.json writes it.
func (l *labels) of(id int32) (label string, whole bool) {
	text, err := l.tokenizer.Decode(append(l.before[:len(l.before):len(l.before)], id), false)
	text = strings.TrimPrefix(text, l.text)
	if err != nil || strings.ContainsRune(text, utf8.RuneError) {
		return l.tokenizer.TokenText(id), false
	}
	return text, true
}
