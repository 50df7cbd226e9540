package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const sweepRecipe = `model_name_or_path: model
dataset: rows.jsonl
eval_fraction: 0.2
per_device_train_batch_size: 4
max_steps: 3
save_steps: 1
logging_steps: 1
max_length: 64
`

// TestSweep stops a sweep in its second run, goes on, and wants what an undisturbed one gives; then compares and diffs
// the runs.
func TestSweep(t *testing.T) {
	workdir(t)
	write(t, "r.yaml", sweepRecipe)
	const sweep = "sweep r.yaml --grid optim=adamw,muon --seeds 1,2"
	whole := ok(t, "", sweep+" --out whole --quiet")
	has(t, whole, "optim  seeds  held-out loss", "muon   2      ", " ± ")

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	second := false
	log := &trigger{text: "sweep 2/4  optim=adamw_seed=2"}
	log.do = func() {
		log.Reset()
		log.text, log.do = "step 2/3", func() { second = true; cancel() }
	}
	if o := callContext(t, ctx, nil, log, sweep); o.code != exitInterrupted || !second {
		t.Fatalf("exit %d\n%s", o.code, o.err)
	}
	has(t, log.String(), "go on with ", " "+sweep+"\n")
	o := call(t, "", sweep)
	if o.code != exitDone {
		t.Fatalf("exit %d\n%s", o.code, o.err)
	}
	has(t, o.err, "seed=1 was there: ", "resuming  after step 2", "sweep 4/4  optim=muon_seed=2")
	for _, run := range names(t, "whole") {
		if a, b := runJSON(t, filepath.Join("runs/r", run)).Weights, runJSON(t, filepath.Join("whole", run)).Weights; a != b {
			t.Errorf("%s has the weights %s after a stop, %s without", run, a, b)
		}
	}
	if got := names(t, "runs/r"); len(got) != 4 {
		t.Errorf("the sweep has %v", got)
	}
	compareAndDiff(t)

	flipByte(t, "whole/optim=muon_seed=1/model.safetensors")
	o = call(t, "", sweep+" --out whole --quiet")
	if o.code != exitFailed {
		t.Errorf("exit %d", o.code)
	}
	has(t, o.err, "1 of 4 runs could not be made:\n  optim=muon_seed=1: the weights of ", "are not those of the run")
	o = call(t, "", "sweep r.yaml --grid optim=adamw --seeds 1 --out whole --quiet --point 1")
	if o.code != exitDone || o.err != "" {
		t.Errorf("exit %d\n%s", o.code, o.err)
	}
	write(t, "r.yaml", sweepRecipe+"weight_decay: 0.1\n")
	o = call(t, "", sweep+" --quiet")
	has(t, o.err, "4 of 4 runs could not be made", `weight_decay is "0" there, and "0.1" here`)
}

// flipByte changes a bit of the last byte of a file.
func flipByte(t *testing.T, path string) {
	t.Helper()
	text := []byte(read(t, path))
	text[len(text)-1] ^= 1
	write(t, path, string(text))
}

// compareAndDiff holds the runs of runs/r against each other, and one of them against the same one of whole.
func compareAndDiff(t *testing.T) {
	t.Helper()
	has(t, ok(t, "", "compare runs/r --markdown --csv c.csv --html c.html"),
		"| optim | seeds | held-out loss |", "| muon | 2 | ")
	csv := read(t, "c.csv")
	has(t, csv, "run,group,seed,optim,eval_loss,", "runs/r/optim=muon_seed=2,2,2,muon,")
	if n := strings.Count(csv, "\n"); n != 5 {
		t.Errorf("%d lines of CSV:\n%s", n, csv)
	}
	page := read(t, "c.html")
	has(t, page, "<title>held-out loss</title>", "<title>runs/r/optim=adamw_seed=1</title>", "<polyline class=\"c1\"")
	if strings.Contains(page, "http") && strings.Count(page, "http") != strings.Count(page, "http://www.w3.org/2000/svg") {
		t.Error("the page wants something of the net")
	}
	has(t, ok(t, "", "compare runs/r/optim=muon_seed=1 runs/r/optim=muon_seed=2"), "of one recipe  2      ")

	has(t, ok(t, "", "diff runs/r/optim=muon_seed=1 whole/optim=muon_seed=1"), "recipe    the same", "record    the same",
		"steps     3, all with the same bits", "weights   the same bits in all ")
	o := call(t, "", "diff runs/r/optim=muon_seed=1 runs/r/optim=adamw_seed=1")
	if o.code != exitFailed {
		t.Errorf("exit %d", o.code)
	}
	has(t, o.out, "recipe    optim: muon, adamw", "the first that differs is step 2: loss ", " tensors differ", "model.")
	o = call(t, "", "diff runs/r/optim=muon_seed=1 runs/r/optim=muon_seed=2 --json")
	has(t, o.out, `"name": "seed"`, `"first_step": {`, `"differ": `)
}

func TestMistakesWithRuns(t *testing.T) {
	workdir(t)
	write(t, "r.yaml", sweepRecipe)
	for command, want := range map[string]string{
		"compare":                                "compare takes folders",
		"compare none":                           "no such file",
		"compare rows.jsonl":                     "not a directory",
		"diff s":                                 "the folders of two runs",
		"diff s s":                               "name the folder of a run",
		"sweep r.yaml":                           "sweep needs --grid",
		"sweep --seeds 1":                        "one recipe",
		"sweep r.yaml --seeds 1,x":               `--seeds: "x"`,
		"sweep r.yaml --seeds 1,1":               "twice",
		"sweep r.yaml --grid lr=1e-3,":           "empty",
		"sweep r.yaml --grid lerning_rate=1":     `did you mean "learning_rate"`,
		"sweep r.yaml --grid output_dir=a,b":     "output_dir",
		"sweep r.yaml --grid lr=1 --grid lr=2":   "given twice",
		"sweep r.yaml --grid optim=adamw,sgd":    "optim=sgd: optim",
		"sweep r.yaml --grid dataset=a/x,b/x":    "two runs of the name",
		"sweep r.yaml --seeds 1 --jobs pbs":      "known: shell, slurm",
		"sweep r.yaml --seeds 1,2 --point 3":     "runs 1 to 2",
		"sweep r.yaml --grid seed=1 --seeds 1,2": "given twice",
	} {
		mistaken(t, call(t, "", command), want)
	}
}

// TestSweepJobs prints the commands of the runs, which are commands of the program.
func TestSweepJobs(t *testing.T) {
	workdir(t)
	write(t, "my recipe.yaml", sweepRecipe)
	out := ok(t, "", "sweep --jobs shell --seeds 1,2 --grid lr=1e-3", "my recipe.yaml")
	want := "instruct sweep 'my recipe.yaml' --grid lr=1e-3 --seeds 1,2 --out 'runs/my recipe' --point 2\n"
	if !strings.HasSuffix(out, want) {
		t.Errorf("%s\nwant the end %s", out, want)
	}
	out = ok(t, "", "sweep --jobs slurm --seeds 1,2 --out s", "my recipe.yaml")
	has(t, out, "#!/bin/sh\n", "--array=1-2\n", "--output=s/slurm-%a.log", ` --point "$SLURM_ARRAY_TASK_ID"`)
	if _, err := os.Stat("s"); err != nil {
		t.Error("no folder for the logs: ", err)
	}
}
