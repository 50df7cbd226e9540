package tokenizer

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"instruct/tokenizer/internal/fixture"
)

// modelVectors is testdata/models.json, made by testdata/models.py with the Rust library and transformers.
type modelVectors struct {
	Texts    []string `json:"texts"`
	Variants []struct {
		Name string               `json:"name"`
		File json.RawMessage      `json:"file"`
		Rows [][5]json.RawMessage `json:"rows"`
	} `json:"variants"`
	Folders []struct {
		Name   string               `json:"name"`
		Files  map[string]string    `json:"files"`
		Config json.RawMessage      `json:"config"`
		Rows   [][5]json.RawMessage `json:"rows"`
	} `json:"folders"`
}

func readModels(t testing.TB) *modelVectors {
	t.Helper()
	v := new(modelVectors)
	fixture.ReadJSON(t, "testdata/models.json", v)
	return v
}

// checkRows compares what a tokenizer makes of the texts.
func checkRows(t *testing.T, tok *Tokenizer, name string, texts []string, rows [][5]json.RawMessage) {
	t.Helper()
	if len(rows) != len(texts) || len(rows) == 0 {
		t.Fatalf("%d rows for %d texts", len(rows), len(texts))
	}
	for i, text := range texts {
		c := expectation{Name: name, Text: text}
		for k, to := range []any{&c.IDs, &c.Offsets, &c.IDsSpecial, &c.Decode, &c.DecodeSkip} {
			if err := json.Unmarshal(rows[i][k], to); err != nil {
				t.Fatal(err)
			}
		}
		checkExpectation(t, tok, c)
	}
}

func TestModels(t *testing.T) {
	vectors := readModels(t)
	for _, v := range vectors.Variants {
		t.Run(v.Name, func(t *testing.T) {
			tok, err := Parse(v.File, nil)
			if err != nil {
				t.Fatal(err)
			}
			checkRows(t, tok, v.Name, vectors.Texts, v.Rows)
		})
	}
}

func TestLegacyFolders(t *testing.T) {
	vectors := readModels(t)
	for _, v := range vectors.Folders {
		t.Run(v.Name, func(t *testing.T) {
			dir := t.TempDir()
			v.Files["tokenizer_config.json"] = string(v.Config)
			writeFolder(t, dir, v.Files)
			tok := load(t, dir)
			checkRows(t, tok, v.Name, vectors.Texts, v.Rows)
			// What is saved has a tokenizer.json and is the same tokenizer.
			saved := t.TempDir()
			if err := tok.Save(saved, fixture.Write); err != nil {
				t.Fatal(err)
			}
			back := load(t, saved)
			if back.Hash() != tok.Hash() {
				t.Error("the saved tokenizer is another one")
			}
			checkRows(t, back, v.Name, vectors.Texts, v.Rows)
		})
	}
}

// writeFolder writes files; the text of one that ends in .model names a file of testdata.
func writeFolder(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		data := []byte(text)
		if strings.HasSuffix(text, ".model") {
			var err error
			if data, err = os.ReadFile(filepath.Join("testdata", text)); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLegacyErrors(t *testing.T) {
	const conf = "tokenizer_config.json"
	for _, c := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"class", map[string]string{"tokenizer.model": "bpe.model", conf: `{"tokenizer_class":"AlbertTokenizer"}`},
			`"AlbertTokenizer" is not supported`},
		{"class of bytes", map[string]string{"vocab.json": "{}", "merges.txt": "",
			conf: `{"tokenizer_class":"WhisperTokenizer"}`}, `"WhisperTokenizer" is not supported`},
		{"kind", map[string]string{"tokenizer.model": "unigram.model", conf: `{"tokenizer_class":"LlamaTokenizer"}`},
			"does not go with model_type 1"},
		{"not a model", map[string]string{"tokenizer.model": "version https://git-lfs.github.com/spec/v1"},
			"is not a SentencePiece model"},
		{"empty model", map[string]string{"tokenizer.model": ""}, "no pieces"},
		{"configuration", map[string]string{"tokenizer.model": "bpe.model", conf: `{`}, "tokenizer_config.json: cut short"},
		{"merges", map[string]string{"vocab.json": `{"a":0}`, "merges.txt": "#version: 0.2\na b c\n"}, "merges.txt:2:"},
		{"ids", map[string]string{"vocab.json": `{"a":1}`, "merges.txt": ""}, "no token has the id 0"},
		{"huge id", map[string]string{"vocab.json": `{"a":1000000000}`, "merges.txt": ""}, "out of range"},
		{"vocab.json", map[string]string{"vocab.json": `{"a":`, "merges.txt": ""}, "cut short"},
		{"vocab.txt", map[string]string{"vocab.txt": "a\n"}, `"[CLS]" is not in the vocabulary`},
		{"twice", map[string]string{"vocab.txt": "a\na\n"}, "only 1 different tokens"},
		{"added id", map[string]string{"tokenizer.model": "bpe.model", "added_tokens.json": `{"<x>":77}`},
			`"<x>" has the id 77`},
	} {
		dir := t.TempDir()
		writeFolder(t, dir, c.files)
		_, err := Load(dir)
		wantUserError(t, c.name, err, c.want)
	}
}
