package eval_test

import (
	"context"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"instruct/data"
	"instruct/model/kernel"
	"instruct/model/pretrained"
	"instruct/tokenizer"
	"instruct/tokenizer/chat"
	"instruct/train/eval"
)

// tiny is a model that knows nothing, with weights in format d.
func tiny(t *testing.T, d kernel.DType) *pretrained.Model {
	t.Helper()
	m, err := pretrained.Make(pretrained.Scratch{Path: "tiny", Tokenizer: tokenizer.Bytes(chat.LessonsTokens()...),
		ChatTemplate: "lessons", Config: []byte(`{"model_type": "llama", "hidden_size": 32, "num_hidden_layers": 2,
		"num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 32, "max_position_embeddings": 128}`)})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.ReadWeights(d); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

func newPool(t *testing.T, threads int) *kernel.Pool {
	t.Helper()
	pool := kernel.NewPool(threads)
	t.Cleanup(pool.Close)
	return pool
}

// answers are examples of questions with some answers each, which begin alike.
func answers(t *testing.T, m *pretrained.Model) []data.Example {
	t.Helper()
	var rows []data.Row
	for _, question := range []string{"How are you today?", "How are you?", "Bye", "What can you do for me?"} {
		for _, answer := range []string{"Fine.", "Fine, thank you.", "So so", "I do not know, and you?", ""} {
			rows = append(rows, data.Row{Source: question, Messages: []chat.Message{{Role: "system", Content: "Be kind."},
				{Role: "user", Content: question}, {Role: "assistant", Content: answer}}})
		}
	}
	e := data.Encoder{Tokenizer: m.Tokenizer, Template: m.Template, Stop: m.Stop}
	examples, _, err := e.EncodeAll(t.Context(), rows, 1)
	if err != nil {
		t.Fatal(err)
	}
	return examples
}

// score collects what Score emits.
func score(t *testing.T, m *pretrained.Model, threads int, examples []data.Example) [][]float64 {
	t.Helper()
	var all [][]float64
	err := eval.Score(t.Context(), m.Model, newPool(t, threads), examples, func(from int, logprobs [][]float64) error {
		if from != len(all) {
			t.Errorf("example %d comes as the %dth", from, len(all))
		}
		for k, l := range logprobs {
			if n := examples[from+k].Trained(); len(l) != n {
				t.Errorf("example %d has %d log-probabilities, want %d", from+k, len(l), n)
			}
		}
		all = append(all, logprobs...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestScoreAlone makes sure that an answer's log-probabilities have the bits that they have alone.
func TestScoreAlone(t *testing.T) {
	for _, d := range []kernel.DType{kernel.F32, kernel.BF16, kernel.Q8_0, kernel.Q4_0} {
		t.Run(d.String(), func(t *testing.T) {
			m := tiny(t, d)
			examples := answers(t, m)
			if testing.Short() {
				examples = examples[:10] // of two questions
			}
			together := score(t, m, 2, examples)
			for i, e := range examples {
				if alone := score(t, m, 1, []data.Example{e})[0]; !reflect.DeepEqual(alone, together[i]) {
					t.Errorf("example %d: %v alone, %v together", i, alone, together[i])
				}
				for _, l := range together[i] {
					if !(l < 0) || math.IsInf(l, 0) {
						t.Errorf("example %d: a log-probability of %v", i, l)
					}
				}
			}
			if testing.Short() {
				return
			}
			many := slices.Concat(examples[7:], examples, slices.Repeat(examples, 6)) // more than are scored together
			if got := score(t, m, 2, many)[len(examples)-7:][:len(examples)]; !reflect.DeepEqual(got, together) {
				t.Error("the log-probabilities depend on what else is scored")
			}
		})
	}
}

func TestScoreErrors(t *testing.T) {
	m := tiny(t, kernel.F32)
	pool := newPool(t, 1)
	examples := answers(t, m)
	none := func(int, [][]float64) error { return nil }
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := eval.Score(ctx, m.Model, pool, examples, none); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that of the context", err)
	}
	full := errors.New("full")
	err := eval.Score(t.Context(), m.Model, pool, examples, func(int, [][]float64) error { return full })
	if !errors.Is(err, full) {
		t.Errorf("error %v, want that of emit", err)
	}
	examples[3].IDs[2] = 9999
	err = eval.Score(t.Context(), m.Model, pool, examples, none)
	if err == nil || !strings.Contains(err.Error(), "token id 9999") {
		t.Errorf("error %v", err)
	}
	if err := eval.Score(t.Context(), m.Model, pool, nil, none); err != nil {
		t.Errorf("no examples: %v", err)
	}
}
