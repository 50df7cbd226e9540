package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// TestUntilSignal ends the context at the first signal and the process at the second one, with a word.
func TestUntilSignal(t *testing.T) {
	signals, ended := make(chan os.Signal), make(chan int)
	var log bytes.Buffer
	ctx := untilSignal(signals, &log, func(code int) { ended <- code })
	if ctx.Err() != nil {
		t.Fatal("stopped without a signal")
	}
	signals <- os.Interrupt
	<-ctx.Done()
	signals <- os.Interrupt
	if code := <-ended; code != exitInterrupted || !strings.Contains(log.String(), "instruct: stopped now") {
		t.Errorf("exit %d, %q", code, log.String())
	}
}

// TestAgain holds the command that goes on with a stopped run.
func TestAgain(t *testing.T) {
	const end = " --resume_from_checkpoint true"
	for args, want := range map[string]string{
		"train":                                       "train" + end,
		"train r.yaml --seed 3":                       "train r.yaml --seed 3" + end,
		"train --overwrite_output_dir r.yaml":         "train r.yaml" + end,
		"train --overwrite-output-dir=true r":         "train r" + end,
		"train r.yaml --resume_from_checkpoint out/c": "train r.yaml" + end,
		"train r.yaml --resume=true":                  "train r.yaml" + end,
		"train --resume_from_checkpoint auto --overwrite_output_dir": "train --resume_from_checkpoint auto " +
			"--overwrite_output_dir",
		"train --dataset it's": `train --dataset 'it'\''s'` + end,
	} {
		if got := again(strings.Fields(args)); got != os.Args[0]+" "+want {
			t.Errorf("%s: %s, want %s", args, got, want)
		}
	}
}
