package train

import (
	"path/filepath"
	"slices"
	"testing"

	"instruct/checkpoints"
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

// TestSavingBesideTheNextStep: a checkpoint that is written while the next step is on its way is that of its own step.
func TestSavingBesideTheNextStep(t *testing.T) {
	more := []string{"save_strategy", "steps", "save_steps", "1", "lr_scheduler_type", "constant", "max_steps"}
	long, short := quick(t), quick(t)
	mustRun(t, set(t, long, append(more, "3")...))
	mustRun(t, set(t, short, append(more, "2")...))
	for _, name := range []string{"model.safetensors", optimizerFile} {
		a, err := checkpoints.HashFile(filepath.Join(long.OutputDir, "checkpoint-2", name))
		if err != nil {
			t.Fatal(err)
		}
		b, err := checkpoints.HashFile(filepath.Join(short.OutputDir, "checkpoint-2", name))
		if err != nil || a != b {
			t.Errorf("%s of checkpoint-2 is another one in a run that went on (%v)", name, err)
		}
	}
}
