package checkpoints

import (
	"os"
	"path/filepath"
	"testing"
)

// put writes a file and its folder.
func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// holds wants a file with a text, "" for none.
func holds(t *testing.T, path, want string) {
	t.Helper()
	if got, _ := os.ReadFile(path); string(got) != want {
		t.Errorf("%s holds %q, want %q", path, got, want)
	}
}

// TestLink: what is written in one place later does not change the other.
func TestLink(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "a/b/c"), "text")
	if err := Link(filepath.Join(dir, "a"), filepath.Join(dir, "x/y")); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(filepath.Join(dir, "x/y/b/c"), []byte("other")); err != nil {
		t.Fatal(err)
	}
	holds(t, filepath.Join(dir, "a/b/c"), "text")
	holds(t, filepath.Join(dir, "x/y/b/c"), "other")
	if err := Link(filepath.Join(dir, "none"), filepath.Join(dir, "z")); err == nil {
		t.Error("nothing was linked")
	}
	if err := CopyFile(filepath.Join(dir, "a/b/c"), filepath.Join(dir, "copy")); err != nil {
		t.Fatal(err)
	}
	holds(t, filepath.Join(dir, "copy"), "text")
}

// TestReplaceDir: the new folder takes the place of the old one; what a kill leaves in between is put right.
func TestReplaceDir(t *testing.T) {
	root := t.TempDir()
	dir, made := filepath.Join(root, "run"), filepath.Join(root, ".run.new")
	put(t, filepath.Join(dir, "a"), "old")
	put(t, filepath.Join(made, "a"), "new")
	if err := ReplaceDir(dir, made); err != nil {
		t.Fatal(err)
	}
	holds(t, filepath.Join(dir, "a"), "new")
	if left, _ := filepath.Glob(filepath.Join(root, ".*")); len(left) > 0 {
		t.Errorf("%q are left", left)
	}
	if err := ReplaceDir(dir, filepath.Join(root, "none")); err == nil {
		t.Error("nothing took its place")
	}
	holds(t, filepath.Join(dir, "a"), "new")

	put(t, filepath.Join(root, ".run.old-1", "a"), "older") // it was replaced, and not deleted yet
	if err := PutBack(dir); err != nil {
		t.Fatal(err)
	}
	holds(t, filepath.Join(dir, "a"), "new")
	if err := os.Rename(dir, filepath.Join(root, ".run.old-2")); err != nil { // it was moved aside, and not replaced yet
		t.Fatal(err)
	}
	if err := PutBack(dir); err != nil {
		t.Fatal(err)
	}
	holds(t, filepath.Join(dir, "a"), "new")
	if left, _ := filepath.Glob(filepath.Join(root, ".*")); len(left) > 0 {
		t.Errorf("%q are left", left)
	}
}
