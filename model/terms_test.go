package model

import (
	"math"
	"slices"
	"testing"

	"instruct/model/kernel"
	"instruct/model/ops"
)

// TestTermsAndNoise: label smoothing, z-loss and noise have the same bits however the logits are taken in chunks, the
// gradients are those of the loss, and a graph that does not train has no noise.
func TestTermsAndNoise(t *testing.T) {
	pool := testPool(t)
	m := testModel(t, testConfig(t))
	if err := m.needGrads(); err != nil {
		t.Fatal(err)
	}
	b := testBatch(m.Config.Vocab, 9, 20, 3, 17)
	plain := b
	b.Terms = kernel.LossTerms{Smoothing: 0.1, Z: 1e-2}
	b.Noise = ops.Noise{Alpha: 5, Seed: 1, Step: 3, Rows: []int{4, 2, 9, 7}}
	var want []float32
	for _, chunk := range []int{0, 5} {
		g, err := m.build(pool, graphSpec{kind: training, capacity: 64, chunk: chunk})
		if err != nil {
			t.Fatal(err)
		}
		defer g.Close()
		run := func(b Batch) float64 {
			loss, err := g.Run(b)
			if err != nil {
				t.Fatal(err)
			}
			return loss
		}
		loss := run(b)
		got := gradients(m)
		if want == nil {
			want = got
		}
		if !slices.Equal(got, want) || loss == run(plain) {
			t.Errorf("chunk %d: other bits, or the loss of neither", chunk)
		}
		gradients(m) // clears them
		if chunk == 0 {
			continue // what follows moves the weights
		}
		const h = 1e-2 // along the gradient, all parameters together
		norm := 0.0
		for _, x := range got {
			norm += float64(x) * float64(x)
		}
		norm = math.Sqrt(norm)
		move := func(h float64) float64 {
			at := 0
			for _, p := range m.Tensors() {
				for i := range p.Data {
					p.Data[i] += float32(h * float64(got[at+i]) / norm)
				}
				at += len(p.Data)
			}
			return run(b)
		}
		up := move(h)
		down := move(-2 * h)
		move(h)
		if slope := (up - down) / (2 * h); math.Abs(slope-norm) > 2e-2*norm {
			t.Errorf("chunk %d: the loss has slope %g along its gradient, of norm %g", chunk, slope, norm)
		}
		gradients(m) // clears them
		e, err := m.build(pool, graphSpec{kind: evaluation, capacity: 64, chunk: chunk})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		noisy := plain
		noisy.Noise = b.Noise
		quiet, err := e.Run(plain)
		if loud, err2 := e.Run(noisy); err != nil || err2 != nil || quiet != loud {
			t.Errorf("evaluations %v and %v with noise (%v, %v)", quiet, loud, err, err2)
		}
	}
}

// TestNoiseIsOfTheRow: a row has the noise that it has alone, wherever it stands in a micro-batch.
func TestNoiseIsOfTheRow(t *testing.T) {
	m := testModel(t, testConfig(t))
	g, err := m.NewTraining(testPool(t), 64, false)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	all := testBatch(m.Config.Vocab, 9, 20)
	all.Noise = ops.Noise{Alpha: 5, Seed: 1, Step: 3, Rows: []int{4, 2}}
	if _, err := g.Run(all); err != nil {
		t.Fatal(err)
	}
	want := slices.Clone(g.Logprobs()[9:])
	one := Batch{Tokens: all.Tokens[9:], Positions: all.Positions[9:], Targets: all.Targets[9:], Weights: all.Weights[9:],
		Segments: []Segment{{End: 20}}, Noise: all.Noise}
	one.Noise.Rows = []int{2}
	if _, err := g.Run(one); err != nil || !slices.Equal(g.Logprobs(), want) {
		t.Errorf("a row alone has other log-probabilities (%v)", err)
	}
}
