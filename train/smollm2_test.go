package train

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"slices"
	"strconv"
	"testing"

	"instruct/model/kernel"
	"instruct/model/pretrained"
	"instruct/tokenizer/chat"
	"instruct/train/recipe"
)

// smollm2Reference is what PyTorch says of the model: the prompts, ten steps, and the model after them.
type smollm2Reference struct {
	Prompts []struct {
		User string
		Text string
		IDs  []int32 `json:"ids"`
	}
	Train struct {
		Steps []struct {
			Loss    float64
			Norm    float64 `json:"grad_norm"`
			Trained int     `json:"trained_tokens"`
		}
	}
	After   map[string]string
	Weights map[string][2]float64 `json:"weights_after"`
}

// TestSmolLM2Steps tunes the real SmolLM2-135M-Instruct on rasbt-instruction and compares losses, gradient norms and
// weights with PyTorch. INSTRUCT_SMOLLM2 says how many of the ten steps to make (`make smollm2` makes two).
func TestSmolLM2Steps(t *testing.T) {
	steps, _ := strconv.Atoi(os.Getenv("INSTRUCT_SMOLLM2"))
	if steps < 1 || steps > 10 {
		t.Skip("trains 135 million parameters; set INSTRUCT_SMOLLM2 to the number of steps, 1 to 10")
	}
	const folder = "smollm2-135m-instruct-gguf"
	text, err := os.ReadFile(fixture(t, "models", folder, "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want smollm2Reference
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	out := os.Getenv("INSTRUCT_SMOLLM2_OUT") // keep the tuned folder here
	if out == "" {
		out = t.TempDir()
	}
	r := set(t, recipe.Default(), "model_name_or_path", fixture(t, "models", folder, "SmolLM2-135M-Instruct.Q4_1.gguf"),
		"dataset", fixture(t, "data", "rasbt-instruction", "instruction-data.json"), "eval_fraction", "0",
		"eval_strategy", "no", "save_strategy", "no", "train_sampling_strategy", "sequential",
		"per_device_train_batch_size", "8", "max_steps", strconv.Itoa(steps), "learning_rate", "1e-4",
		"lr_scheduler_type", "constant", "max_grad_norm", "1", "output_dir", out, "overwrite_output_dir", "true")
	o := Options{Out: new(bytes.Buffer), Log: os.Stderr, Quiet: true, OnStep: func(m Metric) { want.checkStep(t, m) }}
	if _, err := Run(t.Context(), r, o); err != nil {
		t.Fatal(err)
	}
	m, err := pretrained.Load(out, pretrained.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	want.checkPrompts(t, m)
	if steps == 10 {
		want.checkWeights(t, m)
		want.checkAnswers(t, m)
	}
}

func (want *smollm2Reference) checkStep(t *testing.T, m Metric) {
	w := want.Train.Steps[m.Step-1]
	t.Logf("step %d: loss %.8f (PyTorch %.8f), gradient norm %.5f (%.5f), %d trained tokens",
		m.Step, *m.Loss, w.Loss, m.GradNorm, w.Norm, m.TrainedTokens)
	if math.Abs(*m.Loss-w.Loss) > 1e-4*w.Loss {
		t.Errorf("step %d: loss %.8f, want %.8f", m.Step, *m.Loss, w.Loss)
	}
	if math.Abs(m.GradNorm-w.Norm) > 1e-3*w.Norm {
		t.Errorf("step %d: gradient norm %.6f, want %.6f", m.Step, m.GradNorm, w.Norm)
	}
	if m.TrainedTokens != w.Trained {
		t.Errorf("step %d: %d trained tokens, want %d", m.Step, m.TrainedTokens, w.Trained)
	}
}

func (want *smollm2Reference) checkPrompts(t *testing.T, m *pretrained.Model) {
	for _, p := range want.Prompts {
		ids, err := m.Prompt([]chat.Message{{Role: "user", Content: p.User}})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(ids, p.IDs) {
			t.Errorf("prompt %q: ids %v, want %v", p.User, ids, p.IDs)
		}
	}
}

func (want *smollm2Reference) checkWeights(t *testing.T, m *pretrained.Model) {
	for _, x := range m.Tensors() {
		w, found := want.Weights[x.Name]
		if !found {
			continue
		}
		var sum float64
		for _, v := range x.Data {
			sum += float64(v)
		}
		t.Logf("%s: sum %.5f (PyTorch %.5f)", x.Name, sum, w[0])
		if math.Abs(sum-w[0]) > 1e-3*math.Abs(w[0]) {
			t.Errorf("%s: sum %.5f, want %.5f", x.Name, sum, w[0])
		}
	}
}

func (want *smollm2Reference) checkAnswers(t *testing.T, m *pretrained.Model) {
	pool := kernel.NewPool(0)
	defer pool.Close()
	session, err := m.NewSession(pool, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	for user, answer := range want.After {
		question := []chat.Message{{Role: "user", Content: user}}
		got, err := session.Answer(t.Context(), question, pretrained.Decoding{MaxNew: 40})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s -> %s", user, got.Text)
		if got.Text != answer {
			t.Errorf("%q: answer %q, want %q", user, got.Text, answer)
		}
	}
}
