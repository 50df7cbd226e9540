package tokenizer

import (
	"os"
	"path/filepath"
	"testing"

	"instruct/tokenizer/internal/fixture"
)

// BenchmarkEncode encodes a book on one goroutine.
func BenchmarkEncode(b *testing.B) {
	book, err := os.ReadFile(fixture.Path(b, "corpus", "children", "Lewis Carroll", "Alice's Adventures in Wonderland.md"))
	if err != nil {
		b.Fatal(err)
	}
	for _, name := range []string{"tokenizers/gpt2", "tokenizers/smollm2", "tokenizers/qwen2_5", "models/stories260K-hf"} {
		b.Run("tokenizer="+filepath.Base(name), func(b *testing.B) {
			tok := load(b, fixture.Path(b, filepath.FromSlash(name)))
			var tokens []Token
			text := string(book)
			b.SetBytes(int64(len(book)))
			b.ReportAllocs()
			for b.Loop() {
				tokens = tok.Append(tokens[:0], text, false)
			}
			b.ReportMetric(float64(len(tokens))*float64(b.N)/b.Elapsed().Seconds(), "tokens/s")
		})
	}
}

// BenchmarkDecode decodes a book's tokens.
func BenchmarkDecode(b *testing.B) {
	book, err := os.ReadFile(fixture.Path(b, "corpus", "children", "Lewis Carroll", "Alice's Adventures in Wonderland.md"))
	if err != nil {
		b.Fatal(err)
	}
	for _, name := range []string{"tokenizers/gpt2", "models/stories260K-hf"} {
		b.Run("tokenizer="+filepath.Base(name), func(b *testing.B) {
			tok := load(b, fixture.Path(b, filepath.FromSlash(name)))
			ids := tok.Encode(string(book), false)
			b.SetBytes(int64(len(book)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := tok.Decode(ids, false); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkLoad reads a tokenizer folder.
func BenchmarkLoad(b *testing.B) {
	for _, name := range []string{"gpt2", "qwen2_5"} {
		b.Run("tokenizer="+name, func(b *testing.B) {
			dir := fixture.Path(b, "tokenizers", name)
			for b.Loop() {
				load(b, dir)
			}
		})
	}
}
