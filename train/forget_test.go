package train

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"instruct/train/recipe"
	"instruct/train/record"
)

// forgettable is a recorded run with checkpoints of two of its six steps, and its rows in the order of their use.
func forgettable(t *testing.T, more ...string) (r recipe.Recipe, rows []string) {
	t.Helper()
	var text strings.Builder
	for i := range 12 {
		fmt.Fprintf(&text, `{"prompt":"Number %d, please.","completion":"%s %d"}`+"\n", i, strings.Repeat("so ", i), i*i)
	}
	path := filepath.Join(t.TempDir(), "rows.jsonl")
	if err := os.WriteFile(path, []byte(text.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	r = set(t, quick(t), "dataset", path, "eval_fraction", "0", "per_device_train_batch_size", "2", "max_steps", "6",
		"train_sampling_strategy", "sequential", "save_strategy", "steps", "save_steps", "2", "save_total_limit", "9",
		"output_dir", filepath.Join(t.TempDir(), "run"))
	r = set(t, r, more...)
	mustRun(t, r)
	for i := range 12 {
		rows = append(rows, fmt.Sprintf("rows.jsonl:%d", i+1))
	}
	return r, rows
}

// afresh is the weights hash of the run made from the start without rows.
func afresh(t *testing.T, r recipe.Recipe, rows ...string) string {
	t.Helper()
	r = set(t, r, "output_dir", filepath.Join(t.TempDir(), "afresh"))
	r.DropRows = rows
	return mustRun(t, r).WeightsHash
}

func forget(t *testing.T, r recipe.Recipe, rows ...string) (*Forgetting, *Forgotten) {
	t.Helper()
	f, err := PlanForget(t.Context(), r.OutputDir, rows, silent(nil))
	if err != nil {
		t.Fatal(err)
	}
	out, err := f.Do(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return f, out
}

// holds audits a run, and makes it again.
func holds(t *testing.T, r recipe.Recipe) {
	t.Helper()
	a, err := record.Verify(t.Context(), r.OutputDir, record.AuditOptions{Reads: ReadsOfRun})
	if err != nil || !a.Holds {
		t.Errorf("%+v, %v", a, err)
	}
	if c := verify(t, r, VerifyOptions{}); !c.Holds {
		t.Errorf("%+v", c)
	}
}

// TestForget: without rows that were first used in each part of a run, it has the weights of a run that never had them,
// whichever checkpoint it goes on from.
func TestForget(t *testing.T) {
	for _, c := range []struct {
		rows        []int // from 0
		first, from int
	}{
		{[]int{0}, 1, 0},
		{[]int{4, 9}, 3, 2},
		{[]int{11}, 6, 4},
	} {
		t.Run(fmt.Sprint(c.rows), func(t *testing.T) {
			r, all := forgettable(t)
			var rows []string
			for _, i := range c.rows {
				rows = append(rows, all[i])
			}
			want := afresh(t, r, rows...)
			f, out := forget(t, r, rows...)
			if f.First != c.first || f.From != c.from || f.Steps != 6 || len(f.Rows) != len(rows) {
				t.Errorf("%+v", f)
			}
			if out.Now != want || out.Now == out.Before {
				t.Errorf("the weights are %s, were %s, want %s", out.Now, out.Before, want)
			}
			holds(t, r)
			now := recipe.Default()
			if _, err := now.Read(filepath.Join(r.OutputDir, recipeFile)); err != nil || !slices.Equal(now.DropRows, rows) {
				t.Errorf("drop_rows is %q, %v", now.DropRows, err)
			}
			if left, _ := filepath.Glob(filepath.Join(filepath.Dir(r.OutputDir), ".run*")); len(left) > 0 {
				t.Errorf("%q are left", left)
			}
		})
	}
}

// TestForgetTwice: rows are forgotten after others, as if neither had been there; the record says both, in hashes only,
// and what is not of the run stays.
func TestForgetTwice(t *testing.T) {
	r, rows := forgettable(t, "load_best_model_at_end", "false")
	for name, text := range map[string]string{"notes.txt": "of mine", cardFile: "my card"} {
		if err := os.WriteFile(filepath.Join(r.OutputDir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	forget(t, r, rows[10])
	_, out := forget(t, r, rows[5])
	if want := afresh(t, r, rows[10], rows[5]); out.Now != want {
		t.Errorf("the weights are %s, want %s", out.Now, want)
	}
	if !slices.Equal(out.Kept, []string{cardFile, "notes.txt"}) {
		t.Errorf("kept are %q", out.Kept)
	}
	holds(t, r)
	text, err := os.ReadFile(filepath.Join(r.OutputDir, record.File))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), `"kind":"forget"`); n != 2 || strings.Contains(string(text), "Number") {
		t.Errorf("%d entries in\n%s", n, text)
	}
	for _, name := range []string{samplesFile, pageFile, manifestFile} {
		text, err := os.ReadFile(filepath.Join(r.OutputDir, name))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "Number 5,") || strings.Contains(string(text), "Number 10,") {
			t.Errorf("%s has the text of a forgotten row", name)
		}
	}
}

// TestForgetStopped: what is stopped leaves the old run whole, and goes on.
func TestForgetStopped(t *testing.T) {
	r, rows := forgettable(t)
	want := afresh(t, r, rows[2])
	before, err := os.ReadFile(filepath.Join(r.OutputDir, manifestFile))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	f, err := PlanForget(ctx, r.OutputDir, rows[2:3], silent(func(m Metric) {
		if m.Step == 3 {
			cancel()
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Do(ctx); !errors.Is(err, ErrInterrupted) {
		t.Fatalf("error is %v", err)
	}
	now, err := os.ReadFile(filepath.Join(r.OutputDir, manifestFile))
	if err != nil || string(now) != string(before) {
		t.Error("the old run changed")
	}
	holds(t, r)
	var steps []int
	f, err = PlanForget(t.Context(), r.OutputDir, rows[2:3], silent(func(m Metric) { steps = append(steps, m.Step) }))
	if err != nil {
		t.Fatal(err)
	}
	out, err := f.Do(t.Context())
	if err != nil || out.Now != want || !slices.Equal(steps, []int{4, 5, 6}) {
		t.Errorf("%v, %+v, steps %v", err, out, steps)
	}

	// Killed between the two renames: the old one is put back.
	aside := filepath.Join(filepath.Dir(r.OutputDir), ".run.old-abc")
	if err := os.Rename(r.OutputDir, aside); err != nil {
		t.Fatal(err)
	}
	if err := MendForget(r.OutputDir); err != nil {
		t.Fatal(err)
	}
	holds(t, r)
}

// TestForgetRefuses says what cannot be forgotten, and finds rows that say almost the same.
func TestForgetRefuses(t *testing.T) {
	r, rows := forgettable(t)
	for _, c := range []struct {
		rows []string
		want string
	}{
		{[]string{"rows.jsonl:40"}, "rows.jsonl:40 is no row of the data set"},
		{[]string{"x"}, "names no row"},
		{rows, "every row"},
	} {
		if _, err := PlanForget(t.Context(), r.OutputDir, c.rows, silent(nil)); err == nil ||
			!strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v", c.rows, err)
		}
	}
	if _, err := PlanForget(t.Context(), t.TempDir(), rows[:1], silent(nil)); err == nil {
		t.Error("of no run")
	}
	forget(t, r, rows[3])
	if _, err := PlanForget(t.Context(), r.OutputDir, rows[3:4], silent(nil)); err == nil ||
		!strings.Contains(err.Error(), "nothing to forget") {
		t.Errorf("again: %v", err)
	}
	file, err := os.OpenFile(r.Dataset[0], os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(file, `{"prompt":"x","completion":"y"}`)
	file.Close()
	if _, err := PlanForget(t.Context(), r.OutputDir, rows[:1], silent(nil)); err == nil ||
		!strings.Contains(err.Error(), "are not those that it was trained on") {
		t.Errorf("with other data: %v", err)
	}
}
