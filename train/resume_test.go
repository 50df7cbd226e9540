package train

import (
	"slices"
	"testing"

	"instruct/train/recipe"
)

// quick is a small run whose model is asked nothing.
func quick(t *testing.T) recipe.Recipe {
	t.Helper()
	return set(t, small(t), "dataset", prefixed(t, 24), "eval_fraction", "0.2")
}

// TestResumeWithEveryKey stops runs in their middle and goes on with another number of threads: the same bits, which
// are others than without the keys.
func TestResumeWithEveryKey(t *testing.T) {
	more := []string{"max_steps", "6", "gradient_accumulation_steps", "2", "per_device_train_batch_size", "2",
		"threads", "2"}
	plain := mustRun(t, set(t, quick(t), more...))
	for _, keys := range [][]string{
		{"ema_decay", "0.5"},
		{"ema_decay", "0.5", "dtype", "bf16", "optim", "muon"},
		{"label_smoothing_factor", "0.1", "z_loss", "1e-3"},
		{"neftune_noise_alpha", "5"},
		{"unfreeze_layers", "1", "unfrozen_parameters", "model.norm"},
	} {
		t.Run(keys[0], func(t *testing.T) {
			keys := slices.Concat(more, keys)
			want := mustRun(t, set(t, quick(t), keys...))
			if want.WeightsHash == plain.WeightsHash {
				t.Error("the keys change nothing")
			}
			sameBits(t, mustResume(t, set(t, quick(t), keys...), 3, "threads", "1"), want)
		})
	}
}

// TestNoiseAndAccumulation: a step's noise belongs to its rows, however they are put into micro-batches.
func TestNoiseAndAccumulation(t *testing.T) {
	more := []string{"neftune_noise_alpha", "20", "max_steps", "4"}
	a := mustRun(t, set(t, quick(t), append(more, "per_device_train_batch_size", "4")...))
	b := mustRun(t, set(t, quick(t), append(more, "per_device_train_batch_size", "1", "gradient_accumulation_steps",
		"4")...))
	compareSteps(t, a.steps, b.steps, 1e-6)
}
