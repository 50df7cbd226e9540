package train

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"instruct/train/recipe"
)

// runLarge trains on data that count as large.
func runLarge(t *testing.T, ctx context.Context, r recipe.Recipe, onStep func(Metric)) (run trained, log string,
	err error) {
	t.Helper()
	var text bytes.Buffer
	o := Options{Out: new(bytes.Buffer), Log: &text, Large: 1, OnStep: func(m Metric) {
		run.add(m)
		if onStep != nil {
			onStep(m)
		}
	}}
	run.Result, err = Run(ctx, r, o)
	return run, text.String(), err
}

// mustRunLarge is runLarge without an error.
func mustRunLarge(t *testing.T, r recipe.Recipe) (trained, string) {
	t.Helper()
	run, log, err := runLarge(t, t.Context(), r, nil)
	if err != nil {
		t.Fatal(err)
	}
	return run, log
}

// readManifest reads run.json.
func readManifest(t *testing.T, r recipe.Recipe) (m Manifest) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(r.OutputDir, manifestFile))
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestBeginningHasTheBitsOfTheWhole: where no row is passed over, a run that reads only what its steps need has the
// bits of one that reads everything, and says what it read.
func TestBeginningHasTheBitsOfTheWhole(t *testing.T) {
	r := tuned(t, madeBase(t))
	copyFile(t, prefixed(t, 200), "rows.jsonl")
	for _, sampling := range []string{"random", "sequential"} {
		r := set(t, r, "train_sampling_strategy", sampling, "output_dir", sampling)
		whole := mustRun(t, r)
		part, log := mustRunLarge(t, set(t, r, "output_dir", sampling+"-part"))
		sameBits(t, part, whole)
		if whole.EvalLoss != part.EvalLoss {
			t.Errorf("%s: held-out losses %v and %v", sampling, whole.EvalLoss, part.EvalLoss)
		}
		if !strings.Contains(log, "the files have 200 rows; the ") {
			t.Errorf("the log does not say what was read:\n%s", log)
		}
		m := readManifest(t, set(t, r, "output_dir", sampling+"-part"))
		all := readManifest(t, r)
		if m.FileRows != 200 || m.Rows < 8 || m.Rows > 100 || all.FileRows != 0 || all.Rows != 200 {
			t.Errorf("%s: run.json says %+v", sampling, m)
		}
		if len(m.Files) != 2 || fmt.Sprint(m.Files) != fmt.Sprint(all.Files) {
			t.Errorf("hashes of files are %v, want %v", m.Files, all.Files)
		}
		if steps, _ := readMetrics(t, set(t, r, "output_dir", sampling+"-part")); steps[1].Epoch != 0.04 {
			t.Errorf("after 8 of 200 rows the epoch is %v", steps[1].Epoch)
		}
	}
}

// TestWholeIsRead: what needs all lengths, or all rows, reads them.
func TestWholeIsRead(t *testing.T) {
	r := tuned(t, madeBase(t))
	for _, keys := range [][]string{{"packing", "true"}, {"train_sampling_strategy", "group_by_length"},
		{"max_steps", "100"}, {"max_samples", "30"}, {"max_steps", "-1", "num_train_epochs", "0.02"}} {
		r := set(t, r, keys...)
		s, err := NewSetup(t.Context(), &r, SetupOptions{Large: 1})
		if err != nil {
			t.Fatal(err)
		}
		if n := s.rows.train.Len(); s.rows.beginning.Rows != 0 || n < 30 {
			t.Errorf("%v: %d of %d rows", keys, n, s.rows.beginning.Rows)
		}
		s.Close()
	}
}

