package train

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"instruct/checkpoints"
	"instruct/train/record"
)

// handed trains a run with checkpoints at every step and hands over an early one; script does what continue.py does to
// the folder, which is to come to what the run itself came to.
func handed(t *testing.T) (whole trained, last int, dir string) {
	t.Helper()
	r := set(t, small(t), "save_strategy", "steps", "save_steps", "1", "save_total_limit", "99", "num_train_epochs", "2",
		"gradient_accumulation_steps", "2")
	whole = mustRun(t, r)
	dir = filepath.Join(t.TempDir(), "handed")
	var said bytes.Buffer
	from := filepath.Join(r.OutputDir, "checkpoint-2")
	if err := HandOver(t.Context(), from, dir, &said); err != nil {
		t.Fatal(err)
	}
	return whole, whole.Steps - 1, dir
}

// TestHandOver: the plan of the steps that are left has the rates and the tokens of the run's own steps.
func TestHandOver(t *testing.T) {
	whole, last, dir := handed(t)
	for _, name := range []string{"model/config.json", "train.parquet", "optimizer.safetensors", "continue.py", "ddp.yaml",
		"fsdp.yaml", "sft.yaml"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	for _, sub := range []string{dir, filepath.Join(dir, "model")} { // the sums of the checkpoint are of other files
		if slices.Contains(entries(t, sub), checkpoints.SumsFile) {
			t.Errorf("%s has the sums of the checkpoint", sub)
		}
	}
	if text := read(t, filepath.Join(dir, "sft.yaml")); strings.ContainsAny(text, "{}") {
		t.Errorf("sft.yaml: %s", text)
	}
	var steps []Metric
	for line := range strings.Lines(read(t, filepath.Join(whole.OutputDir, "metrics.jsonl"))) {
		var m Metric
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatal(err)
		}
		steps = append(steps, m)
	}
	var plan []handoverStep
	for line := range strings.Lines(read(t, filepath.Join(dir, "plan.jsonl"))) {
		var s handoverStep
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			t.Fatal(err)
		}
		plan = append(plan, s)
	}
	if len(plan) != whole.Steps-2 {
		t.Fatalf("%d steps are left, want %d", len(plan), whole.Steps-2)
	}
	for i, s := range plan {
		m := steps[i+2]
		if s.Step != m.Step || s.Rate != *m.LearningRate || s.Tokens != m.TrainedTokens || s.Done.NumTokens != m.NumTokens ||
			s.Epoch != m.Epoch {
			t.Errorf("planned %+v, was %+v", s, m)
		}
	}
	refusals(t, dir)

	// What the run itself came to at its last step but one stands for what the script gives.
	result := filepath.Join(dir, "result")
	checkpoint := filepath.Join(whole.OutputDir, fmt.Sprintf("checkpoint-%d", last))
	if err := os.CopyFS(filepath.Join(result, "model"), os.DirFS(checkpoint)); err != nil {
		t.Fatal(err)
	}
	err := checkpoints.CopyFile(filepath.Join(checkpoint, optimizerFile), filepath.Join(result, optimizerFile))
	if err != nil {
		t.Fatal(err)
	}
	rows := slices.Collect(strings.Lines(read(t, filepath.Join(whole.OutputDir, "metrics.jsonl"))))
	write(t, filepath.Join(result, "metrics.jsonl"), strings.Join(rows[2:last], ""))
	out := filepath.Join(t.TempDir(), "back")
	back, err := TakeBack(dir, out)
	if err != nil {
		t.Fatal(err)
	}
	if back.Step != last || back.Steps != whole.Steps {
		t.Errorf("%+v, want step %d of %d", back, last, whole.Steps)
	}
	if text := read(t, filepath.Join(out, "lineage.json")); !strings.Contains(text, `"steps_before": 2`) ||
		!strings.Contains(text, back.WeightsHash) {
		t.Errorf("lineage %s", text)
	}
	taken := filepath.Join(out, filepath.Base(checkpoint))
	if sums := read(t, filepath.Join(taken, checkpoints.SumsFile)); strings.Count(sums, "\n") != len(entries(t, taken))-1 {
		t.Errorf("sums of the files %q:\n%s", entries(t, taken), sums)
	}
	if err := checkpoints.CheckSums(taken); err != nil {
		t.Error(err)
	}
	ledger := func(kinds ...string) {
		t.Helper()
		a, err := record.Verify(t.Context(), out, record.AuditOptions{Reads: ReadsOfRun, Inside: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range a.Checks {
			if !c.Holds {
				t.Errorf("%+v", c)
			}
		}
		made, err := record.Read(out)
		var got []string
		for _, e := range made {
			got = append(got, e.Kind)
		}
		if err != nil || !slices.Equal(got, kinds) {
			t.Errorf("the record has %q, want %q: %v", got, kinds, err)
		}
	}
	ledger("import")
	r := set(t, small(t), "num_train_epochs", "2", "gradient_accumulation_steps", "2", "output_dir", out,
		"resume_from_checkpoint", "true", "overwrite_output_dir", "false")
	on := mustRun(t, r)
	if on.WeightsHash != whole.WeightsHash {
		t.Error("taken back and trained to the end, the weights are others")
	}
	ledger("import", "train", "train") // before and after what is measured at the end
}

// refusals tries what cannot be taken back from a folder, and what cannot be handed over.
func refusals(t *testing.T, dir string) {
	t.Helper()
	back := func(want string) {
		t.Helper()
		out := filepath.Join(t.TempDir(), "back")
		if _, err := TakeBack(dir, out); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
		if _, err := os.Stat(out); err == nil {
			t.Error("something was written")
		}
	}
	back("run continue.py first")
	metrics := filepath.Join(dir, "result", "metrics.jsonl")
	write(t, metrics, `{"step":9,"loss":1}`)
	back("expected step 3")
	write(t, metrics, "")
	back("no step was made")
	if err := os.RemoveAll(filepath.Join(dir, "result")); err != nil {
		t.Fatal(err)
	}
	if _, err := TakeBack(t.TempDir(), "x"); err == nil || !strings.Contains(err.Error(), "--to trl") {
		t.Errorf("error %v", err)
	}
	none := filepath.Join(t.TempDir(), "handed")
	if err := HandOver(t.Context(), t.TempDir(), none, &bytes.Buffer{}); err == nil ||
		!strings.Contains(err.Error(), "it is no checkpoint") {
		t.Errorf("error %v", err)
	}
}

// TestHandOverRefuses names the checkpoint that is damaged and the keys that the script does not know.
func TestHandOverRefuses(t *testing.T) {
	for want, pairs := range map[string][]string{
		"unfrozen_parameters": {"unfrozen_parameters", "model.norm"},
		"z_loss":              {"z_loss", "1e-3"},
		"damaged":             nil,
	} {
		r := set(t, quick(t), append(pairs, "max_steps", "3", "save_steps", "2", "save_total_limit", "9")...)
		mustRun(t, r)
		checkpoint := filepath.Join(r.OutputDir, "checkpoint-2")
		if pairs == nil {
			flip(t, filepath.Join(checkpoint, optimizerFile))
		}
		out := filepath.Join(t.TempDir(), "handed")
		err := HandOver(t.Context(), checkpoint, out, &bytes.Buffer{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
		if _, err := os.Stat(out); err == nil {
			t.Errorf("%s: something was written", want)
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
