package model

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"instruct/model/kernel"
	"instruct/model/ops"
)

// familyConfigs are small models of three layers, of each family, with and without a head of their own, and those of
// testConfigs.
func familyConfigs(t testing.TB) map[string]Config {
	t.Helper()
	const llama = `"hidden_size":16,"num_hidden_layers":3,"num_attention_heads":4,"num_key_value_heads":2,"head_dim":8,
		"intermediate_size":24,"max_position_embeddings":256,`
	const gpt2 = `"n_embd":16,"n_layer":3,"n_head":4,"n_positions":256,`
	out := testConfigs(t)
	for family, rest := range map[string]string{"llama": llama, "qwen2": llama, "qwen3": llama, "gpt2": gpt2} {
		for _, tied := range []bool{false, true} {
			text := fmt.Sprintf(`{"model_type":%q,%s"vocab_size":50,"initializer_range":0.3,"pad_token_id":3,
				"tie_word_embeddings":%v}`, family, rest, tied)
			c, err := ParseConfig("test", []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			out[fmt.Sprintf("%s tied %v", family, tied)] = c
		}
	}
	return out
}

// frozenModel makes a model whose parameters trained does not pick are frozen in format d.
func frozenModel(t testing.TB, c Config, d kernel.DType, trained func(name string) bool) *Model {
	t.Helper()
	m, err := Outline(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Freeze(d, func(p *ops.Param) bool { return !trained(p.Name) }); err != nil {
		t.Fatal(err)
	}
	if err := m.Allocate(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	m.Init(7)
	return m
}

// trainedGradients runs a training graph twice and returns the loss and a copy of the gradients by name.
func trainedGradients(t testing.TB, m *Model, pool *kernel.Pool, checkpointing bool) (float64, map[string][]float32) {
	t.Helper()
	g, err := m.NewTraining(pool, 64, checkpointing)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	b := testBatch(m.Config.Vocab, 9, 20, 3)
	loss := 0.0
	for range 2 { // the second run adds to the first one's gradients
		if loss, err = g.Run(b); err != nil {
			t.Fatal(err)
		}
	}
	grads := map[string][]float32{}
	for _, p := range m.Params {
		if p.Grad != nil {
			grads[p.Name] = slices.Clone(p.Grad)
			clear(p.Grad)
		}
	}
	return loss, grads
}

// parts of a model that may be all that is trained.
func trainedParts() map[string]func(name string) bool {
	contains := func(parts ...string) func(string) bool {
		return func(name string) bool {
			return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(name, part) })
		}
	}
	return map[string]func(string) bool{
		"the last two layers":       contains("layers.1.", "layers.2."),
		"the last layer":            contains("layers.2."),
		"the last norm":             func(name string) bool { return name == "norm" },
		"embedding":                 contains("embed"),
		"head and embedding":        contains("embed", "head"),
		"norms":                     contains("norm", "behind"),
		"norms behind":              contains("layers.0.behind", "layers.2.norm2"),
		"the first norm":            contains("layers.0.norm1"),
		"the second norm":           contains("layers.0.norm2"),
		"query norms":               contains("qnorm", "layers.1.norm2"),
		"biases":                    contains("bias", "layers.2.norm1"),
		"matrices of one layer":     contains("layers.1.qkv", "layers.1.out"),
		"what attention gives":      contains(".out"),
		"all but embedding":         func(name string) bool { return name != "embed" && name != "positions" },
		"positions, or first layer": contains("positions", "layers.0.qkv"),
	}
}

// TestFrozenGradients: the gradients of what is trained have the bits that they have where everything is trained, and
// what is frozen has none; also where products round their operands, which who reads an output decides the place of.
func TestFrozenGradients(t *testing.T) {
	for name, c := range brief(familyConfigs(t)) {
		testFrozenGradients(t, name, c, false)
		testFrozenGradients(t, name+", rounded", c, true)
	}
}

func testFrozenGradients(t *testing.T, name string, c Config, rounds bool) {
	pool := testPool(t)
	all := testModel(t, c)
	all.Rounds = rounds
	wantLoss, want := trainedGradients(t, all, pool, false)
	for part, trained := range trainedParts() {
		if !slices.ContainsFunc(all.Params, func(p *ops.Param) bool { return trained(p.Name) }) {
			continue // this model has no such part
		}
		for _, checkpointing := range []bool{false, true} {
			what := fmt.Sprintf("%s, training %s, checkpointing %v", name, part, checkpointing)
			m := frozenModel(t, c, kernel.F32, trained)
			m.Rounds = rounds
			loss, got := trainedGradients(t, m, pool, checkpointing)
			if loss != wantLoss {
				t.Errorf("%s: loss %v, want %v", what, loss, wantLoss)
			}
			for _, p := range m.Params {
				grad := got[p.Name]
				switch {
				case trained(p.Name) && !slices.Equal(grad, want[p.Name]):
					t.Errorf("%s: the gradient of %s is another", what, p.Name)
				case !trained(p.Name) && grad != nil:
					t.Errorf("%s: the frozen %s has a gradient", what, p.Name)
				}
			}
		}
	}
}

// TestFrozenInFewerBits: through frozen weights in fewer bits, loss and gradients have the bits of a model whose
// float32 weights are the values that those stand for; and an evaluation has the loss of the training graph.
func TestFrozenInFewerBits(t *testing.T) {
	pool := testPool(t)
	trained := func(name string) bool {
		return strings.Contains(name, "norm1") || strings.Contains(name, "layers.1.out")
	}
	for name, c := range brief(familyConfigs(t)) {
		for _, d := range []kernel.DType{kernel.BF16, kernel.Q8_0, kernel.Q4_0} {
			reduced, full := frozenModel(t, c, d, trained), frozenModel(t, c, kernel.F32, trained)
			for i, p := range reduced.Params {
				if p.Reduced != nil {
					copy(full.Params[i].Value, dequantized(pool, p))
				}
			}
			wantLoss, want := trainedGradients(t, full, pool, false)
			loss, got := trainedGradients(t, reduced, pool, false)
			if loss != wantLoss {
				t.Errorf("%s, %v: loss %v, want %v", name, d, loss, wantLoss)
			}
			if len(got) == 0 || len(got) != len(want) {
				t.Fatalf("%s, %v: %d gradients, want %d", name, d, len(got), len(want))
			}
			for p, grad := range got {
				if !slices.Equal(grad, want[p]) {
					t.Errorf("%s, %v: the gradient of %s is another", name, d, p)
				}
			}
			g, err := reduced.NewEvaluation(pool, 64, nil)
			if err != nil {
				t.Fatal(err)
			}
			if loss, err := g.Run(testBatch(c.Vocab, 9, 20, 3)); err != nil || loss != wantLoss {
				t.Errorf("%s, %v: evaluation %v (%v), want %v", name, d, loss, err, wantLoss)
			}
			g.Close()
		}
	}
}

// dequantized returns the values that a weight in fewer bits stands for: its product with the identity.
func dequantized(pool *kernel.Pool, p *ops.Param) []float32 {
	rows, cols := p.Shape[0], p.Shape[1]
	one, out := make([]float32, rows*rows), make([]float32, rows*cols)
	for i := range rows {
		one[i*rows+i] = 1
	}
	pool.GemmDequantized(kernel.NN, rows, one, rows, p.Reduced, out, cols, false)
	return out
}

// TestFrozenMemory: below the lowest trained layer nothing is kept for a backward pass, so more frozen layers take no
// more activations, and only trained parameters have gradients.
func TestFrozenMemory(t *testing.T) {
	const tokens = 1000
	for name, c := range brief(familyConfigs(t)) {
		if o := &c.options; len(o.windows)+len(o.ropes)+len(o.taps) > 0 {
			continue // they are those of three layers
		}
		size := func(layers int, lastOnly bool) (activations, gradients int) {
			c.Layers = layers
			m, err := Outline(c)
			if err != nil {
				t.Fatal(err)
			}
			last := fmt.Sprintf("layers.%d.", layers-1)
			err = m.Freeze(kernel.F32, func(p *ops.Param) bool { return lastOnly && !strings.HasPrefix(p.Name, last) })
			if err != nil {
				t.Fatal(err)
			}
			activations, err = m.GraphBytes(tokens, false, 0)
			if err != nil {
				t.Fatal(err)
			}
			return activations, m.GradBytes()
		}
		few, fewGrads := size(3, true)
		many, manyGrads := size(12, true)
		all, allGrads := size(12, false)
		// Each layer has the statistics of its rows: two of each norm, one or three of each head.
		if layer := 4 * tokens * (4 + 3*c.Heads); many-few > 9*layer {
			t.Errorf("%s: nine more frozen layers take %d bytes, expected at most %d", name, many-few, 9*layer)
		}
		if 2*many > all {
			t.Errorf("%s: %d bytes with one trained layer of 12, %d with all", name, many, all)
		}
		if fewGrads != manyGrads || 10*manyGrads > allGrads {
			t.Errorf("%s: gradients of one layer take %d and %d bytes, of all %d", name, fewGrads, manyGrads, allGrads)
		}
	}
}

// TestFreezeComesFirst: what has gradients, or memory in another format, cannot be frozen any more; what is trained
// needs float32 values.
func TestFreezeComesFirst(t *testing.T) {
	c := testConfig(t)
	all := func(*ops.Param) bool { return true }
	m := testModel(t, c)
	if err := m.Freeze(kernel.Q8_0, all); err == nil {
		t.Error("float32 weights became others")
	}
	if _, err := m.NewTraining(testPool(t), 8, false); err != nil {
		t.Fatal(err)
	}
	if err := m.Freeze(kernel.F32, all); err == nil {
		t.Error("parameters with gradients were frozen")
	}
	m = testModel(t, c)
	if err := m.Freeze(kernel.F32, all); err != nil {
		t.Error(err)
	}
	if _, err := m.NewTraining(testPool(t), 8, false); err == nil {
		t.Error("a training graph without anything to train was made")
	}
	low, err := Outline(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(low.Close)
	if err := low.AllocateIn(kernel.Q8_0); err != nil {
		t.Fatal(err)
	}
	if _, err := low.NewTraining(testPool(t), 8, false); err == nil {
		t.Error("weights that exist in fewer bits only are trained")
	}
}

// TestUpper: the layers above those that are frozen, given what those give, have the loss and the gradients of the
// whole.
func TestUpper(t *testing.T) {
	pool := testPool(t)
	for name, c := range brief(familyConfigs(t)) {
		for layer := 1; layer < c.Layers; layer++ {
			m := frozenModel(t, c, kernel.F32, func(name string) bool {
				var l int
				n, _ := fmt.Sscanf(name, "layers.%d.", &l)
				return n == 1 && l >= layer || name == "norm"
			})
			wantLoss, want := trainedGradients(t, m, pool, false)
			lower, err := m.NewLower(pool, 64, layer)
			if err != nil {
				t.Fatal(err)
			}
			defer lower.Close()
			b := testBatch(c.Vocab, 9, 20, 3)
			if _, err := lower.Run(b); err != nil {
				t.Fatal(err)
			}
			b.Hidden = slices.Clone(lower.Hidden())
			upper, err := m.NewUpper(pool, 64, layer)
			if err != nil {
				t.Fatal(err)
			}
			defer upper.Close()
			loss := 0.0
			for range 2 {
				if loss, err = upper.Run(b); err != nil {
					t.Fatal(err)
				}
			}
			if loss != wantLoss || len(b.Hidden) != 32*c.Width {
				t.Errorf("%s, layer %d: loss %v, want %v; %d hidden values", name, layer, loss, wantLoss, len(b.Hidden))
			}
			for _, p := range m.Trained() {
				if !slices.Equal(p.Grad, want[p.Name]) {
					t.Errorf("%s, layer %d: the gradients of %s differ", name, layer, p.Name)
				}
			}
		}
	}
}

// TestUpperRefuses: what is trained below, and layers that are not there.
func TestUpperRefuses(t *testing.T) {
	pool := testPool(t)
	c := familyConfigs(t)["llama tied true"]
	m := frozenModel(t, c, kernel.F32, func(name string) bool { return strings.HasPrefix(name, "layers.0.") })
	if _, err := m.NewUpper(pool, 64, 1); err == nil || !strings.Contains(err.Error(), "below layer 1") {
		t.Errorf("a trained layer below: %v", err)
	}
	for _, layer := range []int{0, c.Layers} {
		if _, err := m.NewLower(pool, 64, layer); err == nil {
			t.Errorf("layers below layer %d", layer)
		}
	}
}
