package model_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"instruct/checkpoints"
	"instruct/model"
	"instruct/model/kernel"
)

// reference is expected.json of testdata/reference: values of tiny random models computed in float64 with PyTorch and
// transformers by testdata/reference/make.py.
type reference struct {
	Rows []struct {
		IDs  []int32 `json:"ids"`
		Mask []int   `json:"mask"`
	} `json:"rows"`
	Loss          float64     `json:"loss"`
	RowLossSums   []float64   `json:"row_loss_sums"`
	TrainedTokens int         `json:"trained_tokens"`
	Logits        [][]float64 `json:"logits"`
	Steps         []struct {
		Loss     float64 `json:"loss"`
		GradNorm float64 `json:"grad_norm"`
	} `json:"steps"`
}

// references are the folders of all families and of the kinds of rotary positions.
var references = append([]string{"llama", "llama3", "linear", "qwen2", "qwen3", "gpt2"}, others...)

var others = []string{"olmo2", "gemma3", "mistral", "granite", "bias", "yarn", "smollm3", "granite4", "phi3",
	"ministral3", "lfm2", "neox", "neox-serial"}

func load(t testing.TB, dir string) *model.Model {
	t.Helper()
	path := filepath.Join(dir, "config.json")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c, err := model.ParseConfig(path, text)
	if err != nil {
		t.Fatal(err)
	}
	folder, err := checkpoints.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	m, err := model.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	if err := m.Load(dir, folder); err != nil {
		t.Fatal(err)
	}
	return m
}

func loadReference(t testing.TB, name string) (*model.Model, *reference) {
	t.Helper()
	return load(t, filepath.Join("testdata", "reference", name)), expectations(t, name)
}

func expectations(t testing.TB, name string) *reference {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "reference", name, "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	ref := &reference{}
	if err := json.Unmarshal(text, ref); err != nil {
		t.Fatal(err)
	}
	return ref
}

// batch lays rows end to end, each shifted by one.
func (r *reference) batch(rows ...int) model.Batch {
	var b model.Batch
	for _, i := range rows {
		row, start := r.Rows[i], len(b.Tokens)
		for j := range len(row.IDs) - 1 {
			b.Tokens = append(b.Tokens, row.IDs[j])
			b.Positions = append(b.Positions, int32(j))
			b.Targets = append(b.Targets, row.IDs[j+1])
			b.Weights = append(b.Weights, float32(row.Mask[j+1]))
		}
		b.Segments = append(b.Segments, model.Segment{Start: start, End: len(b.Tokens)})
	}
	return b
}

func (r *reference) all() model.Batch {
	rows := make([]int, len(r.Rows))
	for i := range rows {
		rows[i] = i
	}
	return r.batch(rows...)
}

func pool(t testing.TB) *kernel.Pool {
	p := kernel.NewPool(2)
	t.Cleanup(p.Close)
	return p
}

func TestReferenceLogits(t *testing.T) {
	for _, name := range references {
		t.Run(name, func(t *testing.T) {
			m, ref := loadReference(t, name)
			ids := ref.Rows[0].IDs
			got := logits(t, m, ids)
			v := m.Config.Vocab
			worst := 0.0
			for i := range ids {
				for j := range v {
					worst = max(worst, math.Abs(float64(got[i*v+j])-ref.Logits[i][j]))
				}
			}
			if worst > 1e-5 {
				t.Errorf("largest difference of a logit is %.2g, want at most 1e-5", worst)
			}
		})
	}
}

// logits returns the logits (T, V) of ids, read one by one.
func logits(t testing.TB, m *model.Model, ids []int32) []float32 {
	t.Helper()
	d, err := m.NewReader(pool(t), len(ids))
	if err != nil {
		t.Fatal(err)
	}
	var out []float32
	for i := range ids {
		l, err := d.Read(ids[i : i+1])
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, l...)
	}
	return out
}

func TestReferenceGradients(t *testing.T) {
	for _, name := range references {
		t.Run(name, func(t *testing.T) {
			m, ref := loadReference(t, name)
			g, err := m.NewTraining(pool(t), 128, false)
			if err != nil {
				t.Fatal(err)
			}
			sum, err := g.Run(ref.all())
			if err != nil {
				t.Fatal(err)
			}
			n := float64(ref.TrainedTokens)
			if d := math.Abs(sum/n-ref.Loss) / ref.Loss; d > 1e-6 {
				t.Errorf("loss %.9f, want %.9f", sum/n, ref.Loss)
			}
			src, err := checkpoints.OpenSafetensors(filepath.Join("testdata", "reference", name, "grads.safetensors"))
			if err != nil {
				t.Fatal(err)
			}
			defer src.Close()
			for _, x := range m.Grads() {
				want := make([]float32, len(x.Data))
				if err := src.Read(x.Name, want); err != nil {
					t.Fatal(err)
				}
				norm, diff := 0.0, 0.0
				for i, w := range want {
					d := float64(x.Data[i])/n - float64(w)
					norm += float64(w) * float64(w)
					diff += d * d
				}
				if math.Sqrt(diff/norm) > 1e-5 {
					t.Errorf("%s differs by %.2g of its norm", x.Name, math.Sqrt(diff/norm))
				}
				rms := math.Sqrt(norm / float64(len(want))) // an element near zero is judged by its neighbours
				for i, w := range want {
					got := float64(x.Data[i]) / n
					if math.Abs(got-float64(w)) > 1e-4*max(math.Abs(float64(w)), rms) {
						t.Errorf("%s[%d] = %g, want %g", x.Name, i, got, w)
						break
					}
				}
			}
		})
	}
}

// TestOtherFamiliesLearn repeats ten AdamW steps; package train does so for the families that it can name.
func TestOtherFamiliesLearn(t *testing.T) {
	for _, name := range others {
		t.Run(name, func(t *testing.T) {
			m, ref := loadReference(t, name)
			p, weight := pool(t), float64(ref.TrainedTokens)
			g, err := m.NewTraining(p, 128, false)
			if err != nil {
				t.Fatal(err)
			}
			moments := make([][2][]float32, len(m.Params))
			for i, w := range m.Params {
				moments[i] = [2][]float32{make([]float32, w.Size()), make([]float32, w.Size())}
			}
			for step, want := range ref.Steps {
				sum, err := g.Run(ref.all())
				if err != nil {
					t.Fatal(err)
				}
				norm := 0.0
				for _, w := range m.Params {
					norm += p.SumSquares(w.Grad)
				}
				norm = math.Sqrt(norm) / weight
				if loss := sum / weight; math.Abs(loss-want.Loss) > 1e-5 {
					t.Errorf("step %d: loss %.8f, want %.8f", step+1, loss, want.Loss)
				}
				if math.Abs(norm-want.GradNorm) > 1e-3*want.GradNorm {
					t.Errorf("step %d: gradient norm %.6f, want %.6f", step+1, norm, want.GradNorm)
				}
				for i, w := range m.Params {
					a := kernel.AdamWArgs{LR: 1e-3, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Step: step + 1,
						GradScale: float32(min(1, 1/(norm+1e-6)) / weight)}
					if w.Decay {
						a.WeightDecay = 0.1
					}
					p.AdamW(w.Value, w.Grad, moments[i][0], moments[i][1], a)
				}
			}
		})
	}
}
