package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const recipeText = `# a recipe of the tests
model_name_or_path: model
dataset: [rows.jsonl]
eval_fraction: 0.2
data_seed: 6
per_device_train_batch_size: 4
num_train_epochs: 3
learning_rate: 1e-3
warmup_steps: 2
logging_steps: 1
max_length: 128
`

// Commands that these tests run again and again; tune wants a data set.
const (
	trainOut  = "train recipe.yaml --output_dir out"
	resumeOut = trainOut + " --resume_from_checkpoint true"
	tune      = "train --model_name_or_path model --output_dir out "
)

// manifest is what the tests read of run.json and of `model inspect --json`.
type manifest struct {
	Weights   string            `json:"weights_sha256"`
	Files     map[string]string `json:"files_sha256"`
	Tokenizer string            `json:"tokenizer_sha256"`
	Template  string            `json:"template_sha256"`
	Data      string            `json:"train_ids_and_mask_sha256"`
	Version   string            `json:"version"`
	Go        string            `json:"go"`
	Kernels   string            `json:"kernels"`
	Arguments []string          `json:"arguments"`
	Seed      int               `json:"seed"`
	Rows      int               `json:"rows"`
	HeldOut   int               `json:"held_out_rows"`
	Steps     int               `json:"steps"`
	Finished  string            `json:"finished"`
	EvalLoss  float64           `json:"eval_loss"`
}

