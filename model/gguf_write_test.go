package model_test

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"instruct/checkpoints"
	"instruct/model"
)

// writeGGUF writes a model as a GGUF file in float32.
func writeGGUF(t testing.TB, m *model.Model, path string) {
	t.Helper()
	var meta checkpoints.Metadata
	tensors, err := m.GGUF(path, &meta)
	if err != nil {
		t.Fatal(err)
	}
	var out []checkpoints.GGUFTensor
	for _, x := range tensors {
		out = append(out, checkpoints.GGUFTensor{Name: x.Name, Shape: x.Shape, Type: "F32", Fill: x.Fill})
	}
	if err := checkpoints.WriteGGUF(path, &meta, out); err != nil {
		t.Fatal(err)
	}
	g, err := checkpoints.OpenGGUF(path)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	if err := m.SaysInGGUF(path, g, g); err != nil {
		t.Error(err)
	}
}

// notWritten are the keys of llama.cpp's converter that say nothing about the models here, or say it layer by layer.
var notWritten = []string{"general.", "granite.expert_", "granite.ssm.", "granite.attention.head_count_kv"}

// TestGGUFIsTheConverters: each reference model is written with the tensors and the metadata that llama.cpp's converter
// gave it, bit for bit, and what is written is read back as the same model.
func TestGGUFIsTheConverters(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join("testdata", "reference", "*", "model.gguf"))
	if err != nil || len(paths) < 15 {
		t.Fatalf("%d files (%v)", len(paths), err)
	}
	for _, path := range append(paths, filepath.Join("testdata", "reference", "mistral", "model.gguf")) {
		dir := filepath.Dir(path)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			m := load(t, dir)
			written := filepath.Join(t.TempDir(), "model.gguf")
			writeGGUF(t, m, written)
			ids := expectations(t, filepath.Base(dir)).Rows[0].IDs
			ids = ids[:min(len(ids), 4)] // as far as the window of mistral, which Llama's files have not
			if got := logits(t, loadGGUF(t, written), ids); !slices.Equal(got, logits(t, m, ids)) {
				t.Error("read back the logits are others")
			}
			if _, err := os.Stat(path); err == nil {
				sameGGUF(t, written, path)
			}
		})
	}
}

// sameGGUF holds a file against the converter's.
func sameGGUF(t *testing.T, path, want string) {
	t.Helper()
	ours, err := checkpoints.OpenGGUF(path)
	if err != nil {
		t.Fatal(err)
	}
	defer ours.Close()
	theirs, err := checkpoints.OpenGGUF(want)
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.Close()
	for _, key := range theirs.Keys() {
		said := func(part string) bool { return strings.HasPrefix(key, part) }
		if !slices.ContainsFunc(notWritten, said) && ours.Show(key) != theirs.Show(key) {
			t.Errorf("%s: %s, converter %s", key, ours.Show(key), theirs.Show(key))
		}
	}
	a, b := slices.Sorted(slices.Values(ours.Names())), slices.Sorted(slices.Values(theirs.Names()))
	if !slices.Equal(a, b) {
		t.Fatalf("tensors %q, converter %q", a, b)
	}
	for _, name := range a {
		shape, _ := ours.Shape(name)
		other, _ := theirs.Shape(name)
		x, y := values(t, ours, name), values(t, theirs, name)
		near := func(a, b float32) bool { // the converter computes divisors of frequencies in float32
			return a == b || name == "rope_freqs.weight" && math.Abs(float64(a-b)) <= 1e-6*float64(a)
		}
		if !slices.Equal(shape, other) || !slices.EqualFunc(x, y, near) {
			t.Errorf("%s: shape %v, converter %v, or other values", name, shape, other)
		}
	}
}

func values(t *testing.T, g *checkpoints.GGUF, name string) []float32 {
	t.Helper()
	shape, _ := g.Shape(name)
	n := 1
	for _, d := range shape {
		n *= d
	}
	out := make([]float32, n)
	if err := g.Read(name, out); err != nil {
		t.Fatal(err)
	}
	return out
}
