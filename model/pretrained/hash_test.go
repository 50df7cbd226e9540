package pretrained_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"instruct/model/kernel"
	"instruct/model/pretrained"
)

// TestFilesHash changes what a model is, and what it is not.
func TestFilesHash(t *testing.T) {
	dir := saved(t, tiny(t))
	hash := func(dir, template string, d kernel.DType) string {
		t.Helper()
		m, err := pretrained.Outline(dir, template)
		if err != nil {
			t.Fatal(err)
		}
		h, err := m.FilesHash(d)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	first := hash(dir, "", kernel.F32)
	elsewhere := filepath.Join(t.TempDir(), "another")
	if err := os.CopyFS(elsewhere, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	weights := filepath.Join(elsewhere, "model.safetensors")
	if err := os.Chtimes(weights, time.Unix(1, 0), time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	if hash(elsewhere, "", kernel.F32) != first {
		t.Error("a copy has another hash")
	}
	if hash(dir, "", kernel.Q8_0) == first || hash(dir, "", kernel.Q4_0) == first ||
		hash(dir, "chatml", kernel.F32) == first {
		t.Error("another format of weights or another template has the same hash")
	}
	for _, name := range []string{"model.safetensors", "config.json"} {
		path := filepath.Join(elsewhere, name)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		last := len(text) - 1 // the end of a tensor, or a line feed
		text[last] ^= '\n' ^ ' '
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
		if hash(elsewhere, "", kernel.F32) == first {
			t.Errorf("with another %s the hash is the same", name)
		}
		text[last] ^= '\n' ^ ' '
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := tiny(t).FilesHash(kernel.F32); err == nil {
		t.Error("a model from scratch has a hash of its files")
	}
}
