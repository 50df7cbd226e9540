package model_test

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"instruct/checkpoints"
	"instruct/model"
)

// TestReferenceGGUF reads the reference models from the GGUF files that llama.cpp's converter made of them: the logits
// are those of transformers.
func TestReferenceGGUF(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join("testdata", "reference", "*", "model.gguf"))
	if err != nil || len(paths) < 15 {
		t.Fatalf("%d files (%v)", len(paths), err)
	}
	for _, path := range paths {
		name := filepath.Base(filepath.Dir(path))
		t.Run(name, func(t *testing.T) {
			m := loadGGUF(t, path)
			ref := expectations(t, name)
			ids, v, worst := ref.Rows[0].IDs, m.Config.Vocab, 0.0
			got := logits(t, m, ids)
			for i := range ids {
				for j := range v {
					worst = max(worst, math.Abs(float64(got[i*v+j])-ref.Logits[i][j]))
				}
			}
			if !(worst <= 1e-5) {
				t.Errorf("largest difference of a logit is %.2g, want at most 1e-5", worst)
			}
			sum, err := train(t, m).Run(ref.all()) // rows that are longer than windows and original lengths
			if err != nil {
				t.Fatal(err)
			}
			if loss := sum / float64(ref.TrainedTokens); math.Abs(loss-ref.Loss) > 1e-5 {
				t.Errorf("loss %.9f, want %.9f", loss, ref.Loss)
			}
		})
	}
}

// TestConfigOfGGUF: a config.json that is made of a GGUF file's metadata says what the file says: the weights give the
// same loss.
func TestConfigOfGGUF(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join("testdata", "reference", "*", "model.gguf"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		name := filepath.Base(filepath.Dir(path))
		t.Run(name, func(t *testing.T) {
			m := loadGGUF(t, path)
			dir := t.TempDir()
			save(t, m, dir)
			again := load(t, dir)
			ref := expectations(t, name)
			sum, err := train(t, again).Run(ref.all())
			if err != nil {
				t.Fatal(err)
			}
			if loss := sum / float64(ref.TrainedTokens); math.Abs(loss-ref.Loss) > 1e-5 {
				t.Errorf("loss %.9f, want %.9f", loss, ref.Loss)
			}
		})
	}
}

// save writes a model as a Hugging Face folder.
func save(t testing.TB, m *model.Model, dir string) {
	t.Helper()
	text, err := m.Config.JSON()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "config.json"), text, 0o644); err != nil {
		t.Fatal(err)
	}
	var tensors []checkpoints.Tensor
	for _, x := range m.Tensors() {
		tensors = append(tensors, checkpoints.Tensor{Name: x.Name, Shape: x.Shape, Data: x.Data})
	}
	path := filepath.Join(dir, "model.safetensors")
	err = checkpoints.WriteSafetensors(path, tensors, map[string]string{"format": "pt"}, checkpoints.F32)
	if err != nil {
		t.Fatal(err)
	}
}

func loadGGUF(t testing.TB, path string) *model.Model {
	t.Helper()
	g, err := checkpoints.OpenGGUF(path)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	c, err := model.ConfigFromGGUF(path, g, g)
	if err != nil {
		t.Fatal(err)
	}
	m, err := model.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	if err := m.LoadGGUF(path, g); err != nil {
		t.Fatal(err)
	}
	return m
}

// train makes a training graph for the reference rows.
func train(t testing.TB, m *model.Model) *model.Graph {
	t.Helper()
	g, err := m.NewTraining(pool(t), 128, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	return g
}

// otherFloat is the metadata of a file in which one number is another.
type otherFloat struct {
	*checkpoints.GGUF
	key   string
	value float64
}

func (o otherFloat) Float(key string) (float64, bool) {
	if key == o.key {
		return o.value, true
	}
	return o.GGUF.Float(key)
}

// TestBasesOfGGUF: positions need a base that is positive and finite.
func TestBasesOfGGUF(t *testing.T) {
	for _, x := range []struct{ name, key string }{
		{"phi3", "phi3.rope.freq_base"}, {"gemma3", "gemma3.rope.freq_base_swa"},
	} {
		path := filepath.Join("testdata", "reference", x.name, "model.gguf")
		g, err := checkpoints.OpenGGUF(path)
		if err != nil {
			t.Fatal(err)
		}
		defer g.Close()
		for _, base := range []float64{-1, math.Inf(1), math.NaN()} {
			_, err := model.ConfigFromGGUF(path, otherFloat{g, x.key, base}, g)
			_, key, _ := strings.Cut(x.key, ".")
			if err == nil || !strings.Contains(err.Error(), key+" is ") {
				t.Errorf("%s %g: error %v", x.key, base, err)
			}
		}
	}
}

func FuzzConfigFromGGUF(f *testing.F) {
	paths, err := filepath.Glob(filepath.Join("testdata", "reference", "*", "model.gguf"))
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "fuzz.gguf")
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		g, err := checkpoints.OpenGGUF(path)
		if err != nil {
			return
		}
		defer g.Close()
		c, err := model.ConfigFromGGUF(path, g, g)
		if err != nil {
			return
		}
		text, err := c.JSON()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := model.ParseConfig("config.json", text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	})
}
