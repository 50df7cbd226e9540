package train

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"instruct/data"
	"instruct/model"
	"instruct/model/kernel"
	"instruct/train/recipe"
)

// preferenceCase is an entry of testdata/preferences/values.json.
type preferenceCase struct {
	Recipe   map[string]any
	Loss     float64
	GradNorm float64   `json:"grad_norm"`
	LastNorm []float64 `json:"last_norm"`
	Metrics  map[string]json.RawMessage
}

func readPreferenceCases(t *testing.T) (cases []preferenceCase) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "preferences", "values.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

// prepare makes the recipe, the examples and the objective of a case.
func (c *preferenceCase) prepare(t *testing.T) (r recipe.Recipe, examples []data.Example, p *preferences) {
	t.Helper()
	r = set(t, recipe.Default(), "max_grad_norm", "0")
	for key, value := range c.Recipe {
		r = set(t, r, key, fmt.Sprint(value))
	}
	_, examples, dpo := readPreference(t)
	k, _ := r.Preference()
	references := dpo.answers.reference
	var good []bool
	if k.Labelled { // every answer for itself, and behind it its prompt with the answer of the one before
		var mismatched []float64
		if err := json.Unmarshal(c.Metrics["mismatched_reference"], &mismatched); err != nil {
			t.Fatal(err)
		}
		rows := examples
		examples, references = nil, nil
		for i := range rows {
			other := rows[(i+len(rows)-1)%len(rows)]
			first, from := rows[i].Untrained()+1, other.Untrained()+1
			mixed := data.Example{IDs: slices.Concat(rows[i].IDs[:first], other.IDs[from:]),
				Mask: slices.Concat(rows[i].Mask[:first], other.Mask[from:])}
			examples = append(examples, rows[i], mixed)
			references = append(references, dpo.answers.reference[i], mismatched[i])
			good = append(good, i%2 == 0)
		}
	}
	a := newAnswers(&k, examples, good)
	a.reference = references
	return r, examples, newPreferences(&r, a)
}

// oneStep is a source of one micro-batch of all units.
func oneStep(t *testing.T, examples []data.Example, p *preferences, share bool, r *recipe.Recipe) *Cursor {
	t.Helper()
	rows := stored(t, examples)
	lengths, err := rows.GroupLengths(data.AnswersTogether, share)
	if err != nil {
		t.Fatal(err)
	}
	plan := data.NewPlan(lengths, data.PlanOptions{Rows: len(lengths), Strategy: data.Sequential})
	c := NewCursor(rows, plan, r.Accumulation, share)
	c.prefers(p)
	return c
}

// TestPreferenceLosses compares the loss, the gradients and the metrics of every loss with PyTorch's, with prompts that
// pairs share and without.
func TestPreferenceLosses(t *testing.T) {
	pool := kernel.NewPool(2)
	defer pool.Close()
	for _, c := range readPreferenceCases(t) {
		for _, share := range []bool{true, false} {
			t.Run(fmt.Sprintf("%v share %v", c.Recipe["loss_type"], share), func(t *testing.T) {
				r, examples, p := c.prepare(t)
				m := loadWeights(t, filepath.Join("..", "model", "testdata", "reference", "llama"))
				defer m.Close()
				g, err := m.NewTraining(pool, 160, false)
				if err != nil {
					t.Fatal(err)
				}
				defer g.Close()
				f := feed{graph: g, objective: p}
				for b := range oneStep(t, examples, p, share, &r).Next() {
					loss, divisor, err := f.run(b)
					if err != nil {
						t.Fatal(err)
					}
					if loss /= divisor; math.Abs(loss-c.Loss) > 1e-6*math.Abs(c.Loss) {
						t.Errorf("loss %.9f, want %.9f", loss, c.Loss)
					}
					c.compareGradients(t, m.Grads(), divisor)
				}
				compareRewards(t, p, c.Metrics)
			})
		}
	}
}

// compareGradients compares the norm of all gradients, and those of the last norm.
func (c *preferenceCase) compareGradients(t *testing.T, grads []model.Tensor, divisor float64) {
	t.Helper()
	sum := 0.0
	for _, x := range grads {
		for i, g := range x.Data {
			sum += float64(g) * float64(g)
			if x.Name != "model.norm.weight" {
				continue
			}
			if want := c.LastNorm[i]; math.Abs(float64(g)/divisor-want) > 1e-5*c.GradNorm {
				t.Errorf("gradient %d of %s is %v, want %v", i, x.Name, float64(g)/divisor, want)
			}
		}
	}
	if norm := math.Sqrt(sum) / divisor; math.Abs(norm-c.GradNorm) > 1e-5*c.GradNorm {
		t.Errorf("gradient norm %.9f, want %.9f", norm, c.GradNorm)
	}
}

// compareRewards compares metrics under their names.
func compareRewards(t *testing.T, p *preferences, want map[string]json.RawMessage) {
	t.Helper()
	text, err := json.Marshal(p.rewards())
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]float64
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	for key, raw := range want {
		var x float64
		if json.Unmarshal(raw, &x) != nil {
			continue
		}
		if y, ok := got[key]; !ok || math.Abs(x-y) > 1e-5*math.Max(1, math.Abs(x)) {
			t.Errorf("%s is %v (%v), want %v", key, y, ok, x)
		}
	}
}
