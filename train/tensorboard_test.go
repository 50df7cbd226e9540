package train

import (
	"os"
	"path/filepath"
	"testing"

	"instruct/train/tensorboard"
)

// TestTensorBoard stops a run and goes on with it: the event file has every row of metrics.jsonl, once.
func TestTensorBoard(t *testing.T) {
	r := set(t, quick(t), "max_steps", "5", "eval_steps", "2", "report_to", "tensorboard")
	mustResume(t, r, 3)
	text, err := os.ReadFile(filepath.Join(r.OutputDir, eventsFile))
	if err != nil {
		t.Fatal(err)
	}
	events := tensorboard.Decode(text)[1:]
	s, err := ReadRun(r.OutputDir)
	if err != nil {
		t.Fatal(err)
	}
	if len(events) != len(s.Rows) {
		t.Fatalf("%d events of %d rows", len(events), len(s.Rows))
	}
	for i, row := range s.Rows {
		tag, want := "train/loss", row.Loss
		if row.Loss == nil {
			tag, want = "eval/loss", row.EvalLoss
		}
		got := events[i]
		if got.Step != int64(row.Step) || got.Scalars[0] != (tensorboard.Scalar{Tag: tag, Value: float32(*want)}) {
			t.Errorf("event %+v of row %+v", got, row)
		}
	}
}
