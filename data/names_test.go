package data

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

func TestNames(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv("HOME", dir)
	for _, name := range []string{"a.jsonl", "b.csv", "a,b.jsonl", "x*.jsonl", "notes.md", ".hidden.jsonl",
		"d/2.jsonl", "d/1.json.gz", "d/README.md", "~x.jsonl", "book.xlsx", "odd.xlsx#1.jsonl"} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct{ name, names, want string }{
		{"a file", "a.jsonl", "a.jsonl"},
		{"two with a comma", "a.jsonl,b.csv", "a.jsonl b.csv"},
		{"blanks", " a.jsonl , b.csv ,", "a.jsonl b.csv"},
		{"a comma in the name", "a,b.jsonl", "a,b.jsonl"},
		{"both", "b.csv,a,b.jsonl,a.jsonl", "b.csv a,b.jsonl a.jsonl"},
		{"absent ones with a comma", "y,z.jsonl", "y z.jsonl"},
		{"a folder", "d", "d/1.json.gz d/2.jsonl"},
		{"a pattern", "[ab].*", "a.jsonl b.csv"},
		{"a pattern with other files", "[bno]*", "b.csv book.xlsx odd.xlsx#1.jsonl"},
		{"a pattern of other files", "*.md", "notes.md"},
		{"a name like a pattern", "x*.jsonl", "x*.jsonl"},
		{"home", "~/a.jsonl", filepath.Join(dir, "a.jsonl")},
		{"home folder", "~/d", filepath.Join(dir, "d/1.json.gz") + " " + filepath.Join(dir, "d/2.jsonl")},
		{"no home", "~x.jsonl", "~x.jsonl"},
		{"standard input", "-", "-"},
		{"a sheet", "book.xlsx#My, sheet", "book.xlsx#My, sheet"},
		{"absent", "none.jsonl", "none.jsonl"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := Expand([]string{test.names})
			if err != nil || strings.Join(got, " ") != test.want {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
	got, err := OnDisk([]string{"-", "book.xlsx#a", "book.xlsx#b", "d", "d/2.jsonl"})
	if want := []string{"book.xlsx", "d/1.json.gz", "d/2.jsonl"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("on disk: %q, %v", got, err)
	}
}

// packed compresses a text.
func packed(t *testing.T, extension, text string) string {
	t.Helper()
	var b bytes.Buffer
	var w io.WriteCloser
	var err error
	switch extension {
	case ".gz":
		w = gzip.NewWriter(&b)
	case ".zst":
		w, err = zstd.NewWriter(&b)
	case ".xz":
		w, err = xz.NewWriter(&b)
	}
	if err == nil {
		_, err = io.WriteString(w, text)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestPacked(t *testing.T) {
	const text = "{\"text\":\"é\"}\n{\"text\":\"b\"}\n"
	for _, extension := range []string{".gz", ".zst", ".xz"} {
		content := packed(t, extension, text)
		for _, name := range []string{"r.jsonl" + extension, "r.ndjson" + strings.ToUpper(extension), "r.jsonl",
			"r.json" + extension} {
			path := write(t, name, content)
			if rows := load(t, path); len(rows) != 2 || rows[0].Text != "é" || rows[1].Source != path+":2" {
				t.Errorf("%s: %+v", name, rows)
			}
		}
		if rows := load(t, write(t, "r.csv"+extension, packed(t, extension, "\ufefftext\né\n"))); rows[0].Text != "é" {
			t.Errorf("CSV in %s: %+v", extension, rows)
		}
		cut := write(t, "r.jsonl"+extension, content[:len(content)-5])
		_, err := Load(context.Background(), []string{cut}, "")
		if err == nil || !isUserError(err) || !strings.Contains(err.Error(), cut) {
			t.Errorf("a cut file%s gives %v", extension, err)
		}
	}
	if rows := load(t, write(t, "r.jsonl.gz", text)); len(rows) != 2 {
		t.Errorf("a file that is not packed: %+v", rows)
	}
}

func TestStdin(t *testing.T) {
	for name, text := range map[string]string{
		"JSONL": "{\"text\":\"a\"}\n", "JSON": " [{\"text\":\"a\"}]", "CSV": "text\na\n", "TSV": "text\tx\na\tb\n",
		"packed": packed(t, ".gz", "{\"text\":\"a\"}\n"),
	} {
		rows, err := LoadWith(context.Background(), []string{"-"}, Options{Stdin: strings.NewReader(text)})
		if err != nil || len(rows) != 1 || rows[0].Text != "a" || !strings.HasPrefix(rows[0].Source, "-:") {
			t.Errorf("%s: %+v, %v", name, rows, err)
		}
	}
	for text, want := range map[string]string{"": "(-) is empty", "PAR1...": "is no text", "PK\x03\x04": "is no text"} {
		_, err := LoadWith(context.Background(), []string{"-"}, Options{Stdin: strings.NewReader(text)})
		if err == nil || !isUserError(err) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q gives %v", text, err)
		}
	}
	_, err := Load(context.Background(), []string{"-", "-"}, "")
	if err == nil || !strings.Contains(err.Error(), "once only") {
		t.Errorf("twice: %v", err)
	}
}
