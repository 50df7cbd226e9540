package train

import (
	"math"
	"os"
	"path/filepath"
	"testing"
)

// TestBF16Curve: on a real model and real data the losses with bf16 weights stay within 1 % of those with fp32 ones.
func TestBF16Curve(t *testing.T) {
	if testing.Short() {
		t.Skip("trains a real model, which takes minutes with the portable kernels")
	}
	dir := os.Getenv("INSTRUCT_FIXTURES")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "fixtures")
	}
	folder, rows := filepath.Join(dir, "models", "stories260K-hf"), filepath.Join(dir, "data", "rasbt-instruction", "instruction-data.json")
	for _, path := range []string{folder, rows} {
		if _, err := os.Stat(path); err != nil {
			t.Skipf("needs the fixtures (INSTRUCT_FIXTURES): %v", err)
		}
	}
	var losses [2][]float64
	for i, dtype := range []string{"fp32", "bf16"} {
		r := set(t, DefaultRecipe(), "model_name_or_path", folder, "dataset", rows, "eval_fraction", "0", "eval_strategy", "no", "save_strategy", "no", "max_length", "256",
			"per_device_train_batch_size", "8", "max_steps", "25", "learning_rate", "1e-3", "dtype", dtype, "output_dir", t.TempDir(), "overwrite_output_dir", "true")
		mustRun(t, r)
		for _, m := range readMetrics(t, r.OutputDir) {
			if m.Loss != nil {
				losses[i] = append(losses[i], *m.Loss)
			}
		}
	}
	first, last := losses[0][0], losses[0][len(losses[0])-1]
	if len(losses[0]) != 25 || len(losses[1]) != 25 || last > 0.8*first {
		t.Fatalf("the run is no test: %d and %d steps, loss from %g to %g", len(losses[0]), len(losses[1]), first, last)
	}
	for i, want := range losses[0] {
		got := losses[1][i]
		if got == want {
			t.Errorf("step %d: the loss has the bits of fp32, %g", i+1, got)
		}
		if math.Abs(got-want) > 0.01*want {
			t.Errorf("step %d: loss %g with bf16, %g with fp32", i+1, got, want)
		}
	}
}
