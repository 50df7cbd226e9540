package main

import (
	"os/signal"
	"strings"
	"syscall"
	"testing"
)

// TestDiskFull forbids files of more than 240 kB, as a disk does that fills up in the middle of a checkpoint: the
// weights still fit, the moments do not.
func TestDiskFull(t *testing.T) {
	workdir(t)
	write(t, "recipe.yaml", recipeText)
	interrupted(t, "step 4/12", trainOut)
	good := tree(t, "out/checkpoint-4")
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Skip("no limit on the size of files: ", err)
	}
	signal.Ignore(syscall.SIGXFSZ)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 240_000, Max: old.Max}); err != nil {
		t.Skip("cannot limit the size of files: ", err)
	}
	o := call(t, "", resumeOut)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	signal.Reset(syscall.SIGXFSZ)
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
	o := call(t, "", "bench --preset smollm2-135m --batch 100000000 --seq 2048")
	mistaken(t, o, "training needs about", "GB are available", "--batch", "--gradient_checkpointing")
}
