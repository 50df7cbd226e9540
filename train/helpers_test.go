package train

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"instruct/checkpoints"
	"instruct/model"
	"instruct/model/kernel"
	"instruct/model/pretrained"
	"instruct/train/recipe"
)

// small is a recipe that trains a tiny model on the embedded lessons in a second. With -short, where the portable
// kernels run under the race detector, the model and the run are smaller.
func small(t *testing.T) recipe.Recipe {
	t.Helper()
	rows, width, layers := "320", 32, 2
	if testing.Short() {
		rows, width, layers = "40", 16, 1
	}
	config := fmt.Sprintf(`{"model_type":"qwen3","hidden_size":%d,"num_hidden_layers":%d,"num_attention_heads":4,`+
		`"num_key_value_heads":2,"head_dim":8,"intermediate_size":48,"max_position_embeddings":256,`+
		`"tie_word_embeddings":true,"rms_norm_eps":1e-5}`, width, layers)
	return set(t, recipe.Default(), "dataset", "lessons", "lesson_rows", rows, "lesson_held_out", "6",
		"tokenizer_name", "bytes", "chat_template", "lessons", "model_config", config, "max_length", "256",
		"per_device_train_batch_size", "8", "num_train_epochs", "1", "learning_rate", "3e-3", "warmup_steps", "4",
		"weight_decay", "0.01", "train_sampling_strategy", "random", "save_strategy", "no", "eval_strategy", "no",
		"output_dir", t.TempDir(), "overwrite_output_dir", "true")
}

// set changes keys of a recipe, which come with their values.
func set(t *testing.T, r recipe.Recipe, pairs ...string) recipe.Recipe {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if err := r.Set(pairs[i], pairs[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// fixture gives the path of a file of the fixtures, and skips the test where it is not there.
func fixture(t *testing.T, parts ...string) string {
	t.Helper()
	root := os.Getenv("INSTRUCT_FIXTURES")
	if root == "" {
		root = filepath.Join("..", "..", "shared", "fixtures")
	}
	path := filepath.Join(append([]string{root}, parts...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("needs the fixtures (INSTRUCT_FIXTURES): %v", err)
	}
	return path
}

// prefixed writes rows that share a prefix and returns their path.
func prefixed(t *testing.T, n int) string {
	t.Helper()
	var rows strings.Builder
	for i := range n {
		fmt.Fprintf(&rows, `{"messages":[{"role":"system","content":"Answer as told."},`+
			`{"role":"user","content":"Count to %d."},{"role":"assistant","content":"%s"}]}`+"\n",
			i, strings.Repeat("one ", i%7+1))
	}
	path := filepath.Join(t.TempDir(), "rows.jsonl")
	if err := os.WriteFile(path, []byte(rows.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// silent are options of a run that shows nothing.
func silent(onStep func(Metric)) Options {
	return Options{Out: new(bytes.Buffer), Log: new(bytes.Buffer), Quiet: true, OnStep: onStep}
}

// trained is a run with the loss and gradient norm of every step, as text of their bits.
type trained struct {
	*Result
	steps []string
}

func (r *trained) add(m Metric) {
	r.steps = append(r.steps, fmt.Sprintf("%d %x %x", m.Step, *m.Loss, m.GradNorm))
}

// mustRun trains.
func mustRun(t *testing.T, r recipe.Recipe) trained {
	t.Helper()
	var run trained
	var err error
	if run.Result, err = Run(t.Context(), r, silent(run.add)); err != nil {
		t.Fatal(err)
	}
	return run
}

// mustResume trains, is stopped after a step, and goes on with more keys changed.
func mustResume(t *testing.T, r recipe.Recipe, stop int, more ...string) trained {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var run trained
	var log bytes.Buffer
	o := Options{Out: new(bytes.Buffer), Log: &log, Quiet: true, OnStep: func(m Metric) {
		run.add(m)
		if m.Step == stop {
			cancel()
		}
	}}
	if _, err := Run(ctx, r, o); !errors.Is(err, ErrInterrupted) {
		t.Fatalf("error is %v, want ErrInterrupted", err)
	}
	if !strings.Contains(log.String(), "--resume_from_checkpoint true") {
		t.Errorf("the log does not say how to go on:\n%s", log.String())
	}
	var err error
	r = set(t, set(t, r, "resume_from_checkpoint", "true"), more...)
	if run.Result, err = Run(t.Context(), r, o); err != nil {
		t.Fatal(err)
	}
	return run
}

// sameBits compares every loss and the weights of two runs.
func sameBits(t *testing.T, got, want trained) {
	t.Helper()
	if len(want.steps) < 2 {
		t.Fatalf("%d steps are too few", len(want.steps))
	}
	if !slices.Equal(got.steps, want.steps) {
		t.Errorf("losses differ:\n%s\nwant\n%s", strings.Join(got.steps, "\n"), strings.Join(want.steps, "\n"))
	}
	if got.WeightsHash != want.WeightsHash {
		t.Error("weights differ")
	}
}

// readMetrics reads the rows of a run's metrics.jsonl: those of steps and those of evaluations.
func readMetrics(t *testing.T, r recipe.Recipe) (steps, evaluations []Metric) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(r.OutputDir, "metrics.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		var m Metric
		if err := json.Unmarshal(line, &m); err != nil {
			t.Fatal(err)
		}
		if m.Loss != nil {
			steps = append(steps, m)
		} else {
			evaluations = append(evaluations, m)
		}
	}
	return steps, evaluations
}

// savedLoss measures the held-out loss of the model that a run saved.
func savedLoss(t *testing.T, r recipe.Recipe) float64 {
	t.Helper()
	m, err := pretrained.Load(r.OutputDir, pretrained.Options{DType: kernel.F32})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	rows, err := findRows(t.Context(), &r)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.close()
	if err := rows.encode(t.Context(), &r, m, loadOptions{threads: 1, log: io.Discard}); err != nil {
		t.Fatal(err)
	}
	pool := kernel.NewPool(1)
	defer pool.Close()
	o := heldOutOptions{examples: &rows.heldOut.Store, rows: r.BatchSize, share: r.SharePrefix}
	h, err := newHeldOut(pool, m.Model, o)
	if err != nil {
		t.Fatal(err)
	}
	defer h.close()
	loss, err := h.loss(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return loss.Mean
}

// loadWeights loads the model of a Hugging Face folder without a tokenizer.
func loadWeights(t *testing.T, dir string) *model.Model {
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
	src, err := checkpoints.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	m, err := model.Outline(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Allocate(); err != nil {
		t.Fatal(err)
	}
	if err := m.Load(dir, src); err != nil {
		t.Fatal(err)
	}
	return m
}
