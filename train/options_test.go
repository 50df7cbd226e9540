package train

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"instruct/model/kernel"
	"instruct/model/pretrained"
)

// option is a recipe key with the values that a test tries.
type option struct {
	key    string
	values []string
}

// pairs chooses settings of the options such that every two values of two options meet in one of them. It takes the setting
// that covers the most pairs not met yet, the first of equals, until none is left.
func pairs(options []option) [][]string {
	type pair struct{ i, j, a, b int }
	missing := map[pair]bool{}
	for i := range options {
		for j := range i {
			for a := range options[i].values {
				for b := range options[j].values {
					missing[pair{i, j, a, b}] = true
				}
			}
		}
	}
	all := 1
	for _, o := range options {
		all *= len(o.values)
	}
	var out [][]string
	for len(missing) > 0 {
		var best []pair
		var setting []string
		for n := range all {
			choice, rest := make([]int, len(options)), n
			for i, o := range options {
				choice[i] = rest % len(o.values)
				rest /= len(o.values)
			}
			var met []pair
			for i := range options {
				for j := range i {
					if p := (pair{i, j, choice[i], choice[j]}); missing[p] {
						met = append(met, p)
					}
				}
			}
			if len(met) > len(best) {
				best, setting = met, nil
				for i, o := range options {
					setting = append(setting, o.key, o.values[choice[i]])
				}
			}
		}
		for _, p := range best {
			delete(missing, p)
		}
		out = append(out, setting)
	}
	return out
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

// TestEveryPairOfOptionsResumes makes 8 steps at once, and 4 that are interrupted with 4 after them, for settings in which
// every two values of two options meet: all losses and the weights must have the same bits.
func TestEveryPairOfOptionsResumes(t *testing.T) {
	settings := pairs([]option{
		{"optim", []string{"adamw", "muon"}}, {"dtype", []string{"fp32", "bf16"}}, {"packing", []string{"false", "true"}},
		{"gradient_accumulation_steps", []string{"1", "3"}}, {"gradient_checkpointing", []string{"false", "true"}},
		{"share_prefix", []string{"true", "false"}},
		{"train_sampling_strategy", []string{"random", "sequential", "group_by_length"}},
	})
	if len(settings) < 6 || len(settings) > 16 {
		t.Fatalf("%d settings", len(settings))
	}
	if testing.Short() { // the portable kernels under the race detector
		settings = settings[:2]
	}
	path := prefixed(t, 24)
	for _, setting := range settings {
		t.Run(strings.Join(setting[:4], "="), func(t *testing.T) {
			recipe := func() Recipe {
				return set(t, set(t, small(t), "dataset", path, "eval_fraction", "0", "max_length", "96",
					"per_device_train_batch_size", "2", "max_steps", "8", "warmup_steps", "2"), setting...)
			}
			whole, want := mustRun(t, recipe())
			r := recipe()
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			var got []string
			o := Options{Out: new(bytes.Buffer), Log: new(bytes.Buffer), Quiet: true, OnStep: func(m Metric) {
				got = append(got, fmt.Sprintf("%d %x %x", m.Step, *m.Loss, m.GradNorm))
				if m.Step == 4 {
					cancel()
				}
			}}
			if _, err := Run(ctx, r, o); !errors.Is(err, ErrInterrupted) {
				t.Fatalf("%v: error is %v, want ErrInterrupted", setting, err)
			}
			res, err := Run(context.Background(), set(t, r, "resume_from_checkpoint", "true"), o)
			if err != nil {
				t.Fatal(err)
			}
			if len(want) != 8 || !slices.Equal(got, want) {
				t.Errorf("%v: losses differ:\n%s\nwant\n%s", setting, strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			if res.WeightsHash != whole.WeightsHash {
				t.Errorf("%v: weights differ", setting)
			}
		})
	}
}

// TestReportedLossIsThatOfTheSavedModel: what a run says of its last step, or of its best, is what the saved model has, for
// every optimizer with every dtype. The weights must have moved far enough that stale copies would show.
func TestReportedLossIsThatOfTheSavedModel(t *testing.T) {
	path := prefixed(t, 24)
	for _, optim := range []string{"adamw", "muon"} {
		for _, dtype := range []kernel.DType{kernel.F32, kernel.BF16} {
			for _, best := range []string{"false", "true"} {
				r := set(t, small(t), "dataset", path, "eval_dataset", path, "optim", optim, "dtype", dtype.String(),
					"learning_rate", "2e-2", "max_steps", "6", "eval_steps", "3", "load_best_model_at_end", best)
				res, _ := mustRun(t, r)
				want := res.EvalLoss
				if best == "true" {
					want = res.BestLoss
				}
				if got := savedLoss(t, r, dtype); got != want {
					t.Errorf("optim %s, dtype %v, best %s: the saved model's held-out loss is %v, the run said %v",
						optim, dtype, best, got, want)
				}
			}
		}
	}
}

// savedLoss measures the held-out loss of the model that a run saved.
func savedLoss(t *testing.T, r Recipe, dtype kernel.DType) float64 {
	t.Helper()
	m, err := pretrained.Load(r.OutputDir, pretrained.Options{DType: dtype})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	rows, err := loadRows(context.Background(), &r)
	if err != nil {
		t.Fatal(err)
	}
	if err := rows.encode(context.Background(), encoder(m, &r), 1, m.Config.Vocab); err != nil {
		t.Fatal(err)
	}
	pool := kernel.NewPool(1)
	defer pool.Close()
	h, err := newHeldOut(pool, m.Model, heldOutOptions{examples: rows.heldOut, rows: r.BatchSize, share: r.SharePrefix})
	if err != nil {
		t.Fatal(err)
	}
	defer h.close()
	loss, _, err := h.loss(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return loss
}
