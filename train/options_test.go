package train

import (
	"strings"
	"testing"

	"instruct/model/kernel"
	"instruct/train/recipe"
)

// option is a recipe key with the values that a test tries.
type option struct {
	key    string
	values []string
}

// pairs chooses settings of the options such that every two values of two options meet in one of them. It takes the
// setting that covers the most pairs not met yet, the first of equals, until none is left.
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

// TestEveryPairOfOptionsResumes makes 8 steps at once, and 4 that are interrupted with 4 after them, for settings in
// which every two values of two options meet: all losses and the weights must have the same bits.
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
			t.Log(setting)
			recipe := func() recipe.Recipe {
				return set(t, set(t, small(t), "dataset", path, "eval_fraction", "0", "max_length", "96",
					"per_device_train_batch_size", "2", "max_steps", "8", "warmup_steps", "2"), setting...)
			}
			whole := mustRun(t, recipe())
			if whole.Steps != 8 {
				t.Errorf("%d steps, want 8", whole.Steps)
			}
			sameBits(t, mustResume(t, recipe(), 4), whole)
		})
	}
}

// TestReportedLossIsThatOfTheSavedModel: what a run says of its last step, or of its best, is what the saved model has,
// for every optimizer with every dtype. The weights must have moved far enough that stale copies would show.
func TestReportedLossIsThatOfTheSavedModel(t *testing.T) {
	path := prefixed(t, 24)
	for _, optim := range []string{"adamw", "muon"} {
		for _, dtype := range []kernel.DType{kernel.F32, kernel.BF16} {
			for _, best := range []string{"false", "true"} {
				r := set(t, small(t), "dataset", path, "eval_dataset", path, "optim", optim, "dtype", dtype.String(),
					"learning_rate", "2e-2", "max_steps", "6", "eval_steps", "3", "load_best_model_at_end", best)
				res := mustRun(t, r)
				want := res.EvalLoss
				if best == "true" {
					want = res.BestLoss
				}
				if got := savedLoss(t, r); got != want {
					t.Errorf("optim %s, dtype %v, best %s: the saved model's held-out loss is %v, the run said %v",
						optim, dtype, best, got, want)
				}
			}
		}
	}
}