func runJSON(t *testing.T, dir string) manifest {
	t.Helper()
	return decode[manifest](t, read(t, filepath.Join(dir, "run.json")))
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func TestTrainRecipe(t *testing.T) {
	workdir(t)
	text := strings.NewReplacer("num_train_epochs", "epochs", "max_length", "max-length").Replace(recipeText)
	write(t, "recipe.yaml", text)
	const command = trainOut + " --seed 7"
	o := call(t, "", command)
	if o.code != exitDone {
		t.Fatalf("exit %d\n%s", o.code, o.err)
	}
	if strings.Contains(o.err, "max-length") {
		t.Errorf("a dash for an underscore needs no note:\n%s", o.err)
	}
	has(t, o.err, "note: recipe recipe.yaml:7: epochs is read as num_train_epochs",
		"step 1/12  loss ", "step 12/12  loss ", " tokens/s ", "epoch 3.00  held-out loss ")
	has(t, o.out, "steps 12, ", "held-out loss ", "the run lies in out; try: instruct chat --model out")

	hf := []string{"chat_template.jinja", "config.json", "generation_config.json", "instruct.json", "model.safetensors",
		"special_tokens_map.json", "tokenizer.json", "tokenizer_config.json"}
	want := append([]string{"README.md", "checkpoint-12", "checkpoint-8", "ledger.jsonl", "loss.svg", "metrics.jsonl",
		"recipe.yaml", "report.html", "run.json", "samples.json"}, hf...)
	slices.Sort(want)
	if got := names(t, "out"); !slices.Equal(got, want) {
		t.Errorf("the run has\n%v, want\n%v", got, want)
	}
	want = slices.Concat(hf, []string{"SHA256SUMS", "optimizer.safetensors", "state.json", "trainer_state.json"})
	slices.Sort(want)
	if got := names(t, filepath.Join("out", "checkpoint-12")); !slices.Equal(got, want) {
		t.Errorf("the checkpoint has\n%v, want\n%v", got, want)
	}
	has(t, read(t, "out/loss.svg"), "<svg", "</svg>")
	for _, name := range hf {
		if read(t, filepath.Join("out", name)) != read(t, filepath.Join("out", "checkpoint-12", name)) {
			t.Errorf("%s differs between the run and its last checkpoint", name)
		}
	}

	m := runJSON(t, "out")
	sum := sha256.Sum256([]byte(rows(20)))
	if got, want := m.Files["rows.jsonl"], hex.EncodeToString(sum[:]); got != want {
		t.Errorf("run.json: the hash of rows.jsonl is %s, want %s", got, want)
	}
	for _, h := range []string{m.Weights, m.Tokenizer, m.Template, m.Data} {
		if len(h) != 64 {
			t.Errorf("run.json: %q is no hash: %+v", h, m)
		}
	}
	if m.Rows != 16 || m.HeldOut != 4 || m.Steps != 12 || m.Seed != 7 {
		t.Errorf("run.json: %+v", m)
	}
	if m.Finished == "" || m.Version == "" || m.Kernels == "" || !strings.HasPrefix(m.Go, "go1.") {
		t.Errorf("run.json does not say when or with what: %+v", m)
	}
	if got := strings.Join(m.Arguments, " "); got != command {
		t.Errorf("run.json has the arguments %s, want %s", got, command)
	}
	if got := decode[manifest](t, ok(t, "", "model inspect --model out --json")).Weights; got != m.Weights {
		t.Errorf("the saved weights have the hash %s, run.json says %s", got, m.Weights)
	}
	has(t, o.out, m.Weights)

	ok(t, "", "train out/recipe.yaml --output_dir again --threads 1")
	if again := runJSON(t, "again"); again.Weights != m.Weights || again.Data != m.Data {
		t.Errorf("recipe.yaml run again gives weights %s, want %s", again.Weights, m.Weights)
	}
	ok(t, "", "train out/recipe.yaml --output_dir other --seed 8")
	if other := runJSON(t, "other"); other.Weights == m.Weights {
		t.Error("another seed gives the same weights")
	}
}

func TestMetrics(t *testing.T) {
	workdir(t)
	write(t, "recipe.yaml", recipeText)
	ok(t, "", trainOut+" --eval_steps 5 --quiet")
	steps, evals, tokens := 0, []float64{}, 0.0
	for _, row := range metrics(t, "out") {
		if _, found := row["eval_loss"]; found {
			evals = append(evals, row["step"])
			continue
		}
		steps++
		for _, key := range []string{"step", "epoch", "loss", "grad_norm", "learning_rate", "num_tokens",
			"trained_tokens", "tokens_per_second", "trained_tokens_per_second"} {
			if v, found := row[key]; !found || math.IsNaN(v) || v < 0 || v == 0 && (key != "learning_rate" || steps > 1) {
				t.Errorf("step %d: %s is %v", steps, key, v)
			}
		}
		if row["step"] != float64(steps) || row["num_tokens"] <= tokens || row["trained_tokens"] >= row["num_tokens"]-tokens {
			t.Errorf("step %d: %v after %v tokens", steps, row, tokens)
		}
		tokens = row["num_tokens"]
	}
	if steps != 12 || !slices.Equal(evals, []float64{0, 5, 10, 12}) {
		t.Errorf("%d steps, evaluations after %v", steps, evals)
	}
}

func TestQuiet(t *testing.T) {
	workdir(t)
	write(t, "recipe.yaml", recipeText)
	o := call(t, "", trainOut+" --quiet --epochs 1")
	if o.code != exitDone || o.err != "" {
		t.Errorf("exit %d; --quiet is not quiet:\n%s", o.code, o.err)
	}
}

func TestEmbeddedLessonsReport(t *testing.T) {
	base(t)
	has(t, makeBase().out, "total ", "held-out exact match: ", " % before, ", " % after", "kinds above 80 %",
		"weights sha256 ")
	has(t, makeBase().err, "asking the untrained model 4 held-out instructions")
	has(t, read(t, filepath.Join(baseDir, "base", "run.json")), `"exact_match"`, `"exact_match_before"`)
}

func TestOutputDirIsNotOverwrittenUnasked(t *testing.T) {
	workdir(t)
	write(t, "recipe.yaml", recipeText)
	ok(t, "", trainOut)
	write(t, "out/notes.txt", "mine")
	before := tree(t, "out")
	mistaken(t, call(t, "", trainOut+" --dataset rows.jsonl --num_train_epochs 2"),
		"output_dir out is not empty", "--overwrite_output_dir", "--resume_from_checkpoint true")
	if after := tree(t, "out"); after != before {
		t.Errorf("a refused run changed\n%sto\n%s", before, after)
	}

	// What the new run cannot read must not cost the old one.
	write(t, "bad.jsonl", "{")
	if o := call(t, "", trainOut+" --overwrite_output_dir --dataset bad.jsonl"); o.code != exitMistake {
		t.Errorf("exit %d", o.code)
	}
	if after := tree(t, "out"); after != before {
		t.Errorf("a run that failed to start changed\n%sto\n%s", before, after)
	}

	ok(t, "", trainOut+" --overwrite_output_dir --num_train_epochs 1 --save_strategy no")
	for _, name := range names(t, "out") {
		if strings.HasPrefix(name, "checkpoint-") {
			t.Errorf("%s of the older run is still there", name)
		}
	}
	if read(t, "out/notes.txt") != "mine" {
		t.Error("a file that is no run's was touched")
	}
	if strings.Contains(read(t, "out/recipe.yaml"), "overwrite_output_dir: true") {
		t.Error("recipe.yaml of the run would overwrite it unasked")
	}
	o := call(t, "", "train --model_name_or_path out --dataset rows.jsonl --output_dir out --overwrite_output_dir")
	mistaken(t, o, "holds the model to tune", "another --output_dir")
}

// interrupted runs train and stops it after the step whose progress line begins with text.
func interrupted(t *testing.T, text, command string) outcome {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	o := callContext(t, ctx, nil, &trigger{text: text, do: cancel}, command)
	if o.code != exitInterrupted {
		t.Fatalf("exit %d, want %d\n%s", o.code, exitInterrupted, o.err)
	}
	return o
}

func TestInterruptAndResume(t *testing.T) {
	workdir(t)
	write(t, "recipe.yaml", recipeText)
	ok(t, "", "train recipe.yaml --output_dir whole")
	o := interrupted(t, "step 6/12", trainOut)
	has(t, o.err, "stopped after step 6 of 12; saved out/checkpoint-6",
		"stopping: the step at hand is finished and saved first; Ctrl-C once more stops now",
		" train recipe.yaml --output_dir out --resume_from_checkpoint true\n")
	if strings.Contains(o.err, "instruct: ") {
		t.Errorf("an interruption is no error:\n%s", o.err)
	}
	mistaken(t, call(t, "", "generate --model out --prompt hi"), "not finished", "out/checkpoint-6")
	mistaken(t, call(t, "", resumeOut+" --seed 9"), "seed", `"9"`, `"42"`, "checkpoint-6")
	mistaken(t, call(t, "", trainOut+" --resume_from_checkpoint out/checkpoint-4"),
		"out/checkpoint-4 is older than out/checkpoint-6")
	mistaken(t, call(t, "", trainOut+" --resume_from_checkpoint model"), "model is no checkpoint", "state.json")
	mistaken(t, call(t, "", "train recipe.yaml --output_dir fresh --resume_from_checkpoint true"),
		"no checkpoint in fresh")
	write(t, "more.jsonl", rows(21))
	mistaken(t, call(t, "", resumeOut+" --dataset more.jsonl"), "training data", "more.jsonl was not among its files")
	write(t, "rows.jsonl", strings.Replace(rows(20), "say 3", "tell 3", 1))
	mistaken(t, call(t, "", resumeOut), "training data", "differ", "checkpoint-6")
	write(t, "rows.jsonl", rows(20))

	has(t, call(t, "", resumeOut+" --threads 1").err, "resuming  after step 6, from out/checkpoint-6")
	if a, b := runJSON(t, "out").Weights, runJSON(t, "whole").Weights; a != b {
		t.Errorf("6 + 6 steps give weights %s, 12 steps %s", a, b)
	}
	losses := func(dir string) (all []float64) {
		for _, row := range metrics(t, dir) {
			all = append(all, row["step"], row["loss"], row["eval_loss"])
		}
		return all
	}
	if a, b := losses("out"), losses("whole"); !slices.Equal(a, b) {
		t.Errorf("metrics.jsonl: %v, want %v", a, b)
	}
	ok(t, "", "train out/recipe.yaml --output_dir again")
	if a, b := runJSON(t, "again").Weights, runJSON(t, "whole").Weights; a != b {
		t.Errorf("the recipe of a resumed run gives weights %s, want %s", a, b)
	}
}

// TestResumeAuto goes on with a run that was stopped, as make train does, and begins anew where it was finished.
func TestResumeAuto(t *testing.T) {
	workdir(t)
	write(t, "recipe.yaml", recipeText)
	const auto = trainOut + " --resume_from_checkpoint auto --overwrite_output_dir"
	o := interrupted(t, "step 6/12", auto)
	has(t, o.err, "saved out/checkpoint-6", " "+auto+"\n")
	o = call(t, "", auto)
	has(t, o.err, "resuming  after step 6, from out/checkpoint-6")
	first := runJSON(t, "out").Weights
	o = call(t, "", auto)
	if o.code != exitDone || strings.Contains(o.err, "resuming") || runJSON(t, "out").Weights != first {
		t.Errorf("exit %d; a finished run is begun anew:\n%s", o.code, o.err)
	}
}

func TestInterruptBeforeTheFirstStep(t *testing.T) {
	t.Chdir(t.TempDir())
	o := interrupted(t, "asking the untrained model", "train --output_dir out --lesson_rows 64 --lesson_held_out 64")
	has(t, o.err, "stopped before the first step")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	o = callContext(t, ctx, nil, new(trigger), "train --output_dir out2 --lesson_rows 64")
	if o.code != exitInterrupted || o.err != "instruct: stopped\n" {
		t.Errorf("exit %d, %q", o.code, o.err)
	}
	if _, err := os.Stat("out2"); err == nil {
		t.Error("a run that was stopped while loading left a folder behind")
	}
}

// TestSaveFails lets a checkpoint fail as a full disk does, and goes on from the one before.
func TestSaveFails(t *testing.T) {
	workdir(t)
	write(t, "recipe.yaml", recipeText)
	interrupted(t, "step 4/12  epoch", trainOut)
	write(t, "out/checkpoint-8", "in the way")
	good := tree(t, "out/checkpoint-4")
	o := call(t, "", resumeOut)
	if o.code != exitMistake || strings.Count(o.err, "instruct: ") != 1 {
		t.Errorf("exit %d\n%s", o.code, o.err)
	}
	has(t, o.err, "save checkpoint of step 8", "checkpoint-8", "in the way")
	wholeCheckpoint(t, good)
	if err := os.Remove("out/checkpoint-8"); err != nil {
		t.Fatal(err)
	}
	ok(t, "", resumeOut)
}

// wholeCheckpoint checks that out/checkpoint-4 is as it was and that nothing half-written lies beside it.
func wholeCheckpoint(t *testing.T, before string) {
	t.Helper()
	if after := tree(t, "out/checkpoint-4"); after != before {
		t.Errorf("the last checkpoint was\n%sand is\n%s", before, after)
	}
	for _, name := range names(t, "out") {
		if strings.HasPrefix(name, ".") || name == "model.safetensors" {
			t.Errorf("%s was left behind", name)
		}
	}
}

// spoil puts NaN into the embedding of one token of the model folder.
func spoil(t *testing.T, dir, text string) {
	t.Helper()
	ids := decode[[]int](t, ok(t, `"`+text+`"`, "tokenizer encode --tokenizer", dir))
	if len(ids) != 1 {
		t.Fatalf("%q has the tokens %v", text, ids)
	}
	editSafetensors(t, filepath.Join(dir, "model.safetensors"), func(header map[string]any, data []byte) {
		e := header["model.embed_tokens.weight"].(map[string]any)
		start := int(e["data_offsets"].([]any)[0].(float64)) + ids[0]*32*4
		copy(data[start:], []byte{0, 0, 0xc0, 0x7f})
	})
}

func TestNonFiniteLossNamesTheRows(t *testing.T) {
	workdir(t)
	spoil(t, "model", "z")
	var all bytes.Buffer
	for _, text := range []string{"good", "a zebra", "fine", "a zoo"} {
		if err := json.NewEncoder(&all).Encode(map[string]string{"instruction": text, "output": "yes"}); err != nil {
			t.Fatal(err)
		}
	}
	write(t, "z.jsonl", all.String())
	o := call(t, "", tune+"--dataset z.jsonl --eval_fraction 0")
	if o.code != exitFailed || o.out != "" {
		t.Errorf("exit %d, standard output %q", o.code, o.out)
	}
	last := o.err[strings.Index(o.err, "instruct: "):]
	has(t, last, "step 1: the loss is NaN", "z.jsonl:2", "z.jsonl:4", "learning_rate")
	for _, innocent := range []string{"z.jsonl:1", "z.jsonl:3", "goroutine"} {
		if strings.Contains(last, innocent) {
			t.Errorf("%s is named:\n%s", innocent, last)
		}
	}
	o = call(t, "", "train --model_name_or_path model --dataset rows.jsonl --eval_dataset z.jsonl --output_dir out2")
	if o.code != exitFailed {
		t.Errorf("exit %d", o.code)
	}
	has(t, o.err, "instruct: evaluation before the first step: the held-out loss is NaN; rows: z.jsonl:2, z.jsonl:4;")
	if strings.Contains(read(t, "out2/metrics.jsonl"), "NaN") {
		t.Error("metrics.jsonl is not JSON")
	}
}

func TestListsGrow(t *testing.T) {
	workdir(t)
	write(t, "more.jsonl", rows(5))
	ok(t, "", tune+"--dataset rows.jsonl --dataset more.jsonl --max_steps 1")
	if m := runJSON(t, "out"); len(m.Files) != 2 || m.Rows+m.HeldOut != 25 {
		t.Errorf("two data sets: %+v", m)
	}
}
