package tokenizer

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// widen gives tokens the ranges of whole runes: where a normalizer changes nothing in a chunk, a token that is part of
// a rune has the range of its bytes, otherwise that of the rune.
func widen(text string, tokens []Token) []Token {
	for i := range tokens {
		token := &tokens[i]
		for token.Start < token.End && !utf8.RuneStart(text[token.Start]) {
			token.Start--
		}
		for token.End > token.Start && token.End < len(text) && !utf8.RuneStart(text[token.End]) {
			token.End++
		}
	}
	return tokens
}

// Encoded in chunks, a text has the tokens and ranges that it has encoded as one.
func TestChunks(t *testing.T) {
	files := map[string][]byte{}
	g := readGolden(t)
	for _, v := range g.Variants {
		files[v.Name] = g.variant(t, v.Base, v.Changes)
	}
	vectors := readModels(t)
	for _, v := range vectors.Variants {
		files[v.Name] = v.File
	}
	parts := append(strings.Fields(g.Prose), slices.Concat(g.Texts, vectors.Texts)...)
	parts = append(parts, " ", "  ", "   ", "\n", "\t", "▁", "▁▁", "\u00a0", "\u0301", "\u200d", "``", "''", "12",
		"345", "é", "\u00ad", "x\xff", "!", ", ", ".")
	texts := 400
	if testing.Short() { // the race detector makes it slow
		texts = 40
	}
	inChunks := 0
	for name, file := range files {
		whole, err := Parse(file, nil)
		if err != nil {
			t.Fatal(err)
		}
		if whole.chunks == nil {
			continue
		}
		inChunks++
		tok, err := Parse(file, nil)
		if err != nil {
			t.Fatal(err)
		}
		whole.chunks = nil
		r := rand.New(rand.NewPCG(1, 2))
		for range texts {
			var b strings.Builder
			for range 1 + r.IntN(20) {
				b.WriteString(parts[r.IntN(len(parts))])
				if r.IntN(2) == 0 {
					b.WriteByte(' ')
				}
			}
			text := b.String()
			got, want := widen(text, tok.Append(nil, text, true)), widen(text, whole.Append(nil, text, true))
			if !slices.Equal(got, want) {
				t.Fatalf("%s: %q\ngot  %v\nwant %v", name, text, got, want)
			}
			ids := tok.Encode(text, true)
			if len(ids) != len(want) || !slices.EqualFunc(ids, want, func(id int32, w Token) bool { return id == w.ID }) {
				t.Fatalf("%s: %q\ngot  %v\nwant %v", name, text, ids, want)
			}
		}
	}
	if inChunks < 20 {
		t.Errorf("only %d of %d tokenizers encode in chunks", inChunks, len(files))
	}
}
