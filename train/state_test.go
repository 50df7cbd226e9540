package train

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"instruct/train/recipe"
)

// makeRun makes a folder that looks like a run with checkpoints of steps 3 and 6.
func makeRun(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"run.json", "metrics.jsonl", "model.safetensors", "config.json", "mine.txt",
		"checkpoint-3/state.json", "checkpoint-6/state.json", "checkpoint-6/deep/file",
		".checkpoint-9.tmp-1abc/model.safetensors", ".checkpoint-6.old-1abc/state.json"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("{}"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestPrepareOutput(t *testing.T) {
	kept := []string{"checkpoint-3", "checkpoint-6", "config.json", "metrics.jsonl", "mine.txt", "model.safetensors",
		"run.json"}
	for _, c := range []struct {
		name       string
		overwrite  bool
		checkpoint string // in the run's folder
		model      string // in the run's folder
		fails      bool
		left       []string
	}{
		{"not empty", false, "", "", true, nil},
		{"overwrite", true, "", "", false, []string{"mine.txt"}},
		{"go on", false, "checkpoint-6", "", false, kept},
		{"go on wins over overwrite", true, "checkpoint-6", "", false, kept},
		{"go on from an older one", false, "checkpoint-3", "", true, nil},
		{"tune the run in its own folder", true, "", ".", true, nil},
		{"tune its checkpoint in its folder", true, "", "checkpoint-3", true, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := makeRun(t)
			want := c.left
			if c.fails {
				want = entries(t, dir)
			}
			r := recipe.Recipe{OutputDir: dir, Overwrite: c.overwrite}
			if c.model != "" {
				r.ModelNameOrPath = filepath.Join(dir, c.model)
			}
			checkpoint := ""
			if c.checkpoint != "" {
				checkpoint = filepath.Join(dir, c.checkpoint)
			}
			err := prepareOutput(&r, checkpoint)
			if (err != nil) != c.fails {
				t.Fatalf("error %v", err)
			}
			if got := entries(t, dir); !slices.Equal(got, want) {
				t.Errorf("left are %v; want %v", got, want)
			}
		})
	}
	dir := makeRun(t)
	r := recipe.Recipe{OutputDir: t.TempDir(), Overwrite: false}
	if err := prepareOutput(&r, filepath.Join(dir, "checkpoint-3")); err != nil {
		t.Errorf("going on from another run in an empty folder: %v", err)
	}
	r.OutputDir = makeRun(t)
	if err := prepareOutput(&r, filepath.Join(dir, "checkpoint-6")); err == nil {
		t.Error("going on from another run in the folder of a third one was allowed")
	}
}

// TestResumeFindsWhatWasMovedAside resumes a run that was killed while it replaced its last checkpoint.
func TestResumeFindsWhatWasMovedAside(t *testing.T) {
	for _, resume := range []string{"true", "checkpoint-6"} {
		dir := makeRun(t)
		last := filepath.Join(dir, "checkpoint-6")
		if err := os.RemoveAll(filepath.Join(dir, ".checkpoint-6.old-1abc")); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(last, filepath.Join(dir, ".checkpoint-6.old-2")); err != nil {
			t.Fatal(err)
		}
		r := recipe.Recipe{OutputDir: dir, Resume: resume}
		if resume != "true" {
			r.Resume = last
		}
		if found, _, err := findCheckpoint(&r); err != nil || found != last {
			t.Errorf("resume_from_checkpoint %s found %q (%v), want %s", resume, found, err, last)
		}
	}
}

func entries(t *testing.T, dir string) []string {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}
