package train

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"instruct/checkpoints"
	"instruct/model/pretrained"
	"instruct/train/recipe"
)

// madeBase makes a small model to tune and returns its folder.
func madeBase(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	mustRun(t, set(t, small(t), "max_steps", "1", "output_dir", dir, "lesson_rows", "16"))
	return dir
}

// tuned is a recipe that tunes a small model, a copy of base, which is in "base" of a folder, with rows and held-out
// rows beside it. The folder is the working folder of the test.
func tuned(t *testing.T, base string) recipe.Recipe {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "base"), os.DirFS(base)); err != nil {
		t.Fatal(err)
	}
	for name, n := range map[string]int{"rows.jsonl": 32, "held.jsonl": 8} {
		copyFile(t, prefixed(t, n), filepath.Join(dir, name))
	}
	t.Chdir(dir)
	return set(t, recipe.Default(), "model_name_or_path", "base", "dataset", "rows.jsonl", "eval_dataset", "held.jsonl",
		"max_length", "256", "per_device_train_batch_size", "4", "max_steps", "2", "save_steps", "1", "output_dir", "run")
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, text, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// changed adds a row, or a byte, to the end of a file.
func changed(t *testing.T, path, more string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, append(text, more...), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func move(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

// lose takes a file from the newest checkpoint, and its sums, which those of older programs lack.
func lose(t *testing.T, name string) {
	t.Helper()
	move(t, "run/checkpoint-2/"+name, "gone")
	move(t, "run/checkpoint-2/"+checkpoints.SumsFile, "sums")
}

// TestResumeByContent: a run goes on where its files were moved or are called by another name, and is refused where one
// has another content, which the message names.
func TestResumeByContent(t *testing.T) {
	ran := madeBase(t)
	mustRun(t, tuned(t, ran))
	if err := os.CopyFS(filepath.Join(ran, "run"), os.DirFS("run")); err != nil {
		t.Fatal(err)
	}
	const row = `{"messages":[{"role":"user","content":"New"},{"role":"assistant","content":"Row"}]}` + "\n"
	for _, x := range []struct {
		name string
		do   func(t *testing.T)
		keys []string
		want string // of the error, "" for none
	}{
		{"./", nil, []string{"dataset", "./rows.jsonl"}, ""},
		{"absolute", nil, []string{"dataset", "ABS/rows.jsonl", "eval_dataset", "ABS/held.jsonl"}, ""},
		{"moved data", func(t *testing.T) { move(t, "rows.jsonl", "other.jsonl") }, []string{"dataset", "other.jsonl"}, ""},
		{"moved base", func(t *testing.T) { move(t, "base", "elsewhere") }, []string{"model_name_or_path", "elsewhere"}, ""},
		{"base by another path", nil, []string{"model_name_or_path", "./base/"}, ""},
		{"base gone", func(t *testing.T) { move(t, "base", "elsewhere") }, nil, ""},
		{"the run moved", func(t *testing.T) { move(t, "run", "moved") }, []string{"output_dir", "moved"}, ""},
		{"the run's folder for its checkpoint", nil, []string{"resume_from_checkpoint", "run"}, ""},
		{"a row more", func(t *testing.T) { changed(t, "rows.jsonl", row) }, nil, "rows.jsonl has another content now"},
		{"other rows", nil, []string{"dataset", "held.jsonl"}, "the training data differ"},
		{"other held-out rows", func(t *testing.T) { changed(t, "held.jsonl", row) }, nil,
			"the held-out data differ from those of run/checkpoint-2: held.jsonl has another content now"},
		{"another base", func(t *testing.T) { changed(t, "base/config.json", " ") }, nil,
			"resume: config.json of the model base is another"},
		{"another template", nil, []string{"chat_template", "chatml"}, `chat_template is "chatml" now`},
		{"another max_length", nil, []string{"max_length", "64"}, "max_length"},
		{"no optimizer", func(t *testing.T) { lose(t, "optimizer.safetensors") }, nil,
			"run/checkpoint-2 is not whole: optimizer.safetensors"},
		{"no tokenizer", func(t *testing.T) { lose(t, "tokenizer.json") }, nil,
			"run/checkpoint-2 is not whole: tokenizer.json"},
		{"a model for a checkpoint", nil, []string{"resume_from_checkpoint", "base"},
			"base is no checkpoint: it has no readable state.json"},
	} {
		t.Run(x.name, func(t *testing.T) {
			r := tuned(t, ran)
			if err := os.CopyFS("run", os.DirFS(filepath.Join(ran, "run"))); err != nil {
				t.Fatal(err)
			}
			if err := os.RemoveAll("base/run"); err != nil {
				t.Fatal(err)
			}
			if x.do != nil {
				x.do(t)
			}
			here, err := os.Getwd()
			if err != nil {
				t.Fatal(err)
			}
			r = set(t, r, "max_steps", "3", "resume_from_checkpoint", "true")
			for i := 0; i < len(x.keys); i += 2 {
				r = set(t, r, x.keys[i], strings.ReplaceAll(x.keys[i+1], "ABS", here))
			}
			_, err = Run(t.Context(), r, silent(nil))
			if (err != nil) != (x.want != "") || err != nil && !strings.Contains(err.Error(), x.want) {
				t.Fatalf("error %v, want %q", err, x.want)
			}
			var user interface{ UserError() bool }
			if err != nil && !errors.As(err, &user) {
				t.Errorf("%v is not a mistake of the user", err)
			}
		})
	}
}

// TestSavedRecipeRunsFromElsewhere: the paths of recipe.yaml lead to the files from its folder, wherever it is read.
func TestSavedRecipeRunsFromElsewhere(t *testing.T) {
	r := tuned(t, madeBase(t))
	first := mustRun(t, r)
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	again := recipe.Default()
	if _, err := again.Read(filepath.Join(here, "run", recipeFile)); err != nil {
		t.Fatal(err)
	}
	sameBits(t, mustRun(t, set(t, again, "output_dir", "again")), first)
}

// TestOverwriteReplacesRunsOnly: a folder that was no run is refused with --overwrite_output_dir, before anything is
// read, and nothing in it changes.
func TestOverwriteReplacesRunsOnly(t *testing.T) {
	for _, x := range []struct {
		name  string
		files []string
		fails bool
	}{
		{"empty", nil, false},
		{"hidden files only", []string{".gitkeep"}, false},
		{"a text", []string{"thesis.txt"}, true},
		{"a model", []string{"config.json", "model.safetensors"}, true},
		{"checkpoints of another program", []string{"checkpoint-5/trainer_state.json"}, true},
		{"a project", []string{".git/HEAD", "main.go"}, true},
		{"a run", []string{"run.json"}, false},
		{"a run with notes", []string{"run.json", "notes.txt"}, false},
		{"a run stopped early", []string{"metrics.jsonl"}, false},
		{"checkpoints only", []string{"checkpoint-3/state.json"}, false},
	} {
		dir := t.TempDir()
		for _, name := range x.files {
			path := filepath.Join(dir, name)
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte("{}"), 0o644)); err != nil {
				t.Fatal(err)
			}
		}
		before := entries(t, dir)
		r := recipe.Recipe{OutputDir: dir, Overwrite: true}
		err := prepareOutput(&r, "")
		if (err != nil) != x.fails || err != nil && !strings.Contains(err.Error(), "holds no earlier run") {
			t.Errorf("%s: error %v", x.name, err)
		}
		if after := entries(t, dir); x.fails && strings.Join(after, " ") != strings.Join(before, " ") {
			t.Errorf("%s: %v became %v", x.name, before, after)
		}
	}
	if err := diskError("run", 100, 99, true); err == nil || !strings.Contains(err.Error(), "make room") {
		t.Errorf("a full disk: %v", err)
	}
	if diskError("run", 100, 100, true) != nil || diskError("run", 100, 0, false) != nil {
		t.Error("a disk that has room, or is not known, is refused")
	}
}

