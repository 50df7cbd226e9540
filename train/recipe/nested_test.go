package recipe

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestColumnsInRecipes(t *testing.T) {
	want := pairs{"prompt": "Customer", "completion": "Agent"}
	for _, text := range []string{
		"columns: {prompt: Customer, completion: Agent}",
		"columns:\n  prompt: Customer\n  completion: 'Agent'",
		"columns: prompt=Customer, completion=Agent",
		`columns: '{"prompt": "Customer", "completion": "Agent"}'`,
	} {
		r := Default()
		if _, err := r.ParseYAML("r.yaml", []byte(text)); err != nil || !maps.Equal(r.Columns, want) {
			t.Errorf("%s: %v, %v", text, r.Columns, err)
		}
		saved, err := r.YAML()
		again := Default()
		if err == nil {
			_, err = again.ParseYAML("r.yaml", saved)
		}
		if err != nil || !maps.Equal(again.Columns, want) {
			t.Errorf("%s, saved: %v, %v", text, again.Columns, err)
		}
		if key, _, _ := again.Changed(&r, nil); key != "" {
			t.Errorf("%s changed", key)
		}
		again.Columns = pairs{"prompt": "Customer"}
		if key, now, before := again.Changed(&r, nil); key != "columns" || now == before {
			t.Errorf("%s: %s, %s", key, now, before)
		}
	}
	for _, text := range []string{"columns: Customer", "columns: [a=b, c]", "columns: {prompt: [a]}",
		`columns: '{"prompt": ["a"]}'`, `columns: '{"prompt": "a"'`} {
		r := Default()
		if _, err := r.ParseYAML("r.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), "r.yaml:1: ") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// A comma divides names, except in the name of a file that exists.
func TestCommasInRecipes(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("a,b.jsonl", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string][]string{
		"dataset: a,b.jsonl":           {"a,b.jsonl"},
		"dataset: 'a,b.jsonl,c.jsonl'": {"a,b.jsonl", "c.jsonl"},
		"dataset: [a,b.jsonl]":         {"a", "b.jsonl"},
		"dataset: ['a,b.jsonl']":       {"a,b.jsonl"},
		"dataset:\n  - a,b.jsonl\n":    {"a,b.jsonl"},
		"dataset: x,y":                 {"x", "y"},
	} {
		r := Default()
		if _, err := r.ParseYAML("r.yaml", []byte(text)); err != nil || !slices.Equal(r.Dataset, want) {
			t.Errorf("%s: %q, %v", text, r.Dataset, err)
		}
	}
	r := Default()
	if err := r.Set("dataset", "c.jsonl,a,b.jsonl"); err != nil ||
		!slices.Equal(r.Dataset, []string{"c.jsonl", "a,b.jsonl"}) {
		t.Errorf("a flag: %q, %v", r.Dataset, err)
	}
}

func TestScheduleInRecipes(t *testing.T) {
	for _, text := range []string{"lr_scheduler_kwargs: {min_lr_rate: 0.1}", "lr_scheduler_kwargs:\n  min_lr_rate: 0.1",
		"lr_scheduler_kwargs: min_lr_rate=0.1", `lr_scheduler_kwargs: '{"min_lr_rate": 0.1}'`} {
		r := Default()
		_, err := r.ParseYAML("r.yaml", []byte("lr_scheduler_type: cosine_with_min_lr\nwarmup_steps: 2\n"+text))
		if err != nil {
			t.Fatal(err)
		}
		s, err := r.Schedule(100)
		if err != nil || s.Rate(3) != r.LearningRate || s.Rate(101) < 0.0999*r.LearningRate {
			t.Errorf("%s: %v, rates %g and %g", text, err, s.Rate(3), s.Rate(101))
		}
	}
	r := Default()
	r.Dataset, r.ModelNameOrPath, r.SchedulerSet = []string{"a"}, "m", pairs{"power": "2"}
	if err := r.Validate(); err == nil || !strings.Contains(err.Error(), `has "power"; linear takes none`) {
		t.Error(err)
	}
}

func TestStageList(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "book.txt"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "recipe.yaml")
	text := "model_name_or_path: m\nlearning_rate: 1e-3\nstages:\n  - dataset: book.txt\n    learning_rate: 2e-5\n" +
		"  - {dataset: [a.jsonl, b.jsonl], lr-scheduler-type: cosine}\n"
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	r := Default()
	if _, err := r.Read(path); err != nil {
		t.Fatal(err)
	}
	stages, err := r.StageList()
	if err != nil || len(stages) != 2 {
		t.Fatalf("%d stages, %v", len(stages), err)
	}
	if s := stages[0]; s.Dataset[0] != filepath.Join(dir, "book.txt") || s.LearningRate != 2e-5 ||
		s.Scheduler != "linear" {
		t.Errorf("the first stage is %+v", s)
	}
	if s := stages[1]; !slices.Equal(s.Dataset, []string{"a.jsonl", "b.jsonl"}) || s.LearningRate != 1e-3 ||
		s.Scheduler != "cosine" || s.Stages != "" {
		t.Errorf("the second stage is %+v", s)
	}
	saved, err := r.YAML()
	again := Default()
	if err == nil {
		_, err = again.ParseYAML("r.yaml", saved)
	}
	if key, now, before := again.Changed(&r, nil); err != nil || key != "" {
		t.Errorf("saved and read again: %v, %s is %s and was %s", err, key, now, before)
	}
}
