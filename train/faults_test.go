package train

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"instruct/checkpoints"
)

// TestFolderRemoved takes the folder of a run away while it trains: it says so at once and saves where it is, and the
// run that goes on from there ends as an undisturbed one, with every row of metrics.
func TestFolderRemoved(t *testing.T) {
	r := set(t, quick(t), "max_steps", "5")
	whole := mustRun(t, r)
	r = set(t, r, "output_dir", filepath.Join(t.TempDir(), "run"))
	_, err := Run(t.Context(), r, silent(func(m Metric) {
		if m.Step == 2 {
			if err := os.RemoveAll(r.OutputDir); err != nil {
				t.Error(err)
			}
		}
	}))
	if err == nil || !strings.Contains(err.Error(), "metrics.jsonl was removed while the run was at work") ||
		!strings.Contains(err.Error(), "saved after step 3") {
		t.Fatalf("error is %v", err)
	}
	var again trained
	r = set(t, r, "resume_from_checkpoint", "true")
	if again.Result, err = Run(t.Context(), r, silent(again.add)); err != nil {
		t.Fatal(err)
	}
	if again.WeightsHash != whole.WeightsHash {
		t.Error("other weights")
	}
	steps, _ := readMetrics(t, r)
	if len(steps) != 5 {
		t.Errorf("%d rows of steps, want 5", len(steps))
	}
}

// TestStoppedEvaluation stops a run while it evaluates: the one that goes on evaluates first, so that it has every loss
// and chooses the same best step.
func TestStoppedEvaluation(t *testing.T) {
	r := set(t, quick(t), "max_steps", "5", "eval_steps", "2", "load_best_model_at_end", "true")
	whole := mustRun(t, r)
	_, want := readMetrics(t, r)
	r = set(t, r, "output_dir", t.TempDir())
	again := mustResume(t, r, 4)
	_, got := readMetrics(t, r)
	if len(got) != len(want) || again.WeightsHash != whole.WeightsHash || again.BestStep != whole.BestStep {
		t.Fatalf("%d evaluations, best step %d; want %d, %d", len(got), again.BestStep, len(want), whole.BestStep)
	}
	for i := range want {
		if got[i].Step != want[i].Step || *got[i].EvalLoss != *want[i].EvalLoss {
			t.Errorf("%+v, want %+v", got[i], want[i])
		}
	}
}

// TestPossibleStates changes what a checkpoint says of where its run stands, with sums that agree.
func TestPossibleStates(t *testing.T) {
	r := set(t, quick(t), "max_steps", "4", "save_steps", "3")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, _ = Run(ctx, r, silent(func(m Metric) {
		if m.Step == 3 {
			cancel()
		}
	}))
	dir := filepath.Join(r.OutputDir, "checkpoint-3")
	path := filepath.Join(dir, checkpoints.StateFile)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for key, value := range map[string]any{"position": 1_000_000_000, "epoch": 1_000_000_000, "step": 2, "best_step": 9,
		"num_tokens": -1} {
		var st map[string]any
		if err := json.Unmarshal(good, &st); err != nil {
			t.Fatal(err)
		}
		if _, there := st[key]; !there {
			t.Fatalf("state.json has no %s", key)
		}
		st[key] = value
		if err := writeJSON(path, st); err != nil {
			t.Fatal(err)
		}
		if err := checkpoints.WriteSums(dir); err != nil {
			t.Fatal(err)
		}
		_, err := Run(t.Context(), set(t, r, "resume_from_checkpoint", "true"), silent(nil))
		if err == nil || !strings.Contains(err.Error(), "go on from another checkpoint") {
			t.Errorf("%s %v: error is %v", key, value, err)
		}
	}
}

// TestClearRunStopped: a run that was being replaced, and could not be removed as a whole, stays one that may be
// replaced; it had no checkpoint yet.
func TestClearRunStopped(t *testing.T) {
	for _, stop := range runFiles() {
		dir := t.TempDir()
		for _, name := range runFiles() {
			if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		path := filepath.Join(dir, stop) // a folder with something in it cannot be removed
		if err := errors.Join(os.Remove(path), os.MkdirAll(filepath.Join(path, "x"), 0o755)); err != nil {
			t.Fatal(err)
		}
		if err := clearRun(dir); err == nil || !isRun(dir) {
			t.Errorf("%s stays: error %v, a run %v", stop, err, isRun(dir))
		}
	}
}

// TestHistory bounds what a checkpoint has of the rows.
func TestHistory(t *testing.T) {
	for n, want := range map[int]int{0: 0, 1999: 1999, 2000: 1500, 20_000: 1950} {
		rows := make([]Metric, n)
		for i := range rows {
			rows[i].Step = i + 1
		}
		got := history(rows)
		if len(got) != want || n > 0 && (got[0].Step != 1 || got[len(got)-1].Step != n) {
			t.Errorf("%d rows of %d, want %d", len(got), n, want)
		}
	}
}
