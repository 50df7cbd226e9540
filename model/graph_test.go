package model

import (
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"

	"instruct/model/kernel"
	"instruct/model/kernel/rng"
)

// testConfig is a small model with grouped queries and q/k norms.
func testConfig(t testing.TB) Config { return testConfigs(t)["qwen3"] }

func testModel(t testing.TB, c Config) *Model {
	t.Helper()
	m, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	m.Init(7)
	return m
}

func testPool(t testing.TB) *kernel.Pool {
	p := kernel.NewPool(2)
	t.Cleanup(p.Close)
	return p
}

// testBatch has rows of the given lengths with random tokens; every second token is trained.
func testBatch(vocab int, lengths ...int) Batch {
	r := rng.NewRand(3, "test", 0, 0)
	var b Batch
	for _, n := range lengths {
		start := len(b.Tokens)
		for i := range n {
			b.Tokens, b.Positions = append(b.Tokens, int32(r.Intn(vocab))), append(b.Positions, int32(i))
			b.Targets, b.Weights = append(b.Targets, int32(r.Intn(vocab))), append(b.Weights, float32(i%2))
		}
		b.Segments = append(b.Segments, Segment{Start: start, End: start + n})
	}
	return b
}

func gradients(m *Model) []float32 {
	var out []float32
	for _, x := range m.Grads() {
		out = append(out, x.Data...)
		clear(x.Data)
	}
	return out
}

// TestArenaChangesNothing runs a graph whose outputs share memory and the same graph with memory of its own for each.
func TestArenaChangesNothing(t *testing.T) {
	for name, c := range brief(testConfigs(t)) {
		m := testModel(t, c)
		shared, gs, small := runInArena(t, m, true)
		own, go_, large := runInArena(t, m, false)
		if shared != own || !slices.Equal(gs, go_) {
			t.Errorf("%s: sharing memory changed the loss or the gradients", name)
		}
		if 4*small > 3*large {
			t.Errorf("%s: the arena has %d values, without sharing %d; expected at most three quarters", name, small, large)
		}
	}
}

// runInArena gives the loss and the gradients of a batch, and the size of the arena.
func runInArena(t *testing.T, m *Model, share bool) (loss float64, grads []float32, size int) {
	t.Helper()
	g, err := m.NewTraining(testPool(t), 64, false)
	if err != nil {
		t.Fatal(err)
	}
	size = g.arena
	if !share {
		var place func([]float32)
		if size, place, err = g.ops.Plan(slices.Clone(g.out.Graph().AllNodes())...); err != nil {
			t.Fatal(err)
		}
		place(make([]float32, size))
	}
	for range 2 { // the second run finds what the first left behind
		gradients(m)
		if _, err := g.Run(testBatch(50, 9, 20, 3)); err != nil {
			t.Fatal(err)
		}
	}
	return g.loss.Sum, gradients(m), size
}

// TestGraphSize holds the number of ops of a step: the machine's cost is per op.
func TestGraphSize(t *testing.T) {
	m := testModel(t, testConfig(t))
	g, err := m.NewTraining(testPool(t), 8, false)
	if err != nil {
		t.Fatal(err)
	}
	if per := float64(g.Ops()) / float64(m.Config.Layers); per > 33 {
		t.Errorf("%.1f ops a layer", per)
	}
	seen := map[gorgonia.Op]bool{}
	for _, o := range g.ops.Ops() {
		seen[o] = true
	}
	if len(seen) != g.Ops() {
		t.Error("ops were merged")
	}
}