// TestRunEndsWithAModel: what fails after the last step does not cost the model.
func TestRunEndsWithAModel(t *testing.T) {
	r := tuned(t, madeBase(t))
	r = set(t, r, "max_steps", "3", "load_best_model_at_end", "true", "learning_rate", "1e-9", "eval_steps", "1",
		"save_total_limit", "1")
	var log bytes.Buffer
	o := silent(func(m Metric) {
		if m.Step == 3 { // the best checkpoint and the picture's place are lost while the last step is made
			list, _ := filepath.Glob("run/checkpoint-*")
			for _, c := range list {
				_ = os.RemoveAll(c)
			}
			_ = os.Mkdir(filepath.Join("run", chartFile), 0o755)
		}
	})
	o.Log, o.Quiet = &log, false
	_, err := Run(t.Context(), r, o)
	if err != nil && !strings.Contains(err.Error(), "the model after the last step is in run") {
		t.Errorf("error %v", err)
	}
	loadWeights(t, "run")
	if err == nil && !strings.Contains(log.String(), "no picture of the loss") {
		t.Errorf("the log is\n%s", log.String())
	}
	r = set(t, r, "output_dir", "other", "load_best_model_at_end", "false")
	o = silent(func(m Metric) {
		if m.Step == 3 { // no checkpoint can be written
			_ = os.WriteFile("other/checkpoint-3", nil, 0o644)
		}
	})
	_, err = Run(t.Context(), r, o)
	const kept = "all 3 steps were made, and the model after the last one is in other"
	if err == nil || !strings.Contains(err.Error(), kept) {
		t.Errorf("error %v", err)
	}
	loadWeights(t, "other")
}

