package main

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestDiskFull forbids files of more than 150 kB, as a disk does that fills up in the middle of a checkpoint: the
// weights still fit, the moments do not.
func TestDiskFull(t *testing.T) {
	workdir(t)
	write(t, "recipe.yaml", recipeText)
	interrupted(t, "step 4/12  epoch", trainOut)
	good := tree(t, "out/checkpoint-4")
	o := limited(t, 300, resumeOut)
	if o.code == exitDone || strings.Count(o.err, "instruct: ") != 1 {
		t.Errorf("exit %d\n%s", o.code, o.err)
	}
	has(t, o.err, "save checkpoint of step 8", "optimizer.safetensors", "file too large")
	wholeCheckpoint(t, good)
	has(t, ok(t, "", resumeOut), "steps 12,")
}

// limited runs a command that may write files of at most so many blocks of 512 bytes.
func limited(t *testing.T, blocks int, command string) outcome {
	t.Helper()
	script := fmt.Sprintf(`ulimit -f %d || exit 99; trap "" XFSZ; exec "$0" "$@"`, blocks)
	p := exec.Command("sh", append([]string{"-c", script, os.Args[0]}, strings.Fields(command)...)...)
	p.Env = append(os.Environ(), "INSTRUCT_TEST_IS_COMMAND=1")
	var stderr strings.Builder
	p.Stderr = &stderr
	err := p.Run()
	if p.ProcessState != nil && p.ProcessState.ExitCode() == 99 {
		t.Skip("cannot limit the size of files: ", err)
	}
	return outcome{code: p.ProcessState.ExitCode(), err: stderr.String()}
}

// TestBundleOnFullDisk: the moments of a step that comes to no number do not fit the disk. The run says so, and its
// rows, and leaves nothing.
func TestBundleOnFullDisk(t *testing.T) {
	spoiledRows(t)
	o := limited(t, 300, spoiled+"--save_strategy no")
	if o.code != exitFailed || strings.Count(o.err, "instruct: ") != 1 {
		t.Errorf("exit %d\n%s", o.code, o.err)
	}
	has(t, o.err, "note: step 2 is not kept: ", "optimizer.safetensors", "file too large", "z.jsonl:8")
	if left := names(t, "out"); !slices.Equal(left, []string{"metrics.jsonl", "recipe.yaml", "run.json"}) ||
		strings.Contains(o.err, "--replay") {
		t.Errorf("%v\n%s", left, o.err)
	}
}

// TestTooLarge asks for more memory than any machine has: refused at once, before anything is allocated.
func TestTooLarge(t *testing.T) {
	workdir(t)
	o := call(t, "", "bench --preset smollm2-135m --batch 1000000 --seq 2048")
	mistaken(t, o, "training needs about", "GB are available", "--batch", "--gradient_checkpointing")
}
