package train

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestPage: the page of a run has what it was made of, and nothing that a browser would fetch or run.
func TestPage(t *testing.T) {
	r := set(t, quick(t), "max_steps", "3", "save_steps", "3")
	res := mustRun(t, r)
	text, err := os.ReadFile(filepath.Join(r.OutputDir, pageFile))
	if err != nil {
		t.Fatal(err)
	}
	var again bytes.Buffer
	if err := WritePage(&again, r.OutputDir); err != nil {
		t.Fatal(err)
	}
	for _, page := range []string{string(text), again.String()} {
		for _, want := range []string{res.WeightsHash, r.Dataset[0], "learning_rate", `src="data:image/svg`, "<mark>",
			"instruct verify " + filepath.Base(r.OutputDir), "trained tokens"} {
			if !strings.Contains(page, want) {
				t.Errorf("the page has no %q", want)
			}
		}
		for _, bad := range []string{"<script", "http:", "https:", "%!", "0xc0"} {
			if strings.Contains(page, bad) {
				t.Errorf("the page has %q", bad)
			}
		}
	}
	if !strings.Contains(again.String(), "--head ") {
		t.Error("a page that is written later has no head")
	}
	if err := WritePage(&again, t.TempDir()); err == nil || !strings.Contains(err.Error(), "name the folder of a run") {
		t.Errorf("of no run: %v", err)
	}
}

// TestPageEscapes: what data say is text.
func TestPageEscapes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows.jsonl")
	row := `{"prompt":"<script>alert(1)</script>","completion":"</style><img src=x onerror=a>"}` + "\n"
	if err := os.WriteFile(path, []byte(strings.Repeat(row, 4)), 0o666); err != nil {
		t.Fatal(err)
	}
	r := set(t, quick(t), "dataset", path, "eval_fraction", "0", "max_steps", "1")
	mustRun(t, r)
	text, err := os.ReadFile(filepath.Join(r.OutputDir, pageFile))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "<script") || strings.Contains(string(text), "<img src=x") ||
		!strings.Contains(string(text), "&lt;script&gt;alert(1)") {
		t.Error("a row is not shown as text")
	}
}

// TestCard: front matter that huggingface_hub reads, and a card that a person wrote stays.
func TestCard(t *testing.T) {
	base := t.TempDir()
	if got := licenseOf(base); got != "" {
		t.Errorf("a folder without a card has the license %q", got)
	}
	write := func(dir, text string) {
		if err := os.WriteFile(filepath.Join(dir, cardFile), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write(base, "---\nlanguage: en\nlicense: apache-2.0\n---\n# M\nlicense: none\n")
	if got := licenseOf(base); got != "apache-2.0" {
		t.Errorf("the license is %q", got)
	}
	r := set(t, quick(t), "max_steps", "1")
	mustRun(t, r)
	read := func() string {
		text, err := os.ReadFile(filepath.Join(r.OutputDir, cardFile))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	front := regexp.MustCompile("(?s)^---\n(.*?)\n---\n\n" + regexp.QuoteMeta(cardMark) + "\n").FindStringSubmatch(read())
	if front == nil {
		t.Fatal(read())
	}
	want := "library_name: transformers\npipeline_tag: text-generation\ndatasets:\n- " +
		quoted(filepath.Base(r.Dataset[0])) + "\ntags:\n- instruct\n- instruction-tuning\n- sft"
	if got := regexp.MustCompile("base_model: .*\n").ReplaceAllString(front[1], ""); got != want {
		t.Errorf("front matter\n%s\nwant\n%s", got, want)
	}
	mustRun(t, r) // another run takes the place of it, and of its card
	if !strings.Contains(read(), cardMark) {
		t.Error("no card")
	}
	write(r.OutputDir, "my own words")
	mustRun(t, r)
	if got := read(); got != "my own words" {
		t.Errorf("a person's card became %.80q", got)
	}
}