// TestHeldOutLossBefore: metrics have the loss of the untrained model, which counts neither as best nor again on
// resume.
func TestHeldOutLossBefore(t *testing.T) {
	r := tuned(t, madeBase(t))
	first := mustRun(t, r)
	_, evaluations := readMetrics(t, r)
	if len(evaluations) != 2 || evaluations[0].Step != 0 || *evaluations[0].EvalLoss <= *evaluations[1].EvalLoss {
		t.Errorf("evaluations are %+v", evaluations)
	}
	if first.BestStep != 2 {
		t.Errorf("the best step is %d", first.BestStep)
	}
	mustRun(t, set(t, r, "max_steps", "3", "resume_from_checkpoint", "true"))
	if _, evaluations = readMetrics(t, r); len(evaluations) != 3 {
		t.Errorf("after going on, evaluations are %+v", evaluations)
	}
	mustRun(t, set(t, r, "eval_strategy", "no", "output_dir", "none"))
	if _, evaluations = readMetrics(t, set(t, r, "output_dir", "none")); len(evaluations) != 0 {
		t.Errorf("without evaluation, evaluations are %+v", evaluations)
	}
}

// TestHeldOutNotes: where a held-out loss means less than it seems.
func TestHeldOutNotes(t *testing.T) {
	r := tuned(t, madeBase(t))
	notes := func(keys ...string) string {
		t.Helper()
		r := set(t, r, keys...)
		d, err := findRows(t.Context(), &r)
		if err != nil {
			t.Fatal(err)
		}
		m, err := pretrained.Outline(r.ModelNameOrPath, "")
		if err != nil {
			t.Fatal(err)
		}
		defer d.close()
		if err := d.encode(t.Context(), &r, m, loadOptions{threads: 1, log: io.Discard}); err != nil {
			t.Fatal(err)
		}
		return strings.Join(d.notes, "\n")
	}
	if got := notes(); !strings.Contains(got, "only 8 held-out rows") ||
		!strings.Contains(got, "8 of 8 held-out rows say almost") {
		t.Errorf("the notes are %q", got)
	}
	same := strings.Repeat(`{"prompt":"Q","completion":"A"}`+"\n", 4)
	if err := os.WriteFile("same.jsonl", []byte(same), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := notes("dataset", "same.jsonl", "eval_dataset", ""); got != "no rows are held out: all rows say the same" {
		t.Errorf("the notes are %q", got)
	}
	if got := notes("eval_dataset", "", "eval_fraction", "0"); got != "" {
		t.Errorf("without a held-out part the notes are %q", got)
	}
	if e := ratioError([][2]float64{{1, 1}, {3, 1}, {1, 1}, {3, 1}}, 2, 4); e < 0.57 || e > 0.58 { // sd 1.1547 of 4
		t.Errorf("the standard error is %g", e)
	}
	if e := ratioError([][2]float64{{1, 1}}, 1, 1); e != 0 {
		t.Errorf("of one micro-batch the standard error is %g", e)
	}
}
