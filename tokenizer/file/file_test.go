package file

import (
	"os"
	"path/filepath"
	"testing"
)

// Scores are read as the Rust library reads them; the pairs are what it writes and what it makes of that.
func TestNumber(t *testing.T) {
	for src, want := range map[string]float64{
		"-3.7327528926797964": -3.732752892679797, "-7.2268301386344955": -7.226830138634496, "0": 0, "-0.0": 0, "12": 12,
		"1.5e2": 150, "-2.5E-3": -0.0025,
		"123456789012345678901234567890.5": 123456789012345678901234567890, "5e-324": 5e-324, "1e-400": 0,
	} {
		r := jsonReader{name: "x", s: src}
		if got, err := r.number(); err != nil || got != want || r.i != len(src) {
			t.Errorf("%s is read as %v, %v, want %v", src, got, err, want)
		}
	}
	for _, src := range []string{"", "-", "1.2.3", "1e999", "e"} {
		r := jsonReader{name: "x", s: src}
		if got, err := r.number(); err == nil {
			t.Errorf("%q is read as %v", src, got)
		}
	}
}

// FuzzSentencePiece reads broken tokenizer.model files.
func FuzzSentencePiece(f *testing.F) {
	for _, name := range []string{"bpe.model", "unigram.model"} {
		data, err := os.ReadFile(filepath.Join("..", "testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := parseSPM(data)
		if err == nil && m.kind == spmBPE && len(data) < 1<<14 {
			m.merges()
		}
	})
}
