package attribute

import (
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"

	"instruct/model/kernel"
	"instruct/model/pretrained"
	"instruct/tokenizer/chat"
	"instruct/train"
)

// TestUnroll: on a short and smooth run the derivative by a row is what the answer loses without it, for every row.
func TestUnroll(t *testing.T) {
	dir := t.TempDir()
	if err := learn(t.Context(), dir, "num_train_epochs", "4", "learning_rate", "1e-3", "adam_epsilon", "1e-3",
		"weight_decay", "0.1", "max_grad_norm", "0.5", "explain", "false"); err != nil {
		t.Fatal(err)
	}
	run := filepath.Join(dir, "run")
	p, err := train.OpenPast(t.Context(), run, 1, io.Discard, false)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	m, err := pretrained.Load(run, pretrained.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	pool := kernel.NewPool(1)
	defer pool.Close()
	q := []Question{{Messages: []chat.Message{{Role: "user", Content: "Say bb 3."}}, Answer: "bab"},
		{Messages: []chat.Message{{Role: "user", Content: "Who?"}}, Answer: "zoe"}}
	if err := Ask(t.Context(), m, pool, q, 4); err != nil {
		t.Fatal(err)
	}
	calls := 0
	scores, smooth, err := Unroll(t.Context(), p, q, func(done, of int) { calls = of - done })
	if err != nil {
		t.Fatal(err)
	}
	if smooth < 0.7 {
		t.Errorf("a smooth run has smoothness %.3f", smooth)
	}
	if calls != 0 {
		t.Errorf("%d calls are missing", calls)
	}
	before := make([]float64, len(q))
	for i := range q {
		if before[i], err = Logprob(t.Context(), m, pool, &q[i].Example); err != nil {
			t.Fatal(err)
		}
	}
	var rows []int
	lost, told := make([][]float64, len(q)), make([][]float64, len(q))
	for row := 0; row < p.Rows(); row += 2 {
		rows = append(rows, row)
		e, err := p.Row(row)
		if err != nil {
			t.Fatal(err)
		}
		less := filepath.Join(dir, "less")
		if _, err := p.Without(t.Context(), []string{e.Source}, less, quiet()); err != nil {
			t.Fatal(err)
		}
		n, err := pretrained.Load(less, pretrained.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for i := range q {
			now, err := Logprob(t.Context(), n, pool, &q[i].Example)
			if err != nil {
				t.Fatal(err)
			}
			lost[i], told[i] = append(lost[i], before[i]-now), append(told[i], scores[i][row])
		}
		n.Close()
		os.RemoveAll(less)
	}
	for i := range q {
		if r := correlation(lost[i], told[i]); r < 0.95 || spearman(lost[i], told[i]) < 0.8 {
			t.Errorf("answer %d: correlation %.3f, of ranks %.3f: rows %d lost %.4f, by the derivative %.4f", i, r,
				spearman(lost[i], told[i]), rows, lost[i], told[i])
		}
	}
}

// correlation is Pearson's, about 0.
func correlation(a, b []float64) float64 {
	ab, aa, bb := 0.0, 0.0, 0.0
	for i := range a {
		ab += float64(a[i] * b[i])
		aa += float64(a[i] * a[i])
		bb += float64(b[i] * b[i])
	}
	return ab / math.Sqrt(aa*bb)
}

// TestRough: AdamW without epsilon or warm-up at a high rate is rougher than with them, and is said to be.
func TestRough(t *testing.T) {
	smooth := func(more ...string) float64 {
		dir := t.TempDir()
		more = append([]string{"num_train_epochs", "6", "explain", "false"}, more...)
		if err := learn(t.Context(), dir, more...); err != nil {
			t.Fatal(err)
		}
		p, err := train.OpenPast(t.Context(), filepath.Join(dir, "run"), 1, io.Discard, false)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		_, smooth, err := Unroll(t.Context(), p, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		return smooth
	}
	rough, calm := smooth("learning_rate", "1e-1"), smooth("learning_rate", "1e-3", "adam_epsilon", "1e-3")
	t.Logf("smoothness %.3f and %.3f", rough, calm)
	if roughNote(rough) == "" || roughNote(calm) != "" || rough > 1 || calm > 1 {
		t.Errorf("smoothness %.3f of a rough run, %.3f of a calm one", rough, calm)
	}
}
