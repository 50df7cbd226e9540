package checkpoints

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// shardedFolder has a and b in the first shard, c in the second.
func shardedFolder(t *testing.T, weightMap map[string]string) string {
	dir := t.TempDir()
	shards := map[string][]string{
		"model-00001-of-00002.safetensors": {"a", "b"},
		"model-00002-of-00002.safetensors": {"c"},
	}
	for file, names := range shards {
		var tensors []Tensor
		for _, n := range names {
			tensors = append(tensors, Tensor{n, []int{1, 2}, []float32{float32(n[0]), 1}})
		}
		if err := WriteSafetensors(filepath.Join(dir, file), tensors, nil, F32); err != nil {
			t.Fatal(err)
		}
	}
	index, _ := json.Marshal(map[string]any{"metadata": map[string]any{"total_size": 24}, "weight_map": weightMap})
	if err := os.WriteFile(filepath.Join(dir, indexFile), index, 0o666); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestSharded(t *testing.T) {
	first, second := "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
	dir := shardedFolder(t, map[string]string{"a": first, "b": first, "c": second})
	s, err := OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Names(); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("names %v", got)
	}
	for _, n := range s.Names() {
		sameBits(t, n, read(t, s, n), []float32{float32(n[0]), 1})
	}
	wantError(t, s.Read("d", nil), `no tensor "d"`)
	if _, ok := s.Shape("d"); ok {
		t.Error("a shape was found for no tensor")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}

	t.Run("tensor not in its shard", func(t *testing.T) {
		_, err := OpenFolder(shardedFolder(t, map[string]string{"a": second}))
		wantError(t, err, indexFile, `tensor "a" should be in shard `+second)
	})
	t.Run("missing shard", func(t *testing.T) {
		_, err := OpenFolder(shardedFolder(t, map[string]string{"a": first, "x": "model-00003.safetensors"}))
		wantError(t, err, "shard model-00003.safetensors is missing", `"x"`)
	})
	t.Run("truncated shard", func(t *testing.T) {
		if err := os.Truncate(filepath.Join(dir, second), 100); err != nil {
			t.Fatal(err)
		}
		_, err := OpenFolder(dir)
		wantError(t, err, second, "truncated: expected 104 bytes, found 100")
	})
}

func TestIndexRejects(t *testing.T) {
	for _, c := range []struct{ name, index, want string }{
		{"not JSON", "x", "JSON"},
		{"no weight_map", `{"metadata":{}}`, "no weight_map"},
		{"two weight_maps", `{"weight_map":{},"weight_map":{}}`, "weight_map stands there twice"},
		{"tensor twice", `{"weight_map":{"a":"m","a":"m"}}`, `"a" twice`},
		{"outside the folder", `{"weight_map":{"a":"../m"}}`, "a file in the same folder"},
		{"absolute", `{"weight_map":{"a":"/etc/passwd"}}`, "a file in the same folder"},
		{"parent", `{"weight_map":{"a":".."}}`, "a file in the same folder"},
		{"number", `{"weight_map":{"a":1}}`, "a file in the same folder"},
		{"cut short", `{"weight_map":{"a":"m"`, "ends too early"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := writeTemp(t, indexFile, []byte(c.index))
			_, err := OpenFolder(filepath.Dir(path))
			wantError(t, err, indexFile, c.want)
		})
	}
}

func TestFolderRejects(t *testing.T) {
	dir := t.TempDir()
	_, err := OpenFolder(filepath.Join(dir, "none"))
	wantError(t, err, "none", "no such file")
	_, err = OpenFolder(writeTemp(t, "file", nil))
	wantError(t, err, "expected a Hugging Face folder")
	_, err = OpenFolder(dir)
	wantError(t, err, "looked for model.safetensors and model.safetensors.index.json")
	os.WriteFile(filepath.Join(dir, "pytorch_model.bin"), nil, 0o666)
	_, err = OpenFolder(dir)
	wantError(t, err, "safe_serialization=True")
	os.WriteFile(filepath.Join(dir, "small.gguf"), nil, 0o666)
	_, err = OpenFolder(dir)
	wantError(t, err, "it holds small.gguf")
	os.WriteFile(filepath.Join(dir, weightsFile), smallSafetensors()[:100], 0o666)
	s, err := OpenFolder(dir)
	wantError(t, err, "truncated", "the file has 100")
	if s != nil {
		t.Error("an error came with a Source")
	}
}

// TestFixtureFolders reads and rewrites the two real folders of the fixtures.
func TestFixtureFolders(t *testing.T) {
	for _, name := range []string{"stories260K-hf", "tiny-random-gpt2-hf"} {
		t.Run(name, func(t *testing.T) {
			s, err := OpenFolder(fixture(t, "models/"+name))
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			var tensors []Tensor
			for _, n := range s.Names() {
				shape, _ := s.Shape(n)
				tensors = append(tensors, Tensor{n, shape, read(t, s, n)})
			}
			dir := t.TempDir()
			if err := WriteSafetensors(filepath.Join(dir, weightsFile), tensors, nil, F32); err != nil {
				t.Fatal(err)
			}
			copied, err := OpenFolder(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer copied.Close()
			for _, want := range tensors {
				sameBits(t, want.Name, read(t, copied, want.Name), want.Data)
			}
		})
	}
}

// TestWeightFiles names the one file, or the index and its shards, each once.
func TestWeightFiles(t *testing.T) {
	dir := t.TempDir()
	join := func(names ...string) []string {
		for i := range names {
			names[i] = filepath.Join(dir, names[i])
		}
		return names
	}
	check := func(want []string) {
		t.Helper()
		if got, err := WeightFiles(dir); err != nil || !slices.Equal(got, want) {
			t.Errorf("%v, error %v, want %v", got, err, want)
		}
	}
	check(join(weightsFile)) // opening it will say that it is missing
	index := `{"weight_map": {"a": "two.safetensors", "b": "one.safetensors", "c": "two.safetensors"}}`
	if err := os.WriteFile(filepath.Join(dir, indexFile), []byte(index), 0o644); err != nil {
		t.Fatal(err)
	}
	check(join(indexFile, "one.safetensors", "two.safetensors"))
	if err := os.WriteFile(filepath.Join(dir, indexFile), []byte(`{`), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := WeightFiles(dir); err == nil {
		t.Error("an index that is no JSON is read")
	}
}
