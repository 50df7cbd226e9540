package train

import (
	"math"
	"testing"

	"instruct/model/kernel"
	"instruct/train/recipe"
)

// TestBF16Curve: on a real model and real data the losses with bf16 weights stay within 1 % of those with fp32 ones.
func TestBF16Curve(t *testing.T) {
	if testing.Short() {
		t.Skip("trains a real model, which takes minutes with the portable kernels")
	}
	folder := fixture(t, "models", "stories260K-hf")
	rows := fixture(t, "data", "rasbt-instruction", "instruction-data.json")
	losses := func(dtype string) []Metric {
		r := set(t, recipe.Default(), "model_name_or_path", folder, "dataset", rows, "eval_fraction", "0",
			"eval_strategy", "no", "save_strategy", "no", "max_length", "256", "per_device_train_batch_size", "8",
			"max_steps", "25", "learning_rate", "1e-3", "dtype", dtype, "output_dir", t.TempDir(),
			"overwrite_output_dir", "true")
		mustRun(t, r)
		steps, _ := readMetrics(t, r)
		return steps
	}
	fp32, bf16 := losses("fp32"), losses("bf16")
	if len(fp32) != 25 || len(bf16) != 25 || *fp32[24].Loss > 0.8**fp32[0].Loss {
		t.Fatalf("the run is no test: %d and %d steps, loss %g at first", len(fp32), len(bf16), *fp32[0].Loss)
	}
	for i := range fp32 {
		got, want := *bf16[i].Loss, *fp32[i].Loss
		if got == want {
			t.Errorf("step %d: the loss has the bits of fp32, %g", i+1, got)
		}
		if math.Abs(got-want) > 0.01*want {
			t.Errorf("step %d: loss %g with bf16, %g with fp32", i+1, got, want)
		}
	}
}

// TestDTypeAuto: a run with dtype auto has the bits of the dtype that it says it chose, which is recorded in its place,
// and which it keeps when it goes on.
func TestDTypeAuto(t *testing.T) {
	chosen := kernel.F32.String()
	if kernel.Pairs() {
		chosen = kernel.BF16.String()
	}
	more := []string{"max_steps", "6", "per_device_train_batch_size", "2", "dtype"}
	auto := set(t, quick(t), append(more, "auto")...)
	sameBits(t, mustRun(t, auto), mustRun(t, set(t, quick(t), append(more, chosen)...)))
	saved, err := ReadRun(auto.OutputDir)
	if err != nil {
		t.Fatal(err)
	}
	if saved.Recipe.DType != chosen {
		t.Errorf("the run says that it was made with dtype %q, want %q", saved.Recipe.DType, chosen)
	}
	if err := saved.SameRecipe(auto); err != nil {
		t.Error(err)
	}
	adapter := beside(t, "dtype", "auto", "max_steps", "2")
	mustRun(t, adapter)
	if saved, err = ReadRun(adapter.OutputDir); err != nil || saved.Recipe.DType != "fp32" {
		t.Errorf("the adapter was trained with dtype %q (%v)", saved.Recipe.DType, err)
	}
	for _, dtype := range []string{"fp32", "bf16"} {
		r := set(t, quick(t), append(more, dtype)...)
		sameBits(t, mustResume(t, r, 3, "dtype", "auto"), mustRun(t, set(t, quick(t), append(more, dtype)...)))
	}
}
