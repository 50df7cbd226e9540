package model_test

import (
	"path/filepath"
	"runtime"
	"testing"

	"instruct/model"
	"instruct/model/kernel"
)

// shapesOnly is a source of ones with the tensors of a model.
type shapesOnly struct{ *model.Model }

func (s shapesOnly) Names() (names []string) {
	for _, t := range s.Tensors() {
		names = append(names, t.Name)
	}
	return names
}

func (s shapesOnly) Shape(name string) ([]int, bool) {
	for _, t := range s.Tensors() {
		if t.Name == name {
			return append([]int(nil), t.Shape...), true
		}
	}
	return nil, false
}

func (s shapesOnly) Read(_ string, dst []float32) error {
	for i := range dst {
		dst[i] = 1
	}
	return nil
}

// TestLoadingHoldsOneTensor: weights that are kept in fewer bits are read through room for the largest tensor, once.
func TestLoadingHoldsOneTensor(t *testing.T) {
	const vocab, width = 20_000, 128
	c, err := model.ParseConfig(filepath.Join(t.TempDir(), "config.json"), []byte(`{"model_type": "llama",
		"vocab_size": 20000, "hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 2, "num_attention_heads": 2,
		"max_position_embeddings": 64, "rms_norm_eps": 1e-5, "tie_word_embeddings": false}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []kernel.DType{kernel.BF16, kernel.Q8_0} {
		m, err := model.Outline(c)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.AllocateIn(d); err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if err := m.Load("test", shapesOnly{m}); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		m.Close()
		if n, largest := after.TotalAlloc-before.TotalAlloc, uint64(4*vocab*width); n > largest*3/2 {
			t.Errorf("%v: loading allocated %d bytes; the largest tensor has %d in float32", d, n, largest)
		}
	}
}
