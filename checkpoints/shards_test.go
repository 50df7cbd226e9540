package checkpoints

import (
	"path/filepath"
	"slices"
	"testing"
)

// TestWriteFolder: what is cut into several files is read back as what it was.
func TestWriteFolder(t *testing.T) {
	var tensors []Tensor
	for _, name := range []string{"a", "b", "c", "d"} {
		tensors = append(tensors, Tensor{name, []int{3, 2}, []float32{1, 2, 3, 4, 5, float32(name[0])}})
	}
	for limit, want := range map[int64]int{0: 1, 48: 1, 47: 3, 24: 3, 1: 5} { // files with the index, of 12 bytes each
		dir := t.TempDir()
		if err := WriteFolder(dir, tensors, nil, BF16, limit); err != nil {
			t.Fatal(err)
		}
		files, err := filepath.Glob(filepath.Join(dir, "model*"))
		if err != nil || len(files) != want {
			t.Errorf("limit %d: files %v (%v), want %d", limit, files, err, want)
		}
		src, err := OpenFolder(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range tensors {
			got := make([]float32, 6)
			if err := src.Read(x.Name, got); err != nil || !slices.Equal(got, x.Data) {
				t.Errorf("limit %d: %s is %v (%v)", limit, x.Name, got, err)
			}
		}
		src.Close()
	}
}
