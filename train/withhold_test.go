package train

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"instruct/data"
	"instruct/model/kernel"
	"instruct/train/recipe"
)

// dropping is a small run over rows in their order, four a step, of which some are withheld.
func dropping(t *testing.T, path string, rows ...string) recipe.Recipe {
	t.Helper()
	r := set(t, small(t), "dataset", path, "eval_fraction", "0", "train_sampling_strategy", "sequential",
		"per_device_train_batch_size", "2", "gradient_accumulation_steps", "2", "max_steps", "5")
	r.DropRows = rows
	return r
}

// TestWithheldRowsMoveNothingElse: up to the step of a withheld row a run has the bits of one with the row; there the
// row's tokens are counted as withheld; and the run is the same when it is stopped, and when it is made again.
func TestWithheldRowsMoveNothingElse(t *testing.T) {
	path := prefixed(t, 24)
	whole := mustRun(t, dropping(t, path))
	nothing := dropping(t, path)
	nothing.DropRows = []string{}
	sameBits(t, mustRun(t, nothing), whole)

	r := dropping(t, path, path+":10", "rows.jsonl:17", "rows.jsonl:18")
	got := mustRun(t, r)
	if !slices.Equal(got.steps[:2], whole.steps[:2]) || got.steps[2] == whole.steps[2] {
		t.Errorf("steps are\n%s\nwith the row\n%s", strings.Join(got.steps, "\n"), strings.Join(whole.steps, "\n"))
	}
	steps, _ := readMetrics(t, r)
	before, _ := readMetrics(t, nothing)
	for i, m := range steps {
		if m.TrainedTokens+m.WithheldTokens != before[i].TrainedTokens || m.NumTokens != before[i].NumTokens ||
			(m.WithheldTokens > 0) != (i == 2 || i == 4) {
			t.Errorf("step %d: %+v, with the rows %+v", i+1, m, before[i])
		}
	}
	m, with := readManifest(t, r), readManifest(t, nothing)
	if m.Withheld != 3 || m.Rows != with.Rows || m.DataHash == with.DataHash {
		t.Errorf("run.json has %d withheld of %d rows", m.Withheld, m.Rows)
	}
	sameBits(t, mustResume(t, dropping(t, path, "rows.jsonl:10", "rows.jsonl:17", "rows.jsonl:18"), 3), got)
	if c := verify(t, r, VerifyOptions{}); !c.Holds {
		t.Errorf("made again: %+v", c)
	}
	packed := []string{"packing", "true", "max_length", "128"}
	if mustRun(t, set(t, dropping(t, path, "rows.jsonl:1"), packed...)).WeightsHash ==
		mustRun(t, set(t, dropping(t, path), packed...)).WeightsHash {
		t.Error("in a packed run nothing is withheld")
	}
}

// TestWithheldGradient: without a row, the gradient of a micro-batch is that with it less the row's own, shared prefix
// or not, and the divisor is the same.
func TestWithheldGradient(t *testing.T) {
	pool := kernel.NewPool(1)
	defer pool.Close()
	dir := filepath.Join("..", "model", "testdata", "reference", "llama")
	examples := make([]data.Example, 3)
	for i := range examples {
		for k := range 14 + 2*i {
			id := (7 * k) % 23
			if k > 9 {
				id = (5*k + 11*i) % 29
			}
			examples[i].IDs = append(examples[i].IDs, int32(id))
			examples[i].Mask = append(examples[i].Mask, k > 9+i)
		}
	}
	m := loadWeights(t, dir)
	defer m.Close()
	g, err := m.NewTraining(pool, 128, false)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	gradient := func(share bool, withheld, alone int) (out []float64, loss, divisor float64) {
		b := data.Batch{Share: share}
		list, rows := slices.Clone(examples), []int{0, 1, 2}
		if withheld >= 0 {
			list[withheld].Withheld = true
		}
		if alone >= 0 {
			rows = []int{alone}
		}
		data.BuildBatch(&b, list, rows)
		if share != (b.Rows[0] < 0) {
			t.Fatal("nothing is shared")
		}
		f := feed{graph: g, objective: MaskedMean{}}
		loss, divisor, err := f.run(&b)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range m.Grads() {
			for i, v := range x.Data {
				out = append(out, float64(v))
				x.Data[i] = 0
			}
		}
		return out, loss, divisor
	}
	for _, share := range []bool{false, true} {
		for row := range examples {
			with, lossWith, divisor := gradient(share, -1, -1)
			without, loss, same := gradient(share, row, -1)
			own, lossOwn, _ := gradient(false, -1, row)
			if same != divisor || math.Abs(lossWith-loss-lossOwn) > 1e-6*lossWith {
				t.Errorf("row %d: loss %v, divisor %v; with it %v, %v; its own %v", row, loss, same, lossWith, divisor, lossOwn)
			}
			difference, size := 0.0, 0.0
			for i := range with {
				d := with[i] - without[i] - own[i]
				difference += float64(d * d)
				size += float64(own[i] * own[i])
			}
			if math.Sqrt(difference/size) > 1e-5 {
				t.Errorf("row %d: what is missing differs from the row's gradient by %.2g of it", row,
					math.Sqrt(difference/size))
			}
		}
	}
	for i := range examples {
		examples[i].Withheld = true
	}
	if out, loss, divisor := gradient(false, -1, -1); loss != 0 || divisor == 0 || slices.Max(out) != 0 {
		t.Errorf("with every row withheld the loss is %v over %v", loss, divisor)
	}
}

// TestWithheldRefused: what cannot be withheld is one message, before anything is written.
func TestWithheldRefused(t *testing.T) {
	path := prefixed(t, 24)
	other := filepath.Join(t.TempDir(), "train.jsonl")
	copyFile(t, path, other)
	for _, x := range []struct {
		keys []string
		rows string
		want string
	}{
		{nil, "rows.jsonl:25", "rows.jsonl:25 is no row of the data set"},
		{nil, "other.jsonl:1", "other.jsonl:1 is no row of the data set"},
		{[]string{"eval_fraction", "0", "eval_dataset", path, "dataset", other}, "rows.jsonl:2",
			"is held out"},
		{[]string{"loss_type", "sigmoid"}, "rows.jsonl:2", "drop_rows withholds rows from the cross-entropy"},
		{[]string{"stages", `[{"dataset":"a.txt"}]`}, "rows.jsonl:2", "write it in the stage"},
	} {
		r := set(t, dropping(t, path, x.rows), x.keys...)
		r.OutputDir = filepath.Join(t.TempDir(), "run")
		_, err := Run(t.Context(), r, silent(nil))
		if err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%q %s: error is %v", x.keys, x.rows, err)
		}
		if isRun(r.OutputDir) {
			t.Errorf("%s: a run was begun", x.rows)
		}
	}
	r := set(t, dropping(t, path, "rows.jsonl:3"), "save_steps", "2")
	mustRun(t, r)
	r = set(t, r, "resume_from_checkpoint", filepath.Join(r.OutputDir, "checkpoint-5"), "output_dir", t.TempDir())
	r.DropRows = []string{"rows.jsonl:4"}
	if _, err := Run(t.Context(), r, silent(nil)); err == nil || !strings.Contains(err.Error(), "drop_rows") {
		t.Errorf("resumed without another row: error is %v", err)
	}
}
