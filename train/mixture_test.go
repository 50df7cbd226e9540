package train

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// counting writes rows whose answers count in a language, and returns their path.
func counting(t *testing.T, name, word string, n int) string {
	t.Helper()
	var rows strings.Builder
	for i := range n {
		fmt.Fprintf(&rows, `{"prompt":"%s to %d","completion":"%s"}`+"\n", name, i, strings.Repeat(word+" ", i%5+1))
	}
	path := filepath.Join(t.TempDir(), name+".jsonl")
	if err := os.WriteFile(path, []byte(rows.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestMixtureResumes stops a run over a mixture in each of several epochs of different lengths, with rows held out, and
// goes on with the same bits.
func TestMixtureResumes(t *testing.T) {
	a, b := counting(t, "one", "one", 12), counting(t, "two", "deux", 5)
	more := []string{"dataset", a + "," + b, "dataset_weights", "0.4,0.6", "eval_fraction", "0.2", "max_steps", "9",
		"per_device_train_batch_size", "2", "gradient_accumulation_steps", "2", "threads", "2", "save_steps", "9"}
	want := mustRun(t, set(t, small(t), more...))
	sameBits(t, mustResume(t, set(t, small(t), more...), 6, "threads", "1"), want)
	other := mustRun(t, set(t, small(t), append(more, "dataset_weights", "0.6,0.4")...))
	if other.WeightsHash == want.WeightsHash {
		t.Error("other weights of the data sets give the same run")
	}
	r := set(t, small(t), append(more, "output_dir", other.OutputDir, "resume_from_checkpoint", "true")...)
	if _, err := Run(t.Context(), r, silent(nil)); err == nil || !strings.Contains(err.Error(), "dataset_weights") {
		t.Errorf("going on with other weights of the data sets: %v", err)
	}
}

func TestMixtureMistakes(t *testing.T) {
	a, b := counting(t, "one", "one", 12), counting(t, "two", "deux", 5)
	for _, c := range []struct{ weights, want string }{
		{"1", "dataset_weights has 1 numbers, and dataset 2 names"},
		{"1,0", `number 2 is "0"; expected a number above 0`},
		{"1,much", `number 2 is "much"`},
		{"1,1e-9", "so small a weight"},
	} {
		r := set(t, small(t), "dataset", a+","+b, "dataset_weights", c.weights)
		if _, err := Run(t.Context(), r, silent(nil)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.weights, err, c.want)
		}
	}
}
