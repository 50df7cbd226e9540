package model

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"instruct/checkpoints"
	"instruct/model/kernel/rng"
	"instruct/model/ops"
)

// weightedBatch is a test batch whose weights are of either sign, some of them 0.
func weightedBatch(vocab int) Batch {
	b := testBatch(vocab, 9, 20, 3, 17)
	r := rng.NewRand(5, "weights", 0, 0)
	for i := range b.Weights {
		if b.Weights[i] != 0 {
			b.Weights[i] = float32(r.Normal())
		}
	}
	return b
}

// fixed hands out the weights of b as a Weigh.
func fixed(b Batch) func([]float64, []float32) float64 {
	weights := slices.Clone(b.Weights)
	return func(logprobs []float64, out []float32) float64 {
		loss := 0.0
		for i, w := range weights {
			loss -= float64(float64(w) * logprobs[i])
		}
		copy(out, weights)
		return loss
	}
}

// TestFixedWeightsThroughWeigh: fixed weights of either sign give one loss and the same gradients, bit for bit, however
// they reach the loss and however many chunks of logits there are.
func TestFixedWeightsThroughWeigh(t *testing.T) {
	pool := testPool(t)
	for name, c := range brief(familyConfigs(t)) {
		m := testModel(t, c)
		if err := m.needGrads(); err != nil {
			t.Fatal(err)
		}
		b := weightedBatch(c.Vocab)
		weighed := b
		weighed.Weigh = fixed(b)
		var want []float32
		var wantLoss float64
		for _, chunk := range []int{0, 5} {
			g, err := m.build(pool, graphSpec{kind: training, capacity: 64, chunk: chunk})
			if err != nil {
				t.Fatal(err)
			}
			defer g.Close()
			e, err := m.build(pool, graphSpec{kind: evaluation, capacity: 64, chunk: chunk, beside: g})
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			for i, batch := range []Batch{b, weighed} {
				loss, err := g.Run(batch)
				if err != nil {
					t.Fatal(err)
				}
				got := gradients(m)
				if want == nil {
					want, wantLoss = got, loss
				}
				if loss != wantLoss || !slices.Equal(got, want) {
					t.Errorf("%s, chunk %d, weigh %v: other bits; loss %v, want %v", name, chunk, i == 1, loss, wantLoss)
				}
				if loss, err := e.Run(batch); err != nil || loss != wantLoss {
					t.Errorf("%s, chunk %d, weigh %v: evaluation %v (%v), want %v", name, chunk, i == 1, loss, err, wantLoss)
				}
			}
		}
	}
}

// TestNegativeWeights: the gradient of weights -w is the negated gradient of weights w.
func TestNegativeWeights(t *testing.T) {
	m := testModel(t, testConfig(t))
	g, err := m.NewTraining(testPool(t), 64, false)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	b := weightedBatch(m.Config.Vocab)
	plus, err := g.Run(b)
	if err != nil {
		t.Fatal(err)
	}
	want := gradients(m)
	for i := range b.Weights {
		b.Weights[i] = -b.Weights[i]
	}
	minus, err := g.Run(b)
	if err != nil {
		t.Fatal(err)
	}
	got := gradients(m)
	if minus != -plus {
		t.Errorf("losses %v and %v", plus, minus)
	}
	for i := range got {
		if got[i] != -want[i] {
			t.Fatalf("gradient %d is %v, with the other sign %v", i, got[i], want[i])
		}
	}
}

// TestScoredButNotTrained: a needed position to which Weigh gives no weight has its log-probability and no gradient.
func TestScoredButNotTrained(t *testing.T) {
	m := testModel(t, testConfig(t))
	g, err := m.NewTraining(testPool(t), 64, false)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	b := testBatch(m.Config.Vocab, 9, 20)
	if _, err := g.Run(b); err != nil {
		t.Fatal(err)
	}
	gradients(m)
	want := slices.Clone(g.Logprobs())
	calls := 0
	b.Weigh = func(logprobs []float64, weights []float32) float64 {
		calls++
		if !slices.Equal(logprobs, want) {
			t.Errorf("log-probabilities %v, want %v", logprobs, want)
		}
		return 3
	}
	if loss, err := g.Run(b); err != nil || loss != 3 || calls != 1 {
		t.Errorf("loss %v (%v) after %d calls", loss, err, calls)
	}
	for i, v := range gradients(m) {
		if v != 0 {
			t.Fatalf("gradient %d is %v", i, v)
		}
	}
}

// preference is the loss of pairs of segments (2k chosen, 2k+1 rejected): -log sigmoid(beta * (sum of the
// log-probabilities of the chosen one - that of the rejected one)), summed; the shape of direct preference optimization
// (Rafailov et al. 2023, arXiv:2305.18290).
func preference(segments []Segment) func([]float64, []float32) float64 {
	const beta = 0.3
	return func(logprobs []float64, weights []float32) float64 {
		loss := 0.0
		for k := 0; k < len(segments); k += 2 {
			z := 0.0
			for _, lp := range logprobs[segments[k].Start:segments[k].End] {
				z += beta * lp
			}
			for _, lp := range logprobs[segments[k+1].Start:segments[k+1].End] {
				z -= beta * lp
			}
			loss += math.Log1p(math.Exp(-z))
			slope := beta / (1 + math.Exp(z))
			for j, sign := range []float64{1, -1} {
				for i := segments[k+j].Start; i < segments[k+j].End; i++ {
					weights[i] = float32(sign * slope)
				}
			}
		}
		return loss
	}
}

// TestWeighSlopes compares the gradient of each parameter under a loss that is not linear in the log-probabilities with
// the difference of the losses along it.
func TestWeighSlopes(t *testing.T) {
	m := referenceLlama(t)
	b := testBatch(m.Config.Vocab, 9, 7, 12, 5)
	b.Weigh = preference(b.Segments)
	if err := m.needGrads(); err != nil {
		t.Fatal(err)
	}
	for _, chunk := range []int{0, 4} {
		g, err := m.build(testPool(t), graphSpec{kind: training, capacity: 64, chunk: chunk})
		if err != nil {
			t.Fatal(err)
		}
		defer g.Close()
		loss := func() float64 {
			v, err := g.Run(b)
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		gradients(m)
		loss()
		grads := map[*ops.Param][]float32{}
		for _, p := range m.Params {
			grads[p] = slices.Clone(p.Grad)
		}
		for _, p := range m.Params {
			norm := 0.0
			for _, v := range grads[p] {
				norm += float64(v) * float64(v)
			}
			norm = math.Sqrt(norm)
			value := slices.Clone(p.Value)
			at := func(step float64) float64 {
				for i, v := range grads[p] {
					p.Value[i] = value[i] + float32(step*float64(v)/norm)
				}
				return loss()
			}
			const h = 3e-3
			slope := (at(h) - at(-h)) / (2 * h)
			copy(p.Value, value)
			if math.Abs(slope-norm) > 1e-3*norm {
				t.Errorf("chunk %d: the loss rises by %g along the gradient of %s, whose norm is %g", chunk, slope, p.Name, norm)
			}
		}
	}
}

// referenceLlama is the tiny model of testdata/reference/llama.
func referenceLlama(t *testing.T) *Model {
	t.Helper()
	dir := filepath.Join("testdata", "reference", "llama")
	text, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := ParseConfig(dir, text)
	if err != nil {
		t.Fatal(err)
	}
	src, err := checkpoints.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	m := testModel(t, c)
	if err := m.Load(dir, src); err != nil {
		t.Fatal(err)
	}
	return m
}
