package train

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"instruct/checkpoints"
	"instruct/model"
	"instruct/model/kernel"
	"instruct/train/recipe"
)

// adapterReference is what PEFT says of an adapter; see model/testdata/adapters/make.py.
type adapterReference struct {
	Base string
	Rows []struct {
		IDs  []int32
		Mask []float32
	}
	Loss    float64
	Trained float64 `json:"trained_tokens"`
	Steps   []struct {
		Loss float64
		Norm float64 `json:"grad_norm"`
	}
}

func (r *adapterReference) batch() (b model.Batch) {
	for _, row := range r.Rows {
		start := len(b.Tokens)
		for j := range len(row.IDs) - 1 {
			b.Tokens, b.Positions = append(b.Tokens, row.IDs[j]), append(b.Positions, int32(j))
			b.Targets, b.Weights = append(b.Targets, row.IDs[j+1]), append(b.Weights, row.Mask[j+1])
		}
		b.Segments = append(b.Segments, model.Segment{Start: start, End: len(b.Tokens)})
	}
	return b
}

// adapters are the adapters of model/testdata/adapters.
var adapters = map[string]model.AdapterConfig{
	"lora": {R: 4, Alpha: 8, Targets: []string{model.AllLinear}},
	"gpt2": {R: 2, Alpha: 4, Targets: []string{"c_attn", "c_fc", "c_proj"}},
	"rslora": {R: 4, Alpha: 6, RSLoRA: true, Targets: []string{"q_proj", "v_proj", "gate_proj"},
		Save: []string{"lm_head", "model.norm"}},
	"dora": {R: 3, Alpha: 6, DoRA: true, Targets: []string{"q_proj", "k_proj", "o_proj", "up_proj", "down_proj"}},

	"gemma3":    {R: 4, Alpha: 8, Targets: []string{model.AllLinear}},
	"qwen2":     {R: 4, Alpha: 8, Targets: []string{model.AllLinear}},
	"phi3":      {R: 4, Alpha: 8, Targets: []string{model.AllLinear}},
	"lfm2":      {R: 4, Alpha: 8, Targets: []string{model.AllLinear}},
	"neox":      {R: 4, Alpha: 8, Targets: []string{model.AllLinear}},
	"phi3-dora": {R: 4, Alpha: 8, DoRA: true, Targets: []string{model.AllLinear}},
	"neox-dora": {R: 4, Alpha: 8, DoRA: true, Targets: []string{model.AllLinear}},
}

// TestAdapterReferenceSteps compares gradients and ten AdamW steps of adapters with PEFT's.
func TestAdapterReferenceSteps(t *testing.T) {
	for name, c := range adapters {
		t.Run(name, func(t *testing.T) {
			var ref adapterReference
			dir := filepath.Join("..", "model", "testdata", "adapters", name)
			text, err := os.ReadFile(filepath.Join(dir, "expected.json"))
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(text, &ref); err != nil {
				t.Fatal(err)
			}
			m := adapted(t, dir, ref.Base, c)
			pool := kernel.NewPool(2)
			defer pool.Close()
			g, err := m.NewTraining(pool, 128, name == "dora")
			if err != nil {
				t.Fatal(err)
			}
			opt, err := newOptimizer(pool, m, "adamw")
			if err != nil {
				t.Fatal(err)
			}
			defer opt.close()
			r := set(t, recipe.Default(), "weight_decay", "0.1", "max_grad_norm", "1")
			for i, want := range ref.Steps {
				sum, err := g.Run(ref.batch())
				if err != nil {
					t.Fatal(err)
				}
				if i == 0 {
					checkGrads(t, dir, m, ref.Trained)
				}
				norm := opt.gradNorm(ref.Trained)
				if loss := sum / ref.Trained; math.Abs(loss-want.Loss) > 1e-5 || math.Abs(norm-want.Norm) > 1e-3*want.Norm {
					t.Errorf("step %d: loss %.8f and norm %.6f, want %.8f and %.6f", i+1, loss, norm, want.Loss, want.Norm)
				}
				opt.step(&r, 1e-3, norm, ref.Trained)
			}
		})
	}
}

// adapted loads a model of model/testdata/reference with an adapter.
func adapted(t *testing.T, dir, base string, c model.AdapterConfig) *model.Model {
	t.Helper()
	from := filepath.Join(dir, "..", "..", "reference", base)
	path := filepath.Join(from, "config.json")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	config, err := model.ParseConfig(path, text)
	if err != nil {
		t.Fatal(err)
	}
	m, err := model.Outline(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Adapt(c, kernel.F32); err != nil {
		t.Fatal(err)
	}
	if err := m.Allocate(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	folder, err := checkpoints.OpenFolder(from)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	if err := m.Load(from, folder); err != nil {
		t.Fatal(err)
	}
	src := open(t, filepath.Join(dir, "adapter_model.safetensors"))
	if err := m.LoadAdapter(dir, src); err != nil {
		t.Fatal(err)
	}
	return m
}

func open(t *testing.T, path string) *checkpoints.Safetensors {
	t.Helper()
	src, err := checkpoints.OpenSafetensors(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { src.Close() })
	return src
}

// checkGrads compares the gradients of a step with PEFT's.
func checkGrads(t *testing.T, dir string, m *model.Model, n float64) {
	t.Helper()
	src := open(t, filepath.Join(dir, "grads.safetensors"))
	names := src.Names()
	for _, x := range m.Grads() {
		name := x.Name
		if len(x.Data) == 0 {
			continue // frozen
		}
		if !strings.HasPrefix(name, "base_model.model.") {
			name = "base_model.model." + name
		}
		want := make([]float32, len(x.Data))
		if err := src.Read(name, want); err != nil {
			t.Fatal(err)
		}
		norm, diff := 0.0, 0.0
		for i, w := range want {
			d := float64(x.Data[i])/n - float64(w)
			norm += float64(w) * float64(w)
			diff += d * d
		}
		if norm == 0 || math.Sqrt(diff/norm) > 1e-5 {
			t.Errorf("%s differs by %.2g of its norm, %.3g", name, math.Sqrt(diff/norm), math.Sqrt(norm))
		}
		names = slices.DeleteFunc(names, func(n string) bool { return n == name })
	}
	if len(names) > 0 {
		t.Errorf("no gradient of %v", names)
	}
}
