package train

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"instruct/checkpoints"
)

// flip changes one bit in the middle of a file.
func flip(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text[len(text)/2] ^= 4
	if err := os.WriteFile(path, text, 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestDamagedCheckpoint goes on from the newest checkpoint that is as it was written, names the damaged one, and ends
// in the bits of a run that nothing happened to; where all are damaged, or the damaged one is asked for, it refuses.
func TestDamagedCheckpoint(t *testing.T) {
	more := []string{"save_steps", "2", "num_train_epochs", "1"}
	whole := mustRun(t, set(t, small(t), more...))
	r := set(t, small(t), more...)
	mustRun(t, set(t, r, "max_steps", "6"))
	last := filepath.Join(r.OutputDir, "checkpoint-6")
	flip(t, filepath.Join(last, optimizerFile))

	r = set(t, r, "resume_from_checkpoint", last)
	_, err := Run(t.Context(), r, silent(nil))
	if err == nil || !strings.Contains(err.Error(), "checkpoint-6/"+optimizerFile+": damaged") {
		t.Errorf("going on from a damaged checkpoint: error is %v", err)
	}
	var log bytes.Buffer
	var again trained
	r = set(t, r, "resume_from_checkpoint", "true")
	o := silent(again.add)
	o.Log = &log
	if again.Result, err = Run(t.Context(), r, o); err != nil {
		t.Fatal(err)
	}
	if again.WeightsHash != whole.WeightsHash || !strings.HasPrefix(again.steps[0], "5 ") {
		t.Errorf("went on with %s, other weights: %t", again.steps[0], again.WeightsHash != whole.WeightsHash)
	}
	if !strings.Contains(log.String(), "note: a newer checkpoint is passed over") {
		t.Errorf("the log does not name the damaged checkpoint:\n%s", log.String())
	}
	list, err := checkpoints.List(r.OutputDir)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range list {
		flip(t, filepath.Join(c.Path, checkpoints.StateFile))
	}
	before := entries(t, r.OutputDir)
	_, err = Run(t.Context(), r, silent(nil))
	if err == nil || !strings.Contains(err.Error(), "no checkpoint of "+r.OutputDir+" is as it was written") {
		t.Errorf("all checkpoints are damaged: error is %v", err)
	}
	if got := entries(t, r.OutputDir); len(got) != len(before) {
		t.Errorf("left are %v of %v", got, before)
	}
}

// TestDamagedCheckpointLimit ends a run that passed over a damaged checkpoint, of a step at which it saves nothing
// itself, with the checkpoints of a run that nothing happened to: under save_total_limit it takes nobody's place.
func TestDamagedCheckpointLimit(t *testing.T) {
	r := set(t, small(t), "save_steps", "2", "save_total_limit", "2", "max_steps", "10")
	stopped := set(t, r, "max_steps", "5")
	mustRun(t, stopped) // saves steps 4 and 5
	flip(t, filepath.Join(r.OutputDir, "checkpoint-5", "tokenizer.json"))
	r = set(t, r, "resume_from_checkpoint", "true", "max_steps", "6")
	mustRun(t, r)
	if got := checkpointNames(t, r.OutputDir); got != "4 6" {
		t.Errorf("after step 6: %s, want 4 and 6", got)
	}
	// Killed between the save of step 8 and its rotation: the next start deletes what is one too many.
	keep := t.TempDir()
	four := filepath.Join(r.OutputDir, "checkpoint-4")
	if err := os.CopyFS(keep, os.DirFS(four)); err != nil {
		t.Fatal(err)
	}
	mustRun(t, set(t, r, "max_steps", "8"))
	if err := os.CopyFS(four, os.DirFS(keep)); err != nil {
		t.Fatal(err)
	}
	mustRun(t, set(t, r, "max_steps", "8"))
	if got := checkpointNames(t, r.OutputDir); got != "6 8" {
		t.Errorf("after a rotation that was cut short: %s, want 6 and 8", got)
	}
}

// checkpointNames are the steps of the checkpoints of a run.
func checkpointNames(t *testing.T, dir string) string {
	t.Helper()
	list, err := checkpoints.List(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range list {
		names = append(names, strconv.Itoa(c.Step))
	}
	return strings.Join(names, " ")
}

// TestTwoRunsInOneFolder refuses a run in the folder of another one that is at work, whatever it asks for, and leaves
// that one alone.
func TestTwoRunsInOneFolder(t *testing.T) {
	r := set(t, small(t), "max_steps", "4", "save_steps", "2")
	tried := 0
	o := silent(func(m Metric) {
		if m.Step != 3 {
			return
		}
		for _, pairs := range [][]string{nil, {"overwrite_output_dir", "true"}, {"resume_from_checkpoint", "true"},
			{"resume_from_checkpoint", "auto"}} {
			before := entries(t, r.OutputDir)
			_, err := Run(t.Context(), set(t, r, pairs...), silent(nil))
			if err == nil || !strings.Contains(err.Error(), "another run is at work in it") {
				t.Errorf("%v: error is %v", pairs, err)
			}
			if got := entries(t, r.OutputDir); len(got) != len(before) {
				t.Errorf("%v: left are %v of %v", pairs, got, before)
			}
			tried++
		}
	})
	if _, err := Run(t.Context(), r, o); err != nil || tried != 4 {
		t.Fatalf("%d tries, %v", tried, err)
	}
	whole := mustRun(t, set(t, small(t), "max_steps", "4", "save_steps", "2"))
	again := mustRun(t, set(t, r, "overwrite_output_dir", "true")) // its lock ended with it
	if again.WeightsHash != whole.WeightsHash {
		t.Error("weights differ")
	}
}
