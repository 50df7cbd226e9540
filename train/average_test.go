package train

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"instruct/checkpoints"
)

// TestAverageOfWeights makes steps with and without the average: the steps are the same, and what is saved is what the
// formula gives of the weights after each step, of a run whose checkpoints have those.
func TestAverageOfWeights(t *testing.T) {
	more := []string{"max_steps", "4", "save_steps", "1", "save_total_limit", "9", "eval_steps", "1"}
	plain := set(t, quick(t), more...)
	averaged := set(t, quick(t), append(more, "ema_decay", "0.35")...)
	was, got := mustRun(t, plain), mustRun(t, averaged)
	if strings.Join(was.steps, " ") != strings.Join(got.steps, " ") || was.WeightsHash == got.WeightsHash {
		t.Error("the steps are others, or the weights are not")
	}
	first := set(t, quick(t), "learning_rate", "0", "max_steps", "1")
	mustRun(t, first)
	want := weightsOf(t, first.OutputDir)
	for n, decay := range []float64{2. / 11, 3. / 12, 4. / 13, 0.35} { // (1+n)/(10+n), until that is more
		for name, w := range weightsOf(t, checkpointDir(&plain, n+1)) {
			for i, x := range w {
				want[name][i] = float32(decay*float64(want[name][i]) + (1-decay)*float64(x))
			}
		}
	}
	for name, w := range weightsOf(t, averaged.OutputDir) {
		for i, x := range w {
			if math.Abs(float64(x-want[name][i])) > 1e-6 {
				t.Fatalf("%s[%d] is %v, want %v", name, i, x, want[name][i])
			}
		}
	}
	_, evals := readMetrics(t, averaged)
	_, others := readMetrics(t, plain)
	if *evals[0].EvalLoss != *others[0].EvalLoss || *evals[4].EvalLoss == *others[4].EvalLoss {
		t.Error("the held-out loss is not that of the average")
	}
	if l := savedLoss(t, averaged); math.Abs(l-*evals[4].EvalLoss) > 1e-6 {
		t.Errorf("the saved model has held-out loss %v; measured was %v", l, *evals[4].EvalLoss)
	}
}

// weightsOf reads the tensors of a model's folder.
func weightsOf(t *testing.T, dir string) map[string][]float32 {
	t.Helper()
	src, err := checkpoints.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	all := map[string][]float32{}
	for _, name := range src.Names() {
		shape, _ := src.Shape(name)
		n := 1
		for _, d := range shape {
			n *= d
		}
		all[name] = make([]float32, n)
		if err := src.Read(name, all[name]); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// TestAverageNeedsItsCheckpoint goes on from a checkpoint that lacks the weights beside their average.
func TestAverageNeedsItsCheckpoint(t *testing.T) {
	r := set(t, quick(t), "max_steps", "2", "save_steps", "1")
	mustRun(t, r)
	state := filepath.Join(checkpointDir(&r, 2), "state.json")
	text, err := os.ReadFile(state)
	if err == nil {
		err = os.Remove(filepath.Join(filepath.Dir(state), checkpoints.SumsFile))
	}
	if err == nil {
		err = os.WriteFile(state, []byte(strings.Replace(string(text), `"EMADecay": 0`, `"EMADecay": 0.9`, 1)), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	r = set(t, r, "ema_decay", "0.9", "max_steps", "4", "resume_from_checkpoint", "true")
	if _, err := Run(t.Context(), r, silent(nil)); err == nil || !strings.Contains(err.Error(), "has no trained.") {
		t.Errorf("error is %v", err)
	}
}