// TestDecoderAgreesWithLoss reads a long row in one run of the loss graph and, through the cache, in pieces.
func TestDecoderAgreesWithLoss(t *testing.T) {
	for name, c := range brief(testConfigs(t)) {
		t.Run(name, func(t *testing.T) {
			m := testModel(t, c)
			b := testBatch(c.Vocab, 400)
			g, err := m.NewEvaluation(testPool(t), 400, nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := g.Run(b); err != nil {
				t.Fatal(err)
			}
			d, err := m.NewReader(testPool(t), 400)
			if err != nil {
				t.Fatal(err)
			}
			for i := 1; i < 400; i = min(2*i+1, i+150) { // Weights are 1 at odd positions
				d.Forget()
				read(t, d, b.Tokens[:i/2+1])
				logits := read(t, d, b.Tokens[i/2+1:i+1])
				if i%2 == 0 {
					continue
				}
				sum, top := 0.0, slices.Max(logits)
				for _, l := range logits {
					sum += math.Exp(float64(l - top))
				}
				got := math.Log(sum) + float64(top) - float64(logits[b.Targets[i]])
				if want := -g.Logprobs()[i]; math.Abs(got-want) > 1e-5*max(1, want) {
					t.Errorf("position %d: loss %.7f through the cache, %.7f at once", i, got, want)
				}
			}
		})
	}
}

// read reads ids and returns the logits after the last of them.
func read(t *testing.T, d *Reader, ids []int32) []float32 {
	t.Helper()
	logits, err := d.Read(ids)
	if err != nil {
		t.Fatal(err)
	}
	return logits
}

// TestGreedyThroughTheCache: what is generated token by token is what reading all of it at once says, in the same bits.
func TestGreedyThroughTheCache(t *testing.T) {
	for name, c := range brief(testConfigs(t)) {
		t.Run(name, func(t *testing.T) {
			m := testModel(t, c)
			var d, whole *Reader
			for _, x := range []**Reader{&d, &whole} {
				var err error
				if *x, err = m.NewReader(testPool(t), 90); err != nil {
					t.Fatal(err)
				}
			}
			ids := slices.Clone(testBatch(c.Vocab, 30).Tokens)
			logits := read(t, d, ids)
			for len(ids) < 80 {
				whole.Forget()
				if !slices.Equal(logits, read(t, whole, ids)) {
					t.Fatalf("after %d tokens the logits differ between the cache and all at once", len(ids))
				}
				best := slices.Index(logits, slices.Max(logits))
				ids = append(ids, int32(best))
				logits = read(t, d, ids[len(ids)-1:])
			}
		})
	}
}

// TestPadHasNoInputGradient checks that only the head gives the pad token's row of a tied embedding a gradient.
func TestPadHasNoInputGradient(t *testing.T) {
	c := testConfig(t)
	b := testBatch(c.Vocab, 30)
	pad := int(b.Tokens[4])
	embedding := func(pad int) []float32 {
		c.PAD = pad
		m := testModel(t, c)
		g, err := m.NewTraining(testPool(t), 30, false)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := g.Run(b); err != nil {
			t.Fatal(err)
		}
		return m.Grads()[0].Data
	}
	without, with := embedding(-1), embedding(pad)
	for id := range c.Vocab {
		same := slices.Equal(without[id*c.Width:(id+1)*c.Width], with[id*c.Width:(id+1)*c.Width])
		if same == (id == pad) {
			t.Errorf("token %d (pad is %d): gradient unchanged: %v", id, pad, same)
		}
	}
}

func TestRunChecksTheBatch(t *testing.T) {
	m := testModel(t, testConfig(t))
	g, err := m.NewEvaluation(testPool(t), 8, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range []Batch{{}, testBatch(50, 9)} {
		if _, err := g.Run(b); err == nil || !strings.Contains(err.Error(), "1 to 8") {
			t.Errorf("%d tokens: error is %v", b.Len(), err)
		}
	}
	bad := testBatch(50, 4)
	bad.Tokens[2] = 50 // outside the vocabulary: a kernel panics, the graph gives an error, and the next run works
	if _, err := g.Run(bad); err == nil {
		t.Error("a token outside the vocabulary gave no error")
	}
	if _, err := g.Run(testBatch(50, 4)); err != nil {
		t.Errorf("after an error: %v", err)
	}
}

// brief is all of the configurations or, with -short, where the portable kernels run under the race detector, two that
// differ much.
func brief(configs map[string]Config) map[string]Config {
	if testing.Short() {
		maps.DeleteFunc(configs, func(name string, _ Config) bool {
			return !strings.HasPrefix(name, "gpt2") && !strings.HasPrefix(name, "gemma3") && !strings.HasPrefix(name, "qwen2")
		})
	}
	return configs
}
