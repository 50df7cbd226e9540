package eval

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func open(t *testing.T, dir string) *Kept {
	t.Helper()
	k, err := OpenKept(dir, "model")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { k.Close() })
	return k
}

// has checks the values of keys, which are the keys themselves; without is a key that has none.
func has(t *testing.T, k *Kept, without string, keys ...string) {
	t.Helper()
	var v string
	for _, key := range keys {
		if !k.Get(key, &v) || v != key {
			t.Errorf("%q has the value %q", key, v)
		}
	}
	if k.Get(without, &v) {
		t.Errorf("%q has a value, %q", without, v)
	}
}

// TestKept writes from two sides at one time, cuts a line short, and reads what is whole.
func TestKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "here")
	a, b := open(t, dir), open(t, dir)
	a.Put("one", "one")
	b.Put("two", "two")
	a.Put("three\n", "three\n")
	has(t, a, "two", "one", "three\n")
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	has(t, open(t, dir), "four", "one", "two", "three\n")

	path := filepath.Join(dir, "model.jsonl")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text[:len(text)-5], 0o600); err != nil {
		t.Fatal(err)
	}
	torn := open(t, dir)
	has(t, torn, "three\n", "one", "two")
	torn.Put("four", "four")
	torn.Put("five", "five")
	has(t, open(t, dir), "three\n", "one", "two", "four", "five")

	other, err := OpenKept(dir, "another model")
	if err != nil {
		t.Fatal(err)
	}
	has(t, other, "one")
	if err := other.Close(); err != nil {
		t.Error(err)
	}
}

// TestKeptFails: a place that cannot be written is an error at the end, and no more is written.
func TestKeptFails(t *testing.T) {
	k := open(t, t.TempDir())
	k.Put("one", "one")
	k.file.Close()
	k.Put("two", "two")
	k.Put("three", "three")
	has(t, k, "three", "one")
	if err := k.Close(); err == nil {
		t.Error("a write failed, and nobody says so")
	}
	var none *Kept
	none.Put("one", 1)
	has(t, none, "one")
	if err := none.Close(); err != nil {
		t.Error(err)
	}
}

func TestKeptKey(t *testing.T) {
	one := keptKey("answer", map[string]any{"b": 1, "a": 2})
	if one != keptKey("answer", map[string]any{"a": 2, "b": 1}) {
		t.Error("the order of keys counts")
	}
	if one == keptKey("score", map[string]any{"a": 2, "b": 1}) || one == keptKey("answer", map[string]any{"a": 2}) {
		t.Error("another question has the same key")
	}
}

// FuzzKept: whatever the file holds, it is read, and what is put after it is found again.
func FuzzKept(f *testing.F) {
	for _, s := range []string{"", "\n\n", `{"key":"a","value":1}` + "\n", `{"key":"a","val`, `{"key":"k","value":null}`,
		"[]\n{}\n", strings.Repeat("x", 70000)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "model.jsonl"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		k := open(t, dir)
		k.Put("k", "k")
		has(t, k, "", "k")
		has(t, open(t, dir), "", "k")
	})
}
