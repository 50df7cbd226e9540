package model

import (
	"math"
	"slices"
	"testing"
)

// TestSoftTargets: the loss and the gradients of a distribution are the means, by its probabilities, of those of its
// tokens as targets. Positions without one keep their target, bit for bit.
func TestSoftTargets(t *testing.T) {
	const k = 3
	pool := testPool(t)
	for name, c := range brief(testConfigs(t)) {
		m := testModel(t, c)
		if err := m.needGrads(); err != nil {
			t.Fatal(err)
		}
		b := testBatch(c.Vocab, 9, 20, 3, 17)
		soft := Soft{K: k, IDs: make([]int32, k*b.Len()), Probs: make([]float32, k*b.Len())}
		probs := []float32{0.5, 0.375, 0.125}
		for i := range b.Len() {
			for j := range k {
				soft.IDs[i*k+j] = int32((i*7 + j*5) % c.Vocab)
				if i%3 != 0 {
					soft.Probs[i*k+j] = probs[j]
				}
			}
		}
		for _, chunk := range []int{0, 5} {
			g, err := m.build(pool, graphSpec{kind: training, capacity: 64, chunk: chunk})
			if err != nil {
				t.Fatal(err)
			}
			defer g.Close()
			run := func(b Batch) (float64, []float32) {
				loss, err := g.Run(b)
				if err != nil {
					t.Fatal(err)
				}
				return loss, gradients(m)
			}
			wantLoss, want := 0.0, []float64(nil)
			for j := range k {
				one := b
				one.Targets = slices.Clone(b.Targets)
				for i := range b.Len() {
					if i%3 != 0 {
						one.Targets[i] = soft.IDs[i*k+j]
					}
				}
				loss, grads := run(one)
				wantLoss += loss * float64(probs[j])
				if want == nil {
					want = make([]float64, len(grads))
				}
				for i, x := range grads {
					want[i] += float64(x) * float64(probs[j])
				}
			}
			with := b
			with.Soft = soft
			loss, grads := run(with)
			if math.Abs(loss-wantLoss) > 1e-6*wantLoss {
				t.Errorf("%s, chunk %d: loss %v, want %v", name, chunk, loss, wantLoss)
			}
			for i, x := range grads {
				if math.Abs(float64(x)-want[i]) > 2e-5*(1+math.Abs(want[i])) {
					t.Fatalf("%s, chunk %d: gradient %d is %v, want %v", name, chunk, i, x, want[i])
				}
			}
			with.Soft.Probs = make([]float32, k*b.Len())
			hardLoss, hard := run(b)
			if loss, grads := run(with); loss != hardLoss || !slices.Equal(grads, hard) {
				t.Errorf("%s, chunk %d: a position without a distribution has other bits than its target alone", name, chunk)
			}
		}
	}
}

// TestTop: the likeliest tokens of each step are those of the logits, with the log-probabilities of the loss.
func TestTop(t *testing.T) {
	pool := testPool(t)
	for name, c := range brief(testConfigs(t)) {
		m := testModel(t, c)
		d, err := m.NewDecoder(pool, DecoderOptions{Sequences: 2})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		e, err := m.NewEvaluation(pool, 64, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		request := Request{Prompt: []int32{1, 2, 3}, MaxNew: 6, Top: c.Vocab}
		a, err := d.Answer(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		if len(a.Top) != 6 || len(a.Top[0].IDs) != c.Vocab {
			t.Fatalf("%s: %d tops", name, len(a.Top))
		}
		ids := append(slices.Clone(request.Prompt), a.IDs...)
		for step, top := range a.Top {
			if top.IDs[0] != a.IDs[step] {
				t.Errorf("%s: the greedy token is %d, the likeliest %d", name, a.IDs[step], top.IDs[0])
			}
			at := len(request.Prompt) + step - 1
			for k := range top.IDs {
				if k > 0 && top.Logprobs[k] > top.Logprobs[k-1] {
					t.Fatalf("%s: not in order: %v", name, top.Logprobs)
				}
				if k%13 != 0 {
					continue
				}
				b := Batch{Segments: []Segment{{End: at + 1}}, Tokens: ids[:at+1]}
				for i := range at + 1 {
					b.Positions, b.Targets, b.Weights = append(b.Positions, int32(i)), append(b.Targets, 0), append(b.Weights, 0)
				}
				b.Targets[at], b.Weights[at] = top.IDs[k], 1
				loss, err := e.Run(b)
				if err != nil {
					t.Fatal(err)
				}
				if math.Abs(loss+float64(top.Logprobs[k])) > 1e-4 {
					t.Errorf("%s, step %d, token %d: log-probability %v, the loss says %v", name, step, k, top.Logprobs[k], -loss)
				}
			}
		}
		request.Top, request.Stop = 1, a.IDs[2:3]
		stopped, err := d.Answer(t.Context(), request)
		if err != nil || stopped.Finish != FinishStop || len(stopped.Top) != len(stopped.IDs)+1 ||
			stopped.Top[len(stopped.IDs)].IDs[0] != a.IDs[2] {
			t.Errorf("%s: the step of the stop token is missing: %+v, %v", name, stopped, err)
		}
	}
}
