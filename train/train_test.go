package train

import (
	"encoding/json"
	"fmt"
	"io"
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
	"instruct/tokenizer/chat"
	"instruct/train/recipe"
)

func TestThreadsGiveTheSameBits(t *testing.T) {
	fp32 := mustRun(t, set(t, small(t), "threads", "1"))
	bf16 := mustRun(t, set(t, small(t), "threads", "1", "dtype", "bf16"))
	differ(t, "dtype bf16", bf16, fp32)
	for _, c := range []struct {
		threads, dtype string
		want           trained
	}{{"2", "fp32", fp32}, {"3", "fp32", fp32}, {"2", "bf16", bf16}} {
		t.Run("threads="+c.threads+"/dtype="+c.dtype, func(t *testing.T) {
			sameBits(t, mustRun(t, set(t, small(t), "threads", c.threads, "dtype", c.dtype)), c.want)
		})
	}
	differ(t, "another seed", mustRun(t, set(t, small(t), "seed", "43")), fp32)
}

// differ checks that two runs have neither losses nor weights in common.
func differ(t *testing.T, what string, a, b trained) {
	t.Helper()
	if slices.Equal(a.steps, b.steps) || a.WeightsHash == b.WeightsHash {
		t.Errorf("%s gave the same run", what)
	}
}

func TestLossFalls(t *testing.T) {
	if testing.Short() {
		t.Skip("360 steps take minutes with the portable kernels under the race detector")
	}
	r := set(t, small(t), "num_train_epochs", "3", "eval_strategy", "epoch", "lesson_rows", "960", "learning_rate", "1e-3")
	mustRun(t, r)
	_, evals := readMetrics(t, r)
	losses := []float64{}
	for _, e := range evals {
		losses = append(losses, -*e.EvalLoss)
	}
	if len(losses) != 4 || !slices.IsSorted(losses) { // the first is from before training
		t.Errorf("the evaluations are %+v; the held-out loss should fall every epoch", evals)
	}
}

func TestResumeContinuesExactly(t *testing.T) {
	for _, c := range []struct{ packing, dtype, optim string }{
		{"false", "fp32", "adamw"}, {"true", "fp32", "adamw"}, {"false", "bf16", "adamw"}, {"false", "fp32", "muon"},
	} {
		t.Run("packing="+c.packing+"/dtype="+c.dtype+"/optim="+c.optim, func(t *testing.T) {
			more := []string{"packing", c.packing, "dtype", c.dtype, "optim", c.optim, "eval_steps", "7",
				"gradient_accumulation_steps", "2", "num_train_epochs", "2", "save_steps", "100"}
			whole := mustRun(t, set(t, small(t), more...))
			r := set(t, small(t), more...)
			sameBits(t, mustResume(t, r, len(whole.steps)/2, "threads", "1"), whole)
			steps, _ := readMetrics(t, r)
			for i, m := range steps {
				if m.Step != i+1 {
					t.Fatalf("metrics.jsonl: row %d is of step %d", i+1, m.Step)
				}
			}
			if len(steps) != len(whole.steps) {
				t.Errorf("metrics.jsonl has %d steps, want %d", len(steps), len(whole.steps))
			}
			r = set(t, r, "resume_from_checkpoint", "true", "learning_rate", "1e-3")
			if _, err := Run(t.Context(), r, silent(nil)); err == nil || !strings.Contains(err.Error(), "learning_rate") {
				t.Errorf("resuming with another learning rate: error is %v", err)
			}
		})
	}
}

func TestAccumulationIsExact(t *testing.T) {
	a := mustRun(t, set(t, small(t), "per_device_train_batch_size", "8", "gradient_accumulation_steps", "1"))
	b := mustRun(t, set(t, small(t), "per_device_train_batch_size", "1", "gradient_accumulation_steps", "8"))
	compareSteps(t, a.steps, b.steps, 1e-6)
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

// TestPackedEqualsUnpacked checks that a row's loss does not depend on what lies beside it in the batch, bit for bit,
// and that computing a common prefix once changes neither losses nor gradients.
func TestPackedEqualsUnpacked(t *testing.T) {
	r := small(t)
	set, err := findRows(t.Context(), &r)
	if err != nil {
		t.Fatal(err)
	}
	const rows = 24
	set.rows = set.rows[:rows]
	for i := range set.rows { // the rows' common prefix is long enough to be shared
		system := chat.Message{Role: "system", Content: "Answer as you are told."}
		set.rows[i].Messages = append([]chat.Message{system}, set.rows[i].Messages...)
	}
	m, err := fromScratch(t.Context(), &r, set.rows)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.ReadWeights(kernel.F32); err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if err := set.encode(t.Context(), &r, m, loadOptions{threads: 2, log: io.Discard}); err != nil {
		t.Fatal(err)
	}
	pool := kernel.NewPool(2)
	defer pool.Close()
	g, err := m.NewTraining(pool, 4096, false)
	if err != nil {
		t.Fatal(err)
	}
	grads := func() []float32 {
		var out []float32
		for _, x := range m.Grads() {
			out = append(out, x.Data...)
			clear(x.Data)
		}
		return out
	}
	losses := func(share bool, idx ...int) (out []float64, tokens int) {
		f := feed{graph: g, objective: MaskedMean{}}
		b := data.Batch{Share: share}
		if err := set.train.Batch(&b, idx); err != nil {
			t.Fatal(err)
		}
		if _, _, err := f.run(&b); err != nil {
			t.Fatal(err)
		}
		for i, l := range g.Logprobs() {
			if b.Weights[i] != 0 {
				out = append(out, -l)
			}
		}
		return out, len(b.Tokens)
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
			r := set(t, recipe.Default(), "weight_decay", "0.1", "max_grad_norm", "1")
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
				opt.step(&r, 1e-3, norm, weight)
			}
		})
	}
}

// TestBestModelIsTheResult trains until the held-out loss rises again and checks that the saved model is the best one.
func TestBestModelIsTheResult(t *testing.T) {
	r := set(t, small(t), "learning_rate", "0.1", "lr_scheduler_type", "constant", "warmup_steps", "3", "eval_steps", "1",
		"max_steps", "12", "load_best_model_at_end", "true", "save_total_limit", "1")
	res := mustRun(t, r)
	if res.BestStep == 0 || res.BestStep == res.Steps || res.BestLoss >= res.EvalLoss {
		t.Fatalf("best step %d of %d, loss %.4f, last %.4f: the run should get worse at its end",
			res.BestStep, res.Steps, res.BestLoss, res.EvalLoss)
	}
	if loss := savedLoss(t, r); loss != res.BestLoss {
		t.Errorf("the saved model's held-out loss is %v, the best was %v", loss, res.BestLoss)
	}
	list, err := checkpoints.List(r.OutputDir)
	if err != nil || len(list) == 0 || list[0].Step != res.BestStep {
		t.Errorf("checkpoints %v (%v); the best, of step %d, should be among them", list, err, res.BestStep)
	}
}
