package model

import (
	"math"
	"reflect"
	"slices"
	"testing"
)

// echoed answers requests together and gives what is said of the tokens of each.
func echoed(t *testing.T, d *Decoder, requests []Request, seed uint64) [][]Said {
	t.Helper()
	said := make([][]Said, len(requests))
	requests = slices.Clone(requests)
	for i := range requests {
		requests[i].Say = func(x Said) { said[i] = append(said[i], x) }
	}
	answerAll(t, d, requests, seed)
	return said
}

// TestEcho: what is said of the tokens of prompts and answers has the same bits alone and in any company, whatever the
// cache holds, and is what the loss says.
func TestEcho(t *testing.T) {
	for name, c := range brief(testConfigs(t)) {
		m := testModel(t, c)
		requests := testRequests(testCount(40), 0.8)
		for i := range requests {
			requests[i].Echo, requests[i].Top = i%4 != 0, i%3
		}
		want := make([][]Said, len(requests))
		d := newDecoder(t, m, DecoderOptions{Echo: 3})
		for i := range requests {
			d.Forget()
			want[i] = echoed(t, d, requests[i:i+1], 1)[0]
		}
		for _, o := range []DecoderOptions{{Sequences: 5, Echo: 40}, {Sequences: 3, Rows: 700, Echo: 7}} {
			d := newDecoder(t, m, o)
			for i, got := range echoed(t, d, requests, 1) {
				if !reflect.DeepEqual(got, want[i]) {
					t.Fatalf("%s, %+v: request %d: %v, alone %v", name, o, i, got, want[i])
				}
			}
		}
		compareWithLoss(t, m, requests[1], want[1])
	}
}

// compareWithLoss compares what is said of a prompt with an evaluation of it.
func compareWithLoss(t *testing.T, m *Model, r Request, said []Said) {
	t.Helper()
	e, err := m.NewEvaluation(testPool(t), 512, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	n := len(r.Prompt)
	b := Batch{Segments: []Segment{{End: n - 1}}, Tokens: r.Prompt[:n-1]}
	for i := range n - 1 {
		b.Positions, b.Weights = append(b.Positions, int32(i)), append(b.Weights, 1)
		b.Targets = append(b.Targets, r.Prompt[i+1])
	}
	if _, err := e.Run(b); err != nil {
		t.Fatal(err)
	}
	for i, want := range e.Logprobs()[:n-1] {
		if got := said[i]; got.ID != r.Prompt[i+1] || math.Abs(float64(got.Logprob)-want) > 1e-5 {
			t.Errorf("token %d: %d has log-probability %g, the loss says %d, %g", i+1, got.ID, got.Logprob, r.Prompt[i+1], want)
		}
	}
}

// TestEchoSharesBeginnings: a beginning that two prompts have in common is read once, but for its last token.
func TestEchoSharesBeginnings(t *testing.T) {
	d := newDecoder(t, testModel(t, testConfigs(t)["qwen3"]), DecoderOptions{Echo: 100})
	one := testBatch(50, 50).Tokens[:50]
	other := slices.Clone(one)
	for i := 30; i < 50; i++ {
		other[i] = (one[i] + 1) % 50
	}
	prompts := [2][]int32{one, other}
	for _, p := range prompts {
		if _, err := d.Answer(t.Context(), Request{Prompt: p, MaxNew: 1, Echo: true, Say: func(Said) {}}); err != nil {
			t.Fatal(err)
		}
	}
	rows := 0
	for _, r := range d.cache.runs {
		rows += r.read
	}
	if rows != 50+21 {
		t.Errorf("the cache holds %d rows, want %d", rows, 50+21)
	}
}

// TestCancelledRequest: a request that is not wanted any more ends before the next step, the others go on.
func TestCancelledRequest(t *testing.T) {
	d := newDecoder(t, testModel(t, testConfigs(t)["qwen3"]), DecoderOptions{Sequences: 1})
	said := 0
	first := Request{Prompt: []int32{1, 2}, MaxNew: 50, Say: func(Said) { said++ },
		Cancelled: func() bool { return said == 3 }}
	waiting := Request{Prompt: []int32{5}, MaxNew: 4, Cancelled: func() bool { return true }}
	answers := answerAll(t, d, []Request{first, waiting, {Prompt: []int32{3, 4}, MaxNew: 2}}, 1)
	for i, want := range []struct {
		finish string
		tokens int
	}{{FinishCancel, 3}, {FinishCancel, 0}, {FinishLength, 2}} {
		if a := answers[i]; a.Finish != want.finish || len(a.IDs) != want.tokens {
			t.Errorf("answer %d: %s with %d tokens, want %s with %d", i, a.Finish, len(a.IDs), want.finish, want.tokens)
		}
	}
}

// TestBias: a bias forces a token, or rules one out, and changes nothing of what is said.
func TestBias(t *testing.T) {
	d := newDecoder(t, testModel(t, testConfigs(t)["qwen3"]), DecoderOptions{})
	var said []Said
	r := Request{Prompt: []int32{1, 2, 3}, MaxNew: 1, Top: 1, Say: func(x Said) { said = append(said, x) }}
	for _, bias := range []map[int32]float32{nil, {7: 1000}} {
		r.Bias = bias
		if _, err := d.Answer(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	if said[1].ID != 7 || !reflect.DeepEqual(said[0].Top, said[1].Top) || said[1].Logprob >= said[0].Logprob {
		t.Errorf("without a bias %v, with one for 7 %v", said[0], said[1])
	}
	r.Bias = map[int32]float32{100000: 1}
	if _, err := d.Answer(t.Context(), r); err == nil {
		t.Error("a bias of a token that does not exist is taken")
	}
}