// TestBeginningResumed: a run that read the beginning goes on within its epoch with the same bits, also to more steps,
// and not beyond; one that read everything goes on reading everything.
func TestBeginningResumed(t *testing.T) {
	r := set(t, tuned(t, madeBase(t)), "eval_dataset", "", "eval_fraction", "0.1", "max_steps", "4",
		"eval_strategy", "no")
	copyFile(t, prefixed(t, 200), "rows.jsonl")
	want, _ := mustRunLarge(t, set(t, r, "output_dir", "want"))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, _, err := runLarge(t, ctx, r, func(m Metric) {
		if m.Step == 2 {
			cancel()
		}
	})
	if !errors.Is(err, ErrInterrupted) {
		t.Fatalf("stopped: %v", err)
	}
	again := set(t, r, "resume_from_checkpoint", "true")
	got := mustRun(t, again) // also where the data do not count as large
	if got.WeightsHash != want.WeightsHash {
		t.Error("the weights are others after going on")
	}
	mustRun(t, set(t, r, "max_steps", "2", "output_dir", "short"))
	short, _ := mustRunLarge(t, set(t, r, "max_steps", "2", "output_dir", "part", "lr_scheduler_type", "constant"))
	longer := set(t, r, "output_dir", "part", "lr_scheduler_type", "constant", "resume_from_checkpoint", "true")
	got = mustRun(t, longer)
	want, _ = mustRunLarge(t, set(t, r, "output_dir", "constant", "lr_scheduler_type", "constant"))
	if got.WeightsHash != want.WeightsHash || got.WeightsHash == short.WeightsHash {
		t.Error("a run of 2 steps that goes on to 4 has other weights than one of 4")
	}
	for _, keys := range [][]string{{"max_steps", "100"}, {"max_steps", "-1"}} {
		_, err := Run(t.Context(), set(t, longer, keys...), silent(nil))
		if err == nil || !strings.Contains(err.Error(), "read only the rows that its steps needed") {
			t.Errorf("%v: %v", keys, err)
		}
	}
	whole := set(t, r, "output_dir", "short", "resume_from_checkpoint", "true")
	if _, _, err := runLarge(t, t.Context(), whole, nil); err != nil {
		t.Errorf("a run that read everything: %v", err)
	}
	if m := readManifest(t, whole); m.FileRows != 0 {
		t.Errorf("it read %d rows of %d", m.Rows, m.FileRows)
	}
	changed(t, "rows.jsonl", `{"prompt":"Q","completion":"A"}`+"\n")
	_, err = Run(t.Context(), longer, silent(nil))
	if err == nil || !strings.Contains(err.Error(), "rows.jsonl has another content now") {
		t.Errorf("a row more: %v", err)
	}
}

// TestReading: what is said of a reading that takes long.
func TestReading(t *testing.T) {
	p := newReading(new(bytes.Buffer), false, 5_000_000_000, bytesText)
	p.seen(make([]byte, 41_000_000))
	p.finish()
	if got, want := p.text(1e9), "reading 5.0 GB: 41 MB/s, 2m1s left"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	p.done.Store(0)
	if got := p.text(1e9); got != "reading 5.0 GB" {
		t.Errorf("%q", got)
	}
}

// TestStoppedReading: a run that is stopped while it reads says so and leaves nothing.
func TestStoppedReading(t *testing.T) {
	r := tuned(t, madeBase(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, large := range []int64{0, 1} {
		o := silent(nil)
		o.Large = large
		if _, err := Run(ctx, r, o); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		if left, err := os.ReadDir(r.OutputDir); err == nil {
			t.Errorf("the folder has %v", left)
		}
	}
}

// TestBeginningForMoreSteps: who makes more steps than max_steps, as bench does, has rows for them.
func TestBeginningForMoreSteps(t *testing.T) {
	r := set(t, tuned(t, madeBase(t)), "eval_dataset", "", "output_dir", "run")
	copyFile(t, prefixed(t, 300), "rows.jsonl")
	s, err := NewSetup(t.Context(), &r, SetupOptions{Large: 1, Steps: 30})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if s.rows.beginning.Rows != 300 || s.rows.train.Len() == 300 {
		t.Errorf("%d of %d rows were read", s.rows.train.Len(), s.rows.beginning.Rows)
	}
	for step, rows := range take(s.Cursor, 30) {
		if len(rows) == 0 {
			t.Errorf("step %d has no rows", step+1)
		}
	}
}

// TestPairsWithoutHeldOut: a loss of preferences needs no held-out rows.
func TestPairsWithoutHeldOut(t *testing.T) {
	r := set(t, tuned(t, madeBase(t)), "eval_dataset", "", "eval_fraction", "0", "loss_type", "sigmoid")
	pairs := strings.Repeat(`{"prompt":"Q","chosen":"Yes","rejected":"No"}`+"\n", 4)
	if err := os.WriteFile("rows.jsonl", []byte(pairs), 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := NewSetup(t.Context(), &r, SetupOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if s.rows.count() != 4 || s.rows.countHeldOut() != 0 {
		t.Errorf("%d pairs, %d held out", s.rows.count(), s.rows.countHeldOut())
	}
}
