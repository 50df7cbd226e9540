package eval_test

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"instruct/data"
	"instruct/model"
	"instruct/model/kernel"
	"instruct/model/pretrained"
	"instruct/tokenizer/chat"
	"instruct/train/eval"
)

// keeping makes a keeper over a folder; loaded counts how often it asks for the model's weights, which are there.
func keeping(t *testing.T, dir string, m *pretrained.Model, loaded *int) *eval.Keeper {
	t.Helper()
	kept, err := eval.OpenKept(dir, "model")
	if err != nil {
		t.Fatal(err)
	}
	pool := kernel.NewPool(1)
	k := &eval.Keeper{Model: m, Pool: pool, Kept: kept, Load: func() error {
		*loaded++
		return nil
	}}
	t.Cleanup(func() {
		k.Close()
		pool.Close()
		kept.Close()
	})
	return k
}

// TestKeeper asks a part, then all, then all again: the samples are those without a keeper, and nothing is asked twice.
func TestKeeper(t *testing.T) {
	m, dir := unlearned(t), t.TempDir()
	suite := eval.ExactAnswers("mine", rows())
	want, err := suite.Ask(t.Context(), session(t))
	if err != nil {
		t.Fatal(err)
	}
	loaded := 0
	part := &eval.Suite{Tests: suite.Tests[1:2]}
	if _, err := part.Ask(t.Context(), keeping(t, dir, m, &loaded)); err != nil || loaded != 1 {
		t.Fatalf("loaded %d times, error %v", loaded, err)
	}
	for _, c := range []struct{ before, loaded int }{{1, 2}, {3, 2}} {
		k := keeping(t, dir, m, &loaded)
		got, err := suite.Ask(t.Context(), k)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("error %v, samples\n%+v\nwant\n%+v", err, got, want)
		}
		if k.Answers.Kept != c.before || loaded != c.loaded {
			t.Errorf("%d were kept and %d loads, want %+v", k.Answers.Kept, loaded, c)
		}
	}

	// What else decides an answer is in the key.
	k := keeping(t, dir, m, &loaded)
	d := pretrained.Decoding{MaxNew: 3, Sampling: model.Sampling{Temperature: 0.8, Seed: 5}}
	if _, err := suite.AskWith(t.Context(), k, d, nil); err != nil || k.Answers.Kept != 0 {
		t.Errorf("%d answers of another sampling were taken, error %v", k.Answers.Kept, err)
	}
	suite.Tests[0].Messages = []chat.Message{{Role: "user", Content: "Say hi!"}}
	suite.Tests[1].MaxNew++
	k = keeping(t, dir, m, &loaded)
	if _, err := suite.Ask(t.Context(), k); err != nil || k.Answers.Kept != 1 {
		t.Errorf("%d answers were kept, want that of the unchanged test, error %v", k.Answers.Kept, err)
	}
}

// TestKeeperIsStopped: an answer that is not whole is not kept.
func TestKeeperIsStopped(t *testing.T) {
	m, dir, loaded := unlearned(t), t.TempDir(), 0
	suite := eval.ExactAnswers("mine", rows())
	ctx, cancel := context.WithCancel(t.Context())
	_, err := suite.AskWith(ctx, keeping(t, dir, m, &loaded), pretrained.Decoding{}, cancel)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	want, err := suite.Ask(t.Context(), session(t))
	if err != nil {
		t.Fatal(err)
	}
	k := keeping(t, dir, m, &loaded)
	got, err := suite.Ask(t.Context(), k)
	if err != nil || !reflect.DeepEqual(got, want) || k.Answers.Kept == 0 || k.Answers.Kept == len(want) {
		t.Errorf("%d kept, error %v, samples\n%+v\nwant\n%+v", k.Answers.Kept, err, got, want)
	}
}

// TestKeeperOfScores: log-probabilities come back with their bits, and whoever has them needs no weights.
func TestKeeperOfScores(t *testing.T) {
	m, dir, loaded := unlearned(t), t.TempDir(), 0
	var examples []data.Example
	for i, text := range []string{"one", "another one", "the last"} {
		ids := m.Tokenizer.Encode(text, false)
		mask := make([]bool, len(ids))
		for j := 1 + i; j < len(mask); j++ {
			mask[j] = true
		}
		examples = append(examples, data.Example{IDs: ids, Mask: mask})
	}
	want := make([][]float64, len(examples))
	pool := kernel.NewPool(1)
	defer pool.Close()
	err := eval.Score(t.Context(), m.Model, pool, examples, func(from int, logprobs [][]float64) error {
		copy(want[from:], logprobs)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ examples, kept, loaded int }{{1, 0, 1}, {3, 1, 2}, {3, 3, 2}} {
		k := keeping(t, dir, m, &loaded)
		got := make([][]float64, c.examples)
		err := k.Score(t.Context(), examples[:c.examples], func(indices []int, logprobs [][]float64) error {
			for n, i := range indices {
				got[i] = logprobs[n]
			}
			return nil
		})
		if err != nil || !reflect.DeepEqual(got, want[:c.examples]) {
			t.Errorf("error %v, %v, want %v", err, got, want)
		}
		if (k.Scores != eval.Count{Kept: c.kept, All: c.examples}) || loaded != c.loaded {
			t.Errorf("%+v, %d loads, want %+v", k.Scores, loaded, c)
		}
	}
	examples[0].Mask[1] = false
	k := keeping(t, dir, m, &loaded)
	err = k.Score(t.Context(), examples[:1], func([]int, [][]float64) error { return nil })
	if err != nil || k.Scores.Kept != 0 {
		t.Errorf("with another mask %+v, error %v", k.Scores, err)
	}
}
