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
