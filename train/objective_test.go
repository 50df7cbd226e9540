package train

import (
	"encoding/json"
	"fmt"
	"iter"
	"math"
	"os"
	"path/filepath"
	"testing"

	"instruct/checkpoints"
	"instruct/data"
	"instruct/model"
	"instruct/model/kernel"
	"instruct/train/recipe"
)

// dpoValues is expected.json of testdata/dpo.
type dpoValues struct {
	Beta     float64
	Pairs    []struct{ Chosen, Rejected answer }
	Loss     float64
	GradNorm float64 `json:"grad_norm"`
}

// answer is a prompt with an answer to it.
type answer struct {
	IDs       []int32
	Mask      []int   // 1: of the answer
	Reference float64 `json:"reference_logprob"`
}

// readPreference reads the pairs as examples, the better answer first, and the objective.
func readPreference(t *testing.T) (p dpoValues, examples []data.Example, o *preferences) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "dpo", "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &p); err != nil {
		t.Fatal(err)
	}
	r := set(t, recipe.Default(), "loss_type", "sigmoid", "beta", fmt.Sprint(p.Beta))
	a := &answers{}
	for _, pair := range p.Pairs {
		for _, row := range []answer{pair.Chosen, pair.Rejected} {
			e := data.Example{IDs: row.IDs, Mask: make([]bool, len(row.Mask))}
			for i, m := range row.Mask {
				e.Mask[i] = m == 1
			}
			examples = append(examples, e)
			a.reference = append(a.reference, row.Reference)
		}
	}
	return p, examples, newPreferences(&r, a)
}

// once is a source of one micro-batch.
type once struct {
	examples []data.Example
	rows     []int
	share    bool
}

func (s once) Next() iter.Seq2[*data.Batch, error] {
	return func(yield func(*data.Batch, error) bool) {
		b := data.Batch{Share: s.share, Group: 2}
		data.BuildBatch(&b, s.examples, s.rows)
		yield(&b, nil)
	}
}

// TestPreferenceObjective compares DPO's loss, gradients and gradient norm with PyTorch's, in the order of
// the pairs and in another.
func TestPreferenceObjective(t *testing.T) {
	want, examples, objective := readPreference(t)
	pool := kernel.NewPool(2)
	defer pool.Close()
	for _, rows := range [][]int{{0, 1, 2, 3}, {2, 3, 0, 1}} {
		m := loadWeights(t, filepath.Join("..", "model", "testdata", "reference", "llama"))
		g, err := m.NewTraining(pool, 128, false)
		if err != nil {
			t.Fatal(err)
		}
		f := feed{graph: g, objective: objective}
		for b := range (once{examples, rows, false}).Next() {
			loss, divisor, err := f.run(b)
			if err != nil {
				t.Fatal(err)
			}
			if loss /= divisor; math.Abs(loss-want.Loss) > 1e-6*want.Loss {
				t.Errorf("rows %v: loss %.9f, want %.9f", rows, loss, want.Loss)
			}
			compareWithPyTorch(t, m.Grads(), divisor)
		}
		g.Close()
		m.Close()
	}
	r := set(t, recipe.Default(), "max_grad_norm", "0")
	m := loadWeights(t, filepath.Join("..", "model", "testdata", "reference", "llama"))
	tr, err := NewTrainer(TrainerOptions{Pool: pool, Model: m, Recipe: &r, Steps: 1, Capacity: 128, Objective: objective,
		Source: once{examples, []int{0, 1, 2, 3}, false}})
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	s, err := tr.Step()
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(s.Loss-want.Loss) > 1e-6*want.Loss || math.Abs(s.GradNorm-want.GradNorm) > 1e-5*want.GradNorm {
		t.Errorf("a step's loss is %.9f, its gradient norm %.9f; want %.9f and %.9f", s.Loss, s.GradNorm,
			want.Loss, want.GradNorm)
	}
}

// TestPairsShareTheirPrompt: pairs with their prompts computed once have the loss and gradients that they have without.
func TestPairsShareTheirPrompt(t *testing.T) {
	_, examples, objective := readPreference(t)
	pool := kernel.NewPool(2)
	defer pool.Close()
	var losses [2]float64
	var grads [2][]float32
	var tokens [2]int
	for i, share := range []bool{false, true} {
		m := loadWeights(t, filepath.Join("..", "model", "testdata", "reference", "llama"))
		g, err := m.NewTraining(pool, 128, false)
		if err != nil {
			t.Fatal(err)
		}
		f := feed{graph: g, objective: objective}
		for b := range (once{examples, []int{0, 1, 2, 3}, share}).Next() {
			if losses[i], _, err = f.run(b); err != nil {
				t.Fatal(err)
			}
			tokens[i] = len(b.Tokens)
		}
		for _, x := range m.Grads() {
			grads[i] = append(grads[i], x.Data...)
		}
		g.Close()
		m.Close()
	}
	if tokens[1] >= tokens[0] {
		t.Fatalf("%d positions with a shared prompt, %d without", tokens[1], tokens[0])
	}
	if math.Abs(losses[1]-losses[0]) > 1e-6*losses[0] {
		t.Errorf("loss %v with a shared prompt, %v without", losses[1], losses[0])
	}
	compareGrads(t, "shared prompt", grads[1], grads[0])
}

// compareWithPyTorch compares gradients of a summed loss, to be divided, with those stored in testdata/dpo.
func compareWithPyTorch(t *testing.T, grads []model.Tensor, divisor float64) {
	t.Helper()
	src, err := checkpoints.OpenSafetensors(filepath.Join("testdata", "dpo", "grads.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	for _, x := range grads {
		want := make([]float32, len(x.Data))
		if err := src.Read(x.Name, want); err != nil {
			t.Fatal(err)
		}
		norm, diff := 0.0, 0.0
		for i, w := range want {
			d := float64(x.Data[i])/divisor - float64(w)
			norm += float64(w) * float64(w)
			diff += d * d
		}
		if e := math.Sqrt(diff / norm); !(e <= 1e-5) {
			t.Errorf("the gradient of %s differs by %.2g of its norm", x.Name, e)
		}
	}
}
