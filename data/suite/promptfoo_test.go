package suite

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"instruct/data/checks"
	"instruct/tokenizer/chat"
)

// TestPromptfoo judges stored answers as promptfoo did; testdata/promptfoo/make.sh made its verdicts.
func TestPromptfoo(t *testing.T) {
	comparePromptfoo(t, filepath.Join("testdata", "promptfoo"))
}

func comparePromptfoo(t *testing.T, dir string) {
	t.Helper()
	s, err := Read(filepath.Join(dir, "suite.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	type answer struct {
		ID, Text string
		Logprobs []float64
	}
	answers, verdicts := lines[answer](t, dir, "answers.jsonl"), lines[verdict](t, dir, "verdicts.jsonl")
	if len(s.Cases) != len(answers) || len(answers) != len(verdicts) {
		t.Fatalf("%d cases, %d answers, %d verdicts", len(s.Cases), len(answers), len(verdicts))
	}
	for i, c := range s.Cases {
		a, want := answers[i], verdicts[i]
		if c.Vars[0].Value != a.ID || a.ID != want.ID {
			t.Fatalf("case %d: ids %s, %s, %s", i, c.Vars[0].Value, a.ID, want.ID)
		}
		want.compare(t, c, c.Checks.Judge(checks.Answer{Text: a.Text, Logprobs: a.Logprobs}))
	}
}

// verdict is promptfoo's.
type verdict struct {
	ID    string
	Pass  bool
	Score float64
	Error string
	Parts [][2]any // pass and score; those of an assert-set follow it
	Named map[string]float64
}

func (want verdict) compare(t *testing.T, c Case, got checks.Result) {
	t.Helper()
	const tolerance = 1e-9
	if want.Error != "" {
		t.Errorf("line %d: promptfoo failed: %s", c.Line, want.Error)
		return
	}
	if got.Pass != want.Pass || math.Abs(got.Score-want.Score) > tolerance {
		t.Errorf("line %d, %s: %v %v (%s), want %+v", c.Line, want.ID, got.Pass, got.Score, got.Reason, want)
	}
	parts := flattened(got.Parts)
	if len(parts) != len(want.Parts) {
		t.Fatalf("line %d, %s: %d parts, want %d", c.Line, want.ID, len(parts), len(want.Parts))
	}
	for j, p := range parts {
		w := want.Parts[j]
		if p.Pass != w[0].(bool) || math.Abs(p.Score-w[1].(float64)) > tolerance {
			t.Errorf("line %d, %s, part %d, %s: %v %v (%s), want %v", c.Line, want.ID, j, p.Type, p.Pass, p.Score, p.Reason, w)
		}
	}
	if len(got.Metrics) != len(want.Named) {
		t.Errorf("line %d, %s: metrics %v, want %v", c.Line, want.ID, got.Metrics, want.Named)
	}
	for _, m := range got.Metrics {
		if w, ok := want.Named[m.Name]; !ok || math.Abs(m.Score-w) > tolerance {
			t.Errorf("line %d, %s: metric %v, want %v", c.Line, want.ID, m, w)
		}
	}
}

// TestPromptfooCases asks what promptfoo asks, in its order, and judges what its echo provider answers.
func TestPromptfooCases(t *testing.T) {
	dir := filepath.Join("testdata", "promptfoo")
	s, err := Read(filepath.Join(dir, "cases.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	type asked struct {
		verdict
		Prompt, Text string
		Metadata     any
	}
	all := lines[asked](t, dir, "cases.jsonl")
	if len(all) != len(s.Cases) {
		t.Fatalf("%d cases, want %d", len(s.Cases), len(all))
	}
	for i, c := range s.Cases {
		want := all[i]
		messages := []chat.Message{{Role: "user", Content: want.Prompt}}
		if strings.HasPrefix(want.Prompt, "[") {
			if err := json.Unmarshal([]byte(want.Prompt), &messages); err != nil {
				t.Fatal(err)
			}
		}
		if !reflect.DeepEqual(c.Messages, messages) {
			t.Errorf("case %d: messages %+v, want %+v", i, c.Messages, messages)
		}
		var metadata any
		if err := json.Unmarshal(s.Tests[c.Test].Metadata, &metadata); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(metadata, want.Metadata) {
			t.Errorf("case %d: metadata %v, want %v", i, metadata, want.Metadata)
		}
		want.compare(t, c, c.Checks.Judge(checks.Answer{Text: want.Text}))
	}
}

// flattened lists the parts of a result as promptfoo does, those of an assert-set after it.
func flattened(parts []checks.Result) []checks.Result {
	var out []checks.Result
	for _, p := range parts {
		out = append(append(out, p), p.Parts...)
	}
	return out
}

// lines reads a JSONL file.
func lines[T any](t *testing.T, dir, name string) []T {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	var out []T
	for d := json.NewDecoder(bytes.NewReader(data)); d.More(); {
		var v T
		if err := d.Decode(&v); err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}
