package model_test

import (
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"instruct/model"
	"instruct/model/kernel"
)

// shapesOnly is a source of numbers with the tensors of a model.
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
	return s.readRows(0, dst)
}

func (shapesOnly) readRows(first int, dst []float32) error {
	for i := range dst {
		dst[i] = float32((first+i)%1013) / 1013
	}
	return nil
}

// inRows is a shapesOnly that gives rows, too.
type inRows struct{ shapesOnly }

func (s inRows) ReadRows(name string, row int, dst []float32) error {
	shape, _ := s.Shape(name)
	return s.readRows(row*shape[len(shape)-1], dst)
}

// TestLoadingHoldsOneTensor: weights that are kept in fewer bits are read through room for the largest tensor, once, or
// for some of its rows where the source gives rows; with the same bits.
func TestLoadingHoldsOneTensor(t *testing.T) {
	const vocab, width = 20_000, 128
	c, err := model.ParseConfig(filepath.Join(t.TempDir(), "config.json"), []byte(`{"model_type": "llama",
		"vocab_size": 20000, "hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 2, "num_attention_heads": 2,
		"max_position_embeddings": 64, "rms_norm_eps": 1e-5, "tie_word_embeddings": false}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []kernel.DType{kernel.BF16, kernel.Q8_0, kernel.Q4_0} {
		const largest, strip = uint64(4 * vocab * width), uint64(4 << 20)
		whole := loadFrom(t, c, d, largest*3/2, func(m *model.Model) model.Source { return shapesOnly{m} })
		rows := loadFrom(t, c, d, strip*3/2, func(m *model.Model) model.Source { return inRows{shapesOnly{m}} })
		if !slices.Equal(whole, rows) {
			t.Errorf("%v: the logits differ when the weights are read in rows", d)
		}
	}
}

// loadFrom loads a model from a source, in no more memory than room bytes, and gives its logits of three tokens.
func loadFrom(
	t *testing.T, c model.Config, d kernel.DType, room uint64, source func(*model.Model) model.Source,
) []float32 {
	t.Helper()
	m, err := model.Outline(c)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if err := m.AllocateIn(d); err != nil {
		t.Fatal(err)
	}
	src := source(m)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := m.Load("test", src); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > room {
		t.Errorf("%v: loading allocated %d bytes, more than %d", d, n, room)
	}
	r, err := m.NewReader(pool(t), 8)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Clone(read(t, r, []int32{5, 12_345, 19_999}))
}
