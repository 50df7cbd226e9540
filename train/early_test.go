package train

import (
	"bytes"
	"strings"
	"testing"
)

func TestEarlyStoppingCounts(t *testing.T) {
	for _, x := range []struct {
		threshold float64
		losses    []float64
		since     []int
	}{
		{0, []float64{3, 2, 2, 2.5, 1, 4}, []int{0, 0, 1, 2, 0, 1}},
		{0.5, []float64{3, 2.75, 2.5, 1, 0.75}, []int{0, 1, 2, 0, 1}}, // better than the last one, by too little
	} {
		var b best
		for i, loss := range x.losses {
			b.take(loss, i+1, x.threshold)
			if b.Since != x.since[i] {
				t.Errorf("threshold %g: after %v it is %d evaluations since the best, want %d", x.threshold, x.losses[:i+1],
					b.Since, x.since[i])
			}
		}
	}
}

// TestEarlyStopping: nothing is learned at a rate of 0, so the third evaluation is the second in vain.
func TestEarlyStopping(t *testing.T) {
	more := []string{"learning_rate", "0", "early_stopping_patience", "2", "eval_steps", "2", "save_steps", "100",
		"num_train_epochs", "2"}
	r := set(t, small(t), more...)
	var run trained
	var log bytes.Buffer
	o := Options{Out: new(bytes.Buffer), Log: &log, OnStep: run.add}
	var err error
	if run.Result, err = Run(t.Context(), r, o); err != nil {
		t.Fatal(err)
	}
	if run.Steps != 6 || run.BestStep != 2 || !strings.Contains(log.String(), "stopped early after step 6 of ") {
		t.Errorf("%d steps, the best is %d\n%s", run.Steps, run.BestStep, log.String())
	}
	stopped := set(t, small(t), more...)
	sameBits(t, mustResume(t, stopped, 5), run)
	again := mustRun(t, set(t, stopped, "resume_from_checkpoint", "true"))
	if len(again.steps) > 0 || again.Steps != 6 {
		t.Errorf("a run that stopped early went on to step %d", again.Steps)
	}
	if on := mustRun(t, set(t, stopped, "resume_from_checkpoint", "true", "early_stopping_patience", "0")); on.Steps <= 6 {
		t.Errorf("without early stopping it ends at step %d", on.Steps)
	}
}
