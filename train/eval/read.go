package eval

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"instruct/data"
	"instruct/data/checks"
	"instruct/data/checks/ifeval"
	"instruct/data/suite"
	"instruct/tokenizer/chat"
)

// userError is a mistake in what the user gave; the command line exits with 2.
type userError struct{ error }

func (userError) UserError() bool { return true }
func (e userError) Unwrap() error { return e.error }

func mistake(format string, args ...any) error { return userError{fmt.Errorf(format, args...)} }

// Read reads a suite: a YAML file (package suite), IFEval's JSONL (package ifeval), or any file of rows that package
// data reads, whose last answer is what is wanted. system, where it is not empty, is said first to tests that have no
// system message of their own.
func Read(ctx context.Context, path, system string) (*Suite, error) {
	s, err := read(ctx, path)
	if err != nil {
		return nil, err
	}
	if len(s.Tests) == 0 {
		return nil, mistake("suite %s has no tests", path)
	}
	s.number()
	s.say(system)
	return s, s.checkVoices()
}

// say adds a system prompt, where it is not empty, to the tests that have none.
func (s *Suite) say(system string) {
	for i := range s.Tests {
		t := &s.Tests[i]
		if system != "" && (len(t.Messages) == 0 || t.Messages[0].Role != "system") {
			t.begin(system)
		}
	}
}

// number tells tests of one name apart by their place: a correction gives several rows, which have one.
func (s *Suite) number() {
	times := map[string]int{}
	for _, t := range s.Tests {
		times[t.ID]++
	}
	for i := range s.Tests {
		if t := &s.Tests[i]; times[t.ID] > 1 {
			t.ID += fmt.Sprintf(" #%d", i+1)
		}
	}
}

func read(ctx context.Context, path string) (*Suite, error) {
	name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	switch strings.ToLower(filepath.Ext(path)) {
	case ".yaml", ".yml":
		return readYAML(name, path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, mistake("suite: %v", err)
	}
	if first, _, _ := bytes.Cut(text, []byte("\n")); bytes.Contains(first, []byte(`"instruction_id_list"`)) {
		return readIFEval(name, path, text)
	}
	rows, err := data.Load(ctx, []string{path}, "")
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		if n := len(r.Messages); n == 0 || r.Messages[n-1].Role != "assistant" {
			return nil, mistake("suite: %s: a row of a suite must end with the assistant's answer", r.Source)
		}
	}
	return ofRows(name, rows), nil
}

// readYAML reads a suite in promptfoo's format.
func readYAML(name, path string) (*Suite, error) {
	file, err := suite.Read(path)
	if err != nil {
		return nil, err
	}
	s := &Suite{Name: name}
	for _, c := range file.Cases {
		id := fmt.Sprintf("%s:%d", path, c.Line)
		if len(file.Cases) > len(file.Tests) {
			id += fmt.Sprintf(" #%d", len(s.Tests)+1)
		}
		t := Test{ID: id, Tags: file.Tests[c.Test].Tags, Messages: c.Messages, Free: c.Checks.Empty(),
			Check: func(answer string) checks.Result { return c.Checks.Judge(checks.Answer{Text: answer}) }}
		if c.Checks.NeedsLogprobs() || len(c.Checks.Margins()) > 0 {
			t.Scored = c.Checks
		}
		s.Tests = append(s.Tests, t)
	}
	return s, nil
}

// readIFEval reads prompts whose answers a program can check.
func readIFEval(name, path string, text []byte) (*Suite, error) {
	tests, err := ifeval.Read(path, bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	s := &Suite{Name: name}
	for _, t := range tests {
		s.Tests = append(s.Tests, Test{ID: fmt.Sprintf("%s key %d", path, t.Key),
			Messages: []chat.Message{{Role: "user", Content: t.Prompt}}, Free: len(t.Instructions) == 0,
			Check: func(answer string) checks.Result { return ifevalResult(t.Judge(answer)) }})
	}
	return s, nil
}

// ifevalResult gives IFEval's verdict on a prompt: it passes when every instruction is followed strictly.
func ifevalResult(v ifeval.Verdict) checks.Result {
	score := map[bool]float64{true: 1}
	r := checks.Result{Verdict: checks.Verdict{Pass: v.Strict}, Score: score[v.Strict],
		Metrics: []checks.Metric{{Name: "prompt loose", Score: score[v.Loose], Weight: 1}}}
	for _, o := range v.Instructions {
		r.Metrics = append(r.Metrics, checks.Metric{Name: "instruction strict", Score: score[o.Strict], Weight: 1},
			checks.Metric{Name: "instruction loose", Score: score[o.Loose], Weight: 1})
		r.Parts = append(r.Parts, checks.Result{Verdict: checks.Verdict{Pass: o.Strict, Reason: o.Reason},
			Score: score[o.Strict], Type: o.ID})
		if !o.Strict && r.Reason == "" {
			r.Reason = o.ID + ": " + o.Reason
		}
	}
	return r
}
