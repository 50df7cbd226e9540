package train

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"instruct/train/recipe"
)

// stagesOf is a small run of two stages.
func stagesOf(t *testing.T) recipe.Recipe {
	t.Helper()
	return set(t, small(t), "per_device_train_batch_size", "8", "save_steps", "2", "stages",
		`[{"lesson_rows": 48, "num_train_epochs": 1}, {"lesson_rows": 32, "learning_rate": 1e-3, "num_train_epochs": 1}]`)
}

// TestStagesResume stops a run of stages at several steps of either one, goes on, and compares the bits.
func TestStagesResume(t *testing.T) {
	want := mustRun(t, stagesOf(t))
	if len(want.steps) < 9 {
		t.Fatalf("%d steps are too few", len(want.steps))
	}
	for _, stop := range []int{3, 6, 7, 9} { // the first stage has 6
		r := stagesOf(t)
		run := stopAfter(t, r, stop)
		var err error
		r = set(t, r, "resume_from_checkpoint", "true", "threads", "1")
		if run.Result, err = Run(t.Context(), r, silent(run.add)); err != nil {
			t.Fatalf("stopped after step %d: %v", stop, err)
		}
		sameBits(t, *run, want)
	}
}

// stopAfter makes so many steps, of all stages together, of a run that then is stopped.
func stopAfter(t *testing.T, r recipe.Recipe, stop int) *trained {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var run trained
	var log bytes.Buffer
	o := Options{Out: new(bytes.Buffer), Log: &log, Quiet: true, OnStep: func(m Metric) {
		run.add(m)
		if len(run.steps) == stop {
			cancel()
		}
	}}
	if _, err := Run(ctx, r, o); !errors.Is(err, ErrInterrupted) {
		t.Fatalf("stopped after step %d: error is %v, want ErrInterrupted\n%s", stop, err, log.String())
	}
	if !strings.Contains(log.String(), "--resume_from_checkpoint true") {
		t.Errorf("the log does not say how to go on:\n%s", log.String())
	}
	return &run
}

// TestStagesAreRunsOfTheirOwn: a stage is the run that its recipe alone would make, and a saved recipe makes it again.
func TestStagesAreRunsOfTheirOwn(t *testing.T) {
	r := stagesOf(t)
	want := mustRun(t, r)
	first := mustRun(t, set(t, small(t), "per_device_train_batch_size", "8", "lesson_rows", "48", "num_train_epochs", "1"))
	second := set(t, small(t), "per_device_train_batch_size", "8", "lesson_rows", "32", "num_train_epochs", "1",
		"learning_rate", "1e-3", "model_name_or_path", first.OutputDir)
	second.ModelConfig, second.TokenizerName = "", ""
	if got := mustRun(t, second); got.WeightsHash != want.WeightsHash {
		t.Error("two runs have other weights than two stages")
	}
	again := recipe.Default()
	if _, err := again.Read(filepath.Join(r.OutputDir, recipeFile)); err != nil {
		t.Fatal(err)
	}
	again = set(t, again, "output_dir", filepath.Join(t.TempDir(), "again"))
	if got := mustRun(t, again); got.WeightsHash != want.WeightsHash {
		t.Error("the saved recipe makes other weights")
	}
	text, err := os.ReadFile(filepath.Join(r.OutputDir, manifestFile))
	if err != nil || !strings.Contains(string(text), first.WeightsHash) {
		t.Errorf("run.json does not name the weights of the first stage: %v\n%s", err, text)
	}
}

func TestStagesMistakes(t *testing.T) {
	done, stopped := stagesOf(t), stagesOf(t)
	mustRun(t, done)
	stopAfter(t, stopped, 8)
	tuned := done
	tuned.ModelConfig, tuned.TokenizerName = "", ""
	first := filepath.Join(done.OutputDir, "stage-1")
	foreign := t.TempDir()
	if err := os.WriteFile(filepath.Join(foreign, "model.safetensors"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		r    recipe.Recipe
		want string
	}{
		{set(t, done, "resume_from_checkpoint", "true"), "is finished"},
		{set(t, done, "resume_from_checkpoint", "somewhere"), "goes on with true or auto"},
		{set(t, stopped, "resume_from_checkpoint", "auto", "stages", `[{"lesson_rows": 40}, {"lesson_rows": 32}]`),
			`lesson_rows is "40" now and was "48"`},
		{set(t, stopped, "resume_from_checkpoint", "auto", "output_dir", foreign), "holds no earlier run"},
		{set(t, tuned, "model_name_or_path", filepath.Join(done.OutputDir, "stage-1")), "would be replaced"},
		{set(t, tuned, "model_name_or_path", filepath.Join(done.OutputDir, "stage-1", "checkpoint-6")), "would be replaced"},
		{set(t, done, "overwrite_output_dir", "false"), "is not empty"},
		{set(t, done, "stages", `[{"dataset": "none.jsonl"}]`, "output_dir", t.TempDir()), "none.jsonl does not exist"},
		{set(t, done, "stages", `[{"learning_rate": "fast"}]`), `learning_rate is "fast"`},
		{set(t, done, "stages", `[{"optim": "sgd"}]`), "stage 1: "},
		{set(t, done, "stages", `[{"output_dir": "x"}]`), "stage 1 has the key output_dir"},
		{set(t, done, "model_config", "", "tokenizer_name", "", "model_name_or_path", first, "output_dir", t.TempDir(),
			"stages", `[{"lora_r": 4}, {"adapter": "none"}]`), "stage 2: stage 1 makes an adapter, and adapter: none"},
		{set(t, done, "model_config", "", "tokenizer_name", "", "model_name_or_path", first, "output_dir", t.TempDir(),
			"stages", `[{"lora_r": 4}, {"seed": 1}, {"unfreeze_layers": 1}]`), "stage 3: stage 1 makes an adapter, and unf"},
		{set(t, done, "model_config", "", "tokenizer_name", "", "model_name_or_path", first, "output_dir", t.TempDir(),
			"stages", `[{"lora_r": 4}, {"lora_r": 8}]`), "stage 2: it trains on the adapter of stage 1"},
		{set(t, done, "stages", `[]`), "expected a list of mappings"},
		{set(t, done, "stages", `lessons`), "expected a list of mappings"},
	} {
		if _, err := Run(t.Context(), x.r, silent(nil)); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s, %s: %v, want %q", x.r.Stages, x.r.Resume, err, x.want)
		}
	}
	for _, dir := range []string{done.OutputDir, filepath.Join(done.OutputDir, "stage-1"), foreign} {
		if _, err := os.Stat(filepath.Join(dir, "model.safetensors")); err != nil {
			t.Errorf("a mistake cost a model: %v", err)
		}
	}
}
