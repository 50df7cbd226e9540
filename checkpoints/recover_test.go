package checkpoints

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestRecover makes what a kill at each point of a save leaves behind.
func TestRecover(t *testing.T) {
	for _, c := range []struct {
		name      string
		before    []string // files
		recovered []string // entries of the run
		cleaned   []string
	}{
		{"while writing", []string{"checkpoint-3/state.json", ".checkpoint-6.tmp-1a/model.safetensors"},
			[]string{".checkpoint-6.tmp-1a", "checkpoint-3"}, []string{"checkpoint-3"}},
		{"between the renames", []string{".checkpoint-6.old-2b/state.json", ".checkpoint-6.tmp-1a/state.json"},
			[]string{".checkpoint-6.tmp-1a", "checkpoint-6"}, []string{"checkpoint-6"}},
		{"after the renames", []string{"checkpoint-6/state.json", ".checkpoint-6.old-2b/state.json"},
			[]string{".checkpoint-6.old-2b", "checkpoint-6"}, []string{"checkpoint-6"}},
		{"half removed", []string{".checkpoint-6.old-2b/config.json"}, []string{".checkpoint-6.old-2b"}, nil},
		{"the user's own", []string{".checkpoint-6", ".checkpoint-6.old-notes", ".mine.old-1/a", "checkpoint-x/a"},
			[]string{".checkpoint-6", ".checkpoint-6.old-notes", ".mine.old-1", "checkpoint-x"},
			[]string{".checkpoint-6", ".checkpoint-6.old-notes", ".mine.old-1", "checkpoint-x"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "run [1]")
			for _, name := range c.before {
				path := filepath.Join(dir, name)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, nil, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			for _, step := range []struct {
				do   func(string) error
				want []string
			}{{Recover, c.recovered}, {Recover, c.recovered}, {Clean, c.cleaned}} {
				if err := step.do(dir); err != nil {
					t.Fatal(err)
				}
				list, err := os.ReadDir(dir)
				if err != nil {
					t.Fatal(err)
				}
				var names []string
				for _, e := range list {
					names = append(names, e.Name())
				}
				if !slices.Equal(names, step.want) {
					t.Fatalf("the run has %v, want %v", names, step.want)
				}
			}
		})
	}
	for _, do := range []func(string) error{Recover, Clean} {
		if err := do(filepath.Join(t.TempDir(), "none")); err != nil {
			t.Error(err)
		}
	}
}

// TestSweep: what is temporary goes, in whatever folder, and nothing else.
func TestSweep(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{".001.tmp-1a/model.safetensors", "001/a", ".hidden/b", ".002.old-1a/c"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{".ledger.jsonl.tmp-zz", ".tmp-1", "a.tmp-1", ".notes.tmp-Mine"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := Sweep(dir); err != nil {
		t.Fatal(err)
	}
	wantNames(t, dir, ".002.old-1a", ".hidden", ".notes.tmp-Mine", ".tmp-1", "001", "a.tmp-1")
	if err := Sweep(filepath.Join(dir, "none")); err != nil {
		t.Error(err)
	}
}

// TestNewDir: a folder that is there stays as it is.
func TestNewDir(t *testing.T) {
	dst := filepath.Join(t.TempDir(), "b")
	if err := NewDir(dst, saveWith("first")); err != nil {
		t.Fatal(err)
	}
	if err := NewDir(dst, saveWith("second")); err == nil {
		t.Error("the folder was made twice")
	}
	wantContent(t, filepath.Join(dst, "a", "b", "c"), "first")
	wantNames(t, filepath.Dir(dst), "b")
}
