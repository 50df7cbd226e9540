package main

import (
	"os"
	"os/exec"
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
	p := exec.Command("sh", append([]string{"-c", `ulimit -f 300 || exit 99; trap "" XFSZ; exec "$0" "$@"`, os.Args[0]},
		strings.Fields(resumeOut)...)...) // blocks of 512 bytes
	p.Env = append(os.Environ(), "INSTRUCT_TEST_IS_COMMAND=1")
	var stderr strings.Builder
	p.Stderr = &stderr
	err := p.Run()
	if p.ProcessState != nil && p.ProcessState.ExitCode() == 99 {
		t.Skip("cannot limit the size of files: ", err)
	}
	o := outcome{code: p.ProcessState.ExitCode(), err: stderr.String()}
	if o.code == exitDone || strings.Count(o.err, "instruct: ") != 1 {
		t.Errorf("exit %d\n%s", o.code, o.err)
	}
	has(t, o.err, "save checkpoint of step 8", "optimizer.safetensors", "file too large")
	wholeCheckpoint(t, good)
	has(t, ok(t, "", resumeOut), "steps 12,")
}

// TestTooLarge asks for more memory than any machine has: refused at once, before anything is allocated.
func TestTooLarge(t *testing.T) {
	workdir(t)
	o := call(t, "", "bench --preset smollm2-135m --batch 1000000 --seq 2048")
	mistaken(t, o, "training needs about", "GB are available", "--batch", "--gradient_checkpointing")
}
