package train

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"instruct/checkpoints"
	"instruct/data"
	"instruct/model"
	"instruct/model/kernel"
)

// small is a recipe that trains a tiny model on the embedded lessons in a second. With -short, where the portable kernels
// run under the race detector, the model and the run are smaller.
func small(t *testing.T) Recipe {
	t.Helper()
	r := DefaultRecipe()
	rows, width, layers := "320", 32, 2
	if testing.Short() {
		rows, width, layers = "40", 16, 1
	}
	for k, v := range map[string]string{
		"dataset": "lessons", "lesson_rows": rows, "lesson_held_out": "6", "tokenizer_name": "bytes", "chat_template": "lessons",
		"model_config": fmt.Sprintf(`{"model_type":"qwen3","hidden_size":%d,"num_hidden_layers":%d,"num_attention_heads":4,"num_key_value_heads":2,"head_dim":8,`+
			`"intermediate_size":48,"max_position_embeddings":256,"tie_word_embeddings":true,"rms_norm_eps":1e-5}`, width, layers),
		"max_length": "256", "per_device_train_batch_size": "8", "num_train_epochs": "1", "learning_rate": "3e-3", "warmup_steps": "4",
		"weight_decay": "0.01", "train_sampling_strategy": "random", "save_strategy": "no", "eval_strategy": "no", "output_dir": t.TempDir(), "overwrite_output_dir": "true",
	} {
		if err := r.Set(k, v); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func set(t *testing.T, r Recipe, pairs ...string) Recipe {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if err := r.Set(pairs[i], pairs[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// run trains and returns the result with the loss of every step as text of its bits.
func run(t *testing.T, r Recipe) (*Result, []string) {
	t.Helper()
	var losses []string
	res, err := Run(context.Background(), r, Options{Out: new(bytes.Buffer), Log: new(bytes.Buffer), Quiet: true,
		OnStep: func(m Metric) { losses = append(losses, fmt.Sprintf("%d %x %x", m.Step, *m.Loss, m.GradNorm)) }})
	if err != nil {
		t.Fatal(err)
	}
	return res, losses
}

func TestThreadsGiveTheSameBits(t *testing.T) {
	a, la := run(t, set(t, small(t), "threads", "1"))
	f, lf := run(t, set(t, small(t), "threads", "1", "dtype", "bf16"))
	if strings.Join(la, "\n") == strings.Join(lf, "\n") || a.WeightsHash == f.WeightsHash {
		t.Error("dtype bf16 gave the same run as fp32")
	}
	for _, tt := range []struct {
		threads, dtype string
		want           *Result
		losses         []string
	}{{"2", "fp32", a, la}, {"3", "fp32", a, la}, {"2", "bf16", f, lf}} {
		b, lb := run(t, set(t, small(t), "threads", tt.threads, "dtype", tt.dtype))
		if strings.Join(tt.losses, "\n") != strings.Join(lb, "\n") {
			t.Errorf("%s: losses differ between 1 and %s threads", tt.dtype, tt.threads)
		}
		if tt.want.WeightsHash != b.WeightsHash {
			t.Errorf("%s: weights differ between 1 and %s threads", tt.dtype, tt.threads)
		}
	}
	c, lc := run(t, set(t, small(t), "seed", "43"))
	if strings.Join(la, "\n") == strings.Join(lc, "\n") || a.WeightsHash == c.WeightsHash {
		t.Error("another seed gave the same run")
	}
}

func TestLossFalls(t *testing.T) {
	if testing.Short() {
		t.Skip("360 steps take minutes with the portable kernels under the race detector")
	}
	r := small(t)
	_, _ = run(t, set(t, r, "num_train_epochs", "3", "eval_strategy", "epoch", "lesson_rows", "960", "learning_rate", "1e-3"))
	var evals []float64
	for _, m := range readMetrics(t, r.OutputDir) {
		if m.EvalLoss != nil {
			evals = append(evals, *m.EvalLoss)
		}
	}
	if len(evals) != 3 || !(evals[0] > evals[1] && evals[1] > evals[2]) {
		t.Errorf("held-out losses are %v; they should fall every epoch", evals)
	}
}

func readMetrics(t *testing.T, dir string) []Metric {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "metrics.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var rows []Metric
	for _, line := range bytes.Split(bytes.TrimSpace(text), []byte("\n")) {
		var m Metric
		if err := json.Unmarshal(line, &m); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, m)
	}
	return rows
}

func TestResumeContinuesExactly(t *testing.T) {
	for _, tt := range []struct{ packing, dtype, optim string }{{"false", "fp32", "adamw"}, {"true", "fp32", "adamw"}, {"false", "bf16", "adamw"}, {"false", "fp32", "muon"}} {
		t.Run("packing="+tt.packing+"/dtype="+tt.dtype+"/optim="+tt.optim, func(t *testing.T) {
			more := []string{"packing", tt.packing, "dtype", tt.dtype, "optim", tt.optim, "eval_steps", "7", "gradient_accumulation_steps", "2", "num_train_epochs", "2", "save_steps", "100"}
			whole, want := run(t, set(t, small(t), more...))
			r := set(t, small(t), more...)
			ctx, cancel := context.WithCancel(context.Background())
			stop := len(want) / 2
			var got []string
			collect := func(m Metric) {
				got = append(got, fmt.Sprintf("%d %x %x", m.Step, *m.Loss, m.GradNorm))
				if m.Step == stop {
					cancel()
				}
			}
			var log bytes.Buffer
			_, err := Run(ctx, r, Options{Out: new(bytes.Buffer), Log: &log, Quiet: true, OnStep: collect})
			if !errors.Is(err, ErrInterrupted) {
				t.Fatalf("error is %v, want ErrInterrupted", err)
			}
			if !strings.Contains(log.String(), "--resume_from_checkpoint true") {
				t.Errorf("the log does not say how to go on:\n%s", log.String())
			}
			res, err := Run(context.Background(), set(t, r, "resume_from_checkpoint", "true", "threads", "1"),
				Options{Out: new(bytes.Buffer), Log: &log, Quiet: true, OnStep: collect})
			if err != nil {
				t.Fatal(err)
			}
			if strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Errorf("losses differ:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			if res.WeightsHash != whole.WeightsHash {
				t.Error("weights differ")
			}
			steps := 0
			for _, m := range readMetrics(t, r.OutputDir) {
				if m.Loss != nil {
					steps++
					if m.Step != steps {
						t.Fatalf("metrics.jsonl: row %d is of step %d", steps, m.Step)
					}
				}
			}
			if steps != len(want) {
				t.Errorf("metrics.jsonl has %d steps, want %d", steps, len(want))
			}
			if _, err := Run(context.Background(), set(t, r, "resume_from_checkpoint", "true", "learning_rate", "1e-3"), Options{Out: new(bytes.Buffer), Log: &log, Quiet: true}); err == nil || !strings.Contains(err.Error(), "learning_rate") {
				t.Errorf("resuming with another learning rate: error is %v", err)
			}
		})
	}
}

func TestAccumulationIsExact(t *testing.T) {
	_, a := run(t, set(t, small(t), "per_device_train_batch_size", "8", "gradient_accumulation_steps", "1"))
	_, b := run(t, set(t, small(t), "per_device_train_batch_size", "1", "gradient_accumulation_steps", "8"))
	compareSteps(t, a, b, 1e-6)
}

// compareSteps compares losses and gradient norms of two runs step by step, relatively.
func compareSteps(t *testing.T, a, b []string, tolerance float64) {
	t.Helper()
	if len(a) != len(b) || len(a) == 0 {
		t.Fatalf("%d and %d steps", len(a), len(b))
	}
	for i := range a[:min(len(a), 10)] { // later steps amplify the last bits
		var n int
		var x, y, nx, ny float64
		fmt.Sscanf(a[i], "%d %g %g", &n, &x, &nx)
		fmt.Sscanf(b[i], "%d %g %g", &n, &y, &ny)
		if math.Abs(x-y) > tolerance*max(1, math.Abs(x)) {
			t.Errorf("step %d: losses %v and %v", n, x, y)
		}
	}
}

// TestPackedEqualsUnpacked checks that a row's loss does not depend on what lies beside it in the batch, bit for bit, and
// that computing a common prefix once changes neither losses nor gradients.
func TestPackedEqualsUnpacked(t *testing.T) {
	r := small(t)
	set, err := loadRows(context.Background(), &r)
	if err != nil {
		t.Fatal(err)
	}
	const rows = 24
	set.rows = set.rows[:rows]
	for i := range set.rows { // the rows' common prefix is long enough to be shared
		set.rows[i].Messages = append([]data.Message{{Role: "system", Content: "Answer as you are told."}}, set.rows[i].Messages...)
	}
	tr := &trainer{r: &r, set: set}
	a, err := tr.make(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if err := a.ReadWeights(); err != nil {
		t.Fatal(err)
	}
	defer a.Model.Close()
	if err := set.encode(context.Background(), a.Encoder(256, false), 2); err != nil {
		t.Fatal(err)
	}
	pool := kernel.NewPool(2)
	defer pool.Close()
	g, err := a.Model.NewTraining(pool, 4096, false)
	if err != nil {
		t.Fatal(err)
	}
	grads := func() []float32 {
		var out []float32
		for _, x := range a.Model.Grads() {
			out = append(out, x.Data...)
			clear(x.Data)
		}
		return out
	}
	losses := func(share bool, idx ...int) (out []float64, tokens int) {
		b := newBatcher(set.train, share)
		batch, _ := b.build(idx)
		if _, err := g.Run(batch); err != nil {
			t.Fatal(err)
		}
		for i, l := range g.Logprobs() {
			if batch.Weights[i] != 0 {
				out = append(out, -l)
			}
		}
		return out, batch.Len()
	}
	var alone []float64
	idx := make([]int, rows)
	for i := range idx {
		idx[i] = i
		l, _ := losses(false, i)
		alone = append(alone, l...)
	}
	want := grads()
	packed, tokens := losses(false, idx...)
	if !slices.Equal(packed, alone) {
		t.Error("packed losses differ from those of the rows alone")
	}
	compareGrads(t, "packed", grads(), want)
	shared, fewer := losses(true, idx...)
	if fewer >= tokens*3/4 {
		t.Errorf("%d tokens with a shared prefix, %d without", fewer, tokens)
	}
	for i := range alone {
		if math.Abs(shared[i]-alone[i]) > 1e-6*max(1, alone[i]) {
			t.Fatalf("trained token %d: loss %v with a shared prefix, %v alone", i, shared[i], alone[i])
		}
	}
	compareGrads(t, "shared prefix", grads(), want)
}

func compareGrads(t *testing.T, name string, got, want []float32) {
	t.Helper()
	norm, diff := 0.0, 0.0
	for i := range want {
		norm += float64(want[i]) * float64(want[i])
		diff += float64(got[i]-want[i]) * float64(got[i]-want[i])
	}
	if e := math.Sqrt(diff / norm); e > 1e-6 {
		t.Errorf("%s: gradients differ by %.2g of their norm", name, e)
	}
}

// TestReferenceSteps repeats ten AdamW steps of tiny models against PyTorch (see model/testdata/reference/make.py).
func TestReferenceSteps(t *testing.T) {
	for _, name := range []string{"llama", "qwen2", "qwen3", "gpt2"} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join("..", "model", "testdata", "reference", name)
			var ref struct {
				Rows []struct {
					IDs  []int32
					Mask []float32
				}
				Steps []struct {
					Loss float64
					Norm float64 `json:"grad_norm"`
				}
			}
			text, err := os.ReadFile(filepath.Join(dir, "expected.json"))
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(text, &ref); err != nil {
				t.Fatal(err)
			}
			var b model.Batch
			weight := 0.0
			for _, row := range ref.Rows {
				start := len(b.Tokens)
				for j := range len(row.IDs) - 1 {
					b.Tokens, b.Positions = append(b.Tokens, row.IDs[j]), append(b.Positions, int32(j))
					b.Targets, b.Weights = append(b.Targets, row.IDs[j+1]), append(b.Weights, row.Mask[j+1])
					weight += float64(row.Mask[j+1])
				}
				b.Segments = append(b.Segments, model.Segment{Start: start, End: len(b.Tokens)})
			}
			m := loadWeights(t, dir)
			pool := kernel.NewPool(2)
			defer pool.Close()
			g, err := m.NewTraining(pool, 128, false)
			if err != nil {
				t.Fatal(err)
			}
			r := set(t, DefaultRecipe(), "weight_decay", "0.1", "max_grad_norm", "1")
			opt, err := newOptimizer(pool, m, "adamw")
			if err != nil {
				t.Fatal(err)
			}
			defer opt.close()
			for i, want := range ref.Steps {
				sum, err := g.Run(b)
				if err != nil {
					t.Fatal(err)
				}
				norm := opt.gradNorm(weight)
				if loss := sum / weight; math.Abs(loss-want.Loss) > 1e-5 {
					t.Errorf("step %d: loss %.8f, want %.8f", i+1, loss, want.Loss)
				}
				if math.Abs(norm-want.Norm) > 1e-3*want.Norm {
					t.Errorf("step %d: gradient norm %.6f, want %.6f", i+1, norm, want.Norm)
				}
				if err := opt.step(&r, 1e-3, norm, weight); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

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
	m, err := model.New(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Load(dir, src); err != nil {
		t.Fatal(err)
	}
	return m
}

// TestBestModelIsTheResult trains until the held-out loss rises again and checks that the saved model is the best one.
func TestBestModelIsTheResult(t *testing.T) {
	r := set(t, small(t), "learning_rate", "0.1", "lr_scheduler_type", "constant", "warmup_steps", "3", "eval_steps", "1", "max_steps", "12",
		"load_best_model_at_end", "true", "save_total_limit", "1")
	res, _ := run(t, r)
	if res.BestStep == 0 || res.BestStep == res.Steps || res.BestLoss >= res.EvalLoss {
		t.Fatalf("best step %d of %d, loss %.4f, last %.4f: the run should get worse at its end", res.BestStep, res.Steps, res.BestLoss, res.EvalLoss)
	}
	a, err := LoadAssets(r.OutputDir, "")
	if err != nil {
		t.Fatal(err)
	}
	rows, err := loadRows(context.Background(), &r)
	if err != nil {
		t.Fatal(err)
	}
	if err := rows.encode(context.Background(), a.Encoder(r.MaxLength, false), 1); err != nil {
		t.Fatal(err)
	}
	pool := kernel.NewPool(1)
	defer pool.Close()
	e, err := newEvaluator(pool, a.Model, rows.heldOut, r.BatchSize, r.SharePrefix, nil)
	if err != nil {
		t.Fatal(err)
	}
	if loss, err := e.loss(context.Background()); err != nil || loss != res.BestLoss {
		t.Errorf("the saved model's held-out loss is %v (%v), the best was %v", loss, err, res.BestLoss)
	}
	list, err := checkpoints.List(r.OutputDir)
	if err != nil || len(list) == 0 || list[0].Step != res.BestStep {
		t.Errorf("checkpoints %v (%v); the best, of step %d, should be among them", list, err, res.BestStep)
	}
}
