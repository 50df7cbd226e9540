package model

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// testConfigs are small models of three layers of every kind that the decoder options know, and GPT-2. Windows are
// shorter than the batches' rows and prefixes.
func testConfigs(t testing.TB) map[string]Config {
	t.Helper()
	const size = `"vocab_size":50,"hidden_size":24,"num_hidden_layers":3,"num_attention_heads":4,"num_key_value_heads":2,
		"head_dim":8,"intermediate_size":40,"max_position_embeddings":600,"initializer_range":0.3`
	texts := map[string]string{
		"qwen3": `"tie_word_embeddings":true,` + size,
		"olmo2": size,
		"gemma3_text": `"tie_word_embeddings":true,"sliding_window":20,"query_pre_attn_scalar":10,
			"layer_types":["sliding_attention","full_attention","sliding_attention"],"rope_parameters":{
			"sliding_attention":{"rope_theta":100},"full_attention":{"rope_theta":1000000}},` + size,
		"mistral": `"sliding_window":7,` + size,
		"granite": `"tie_word_embeddings":true,"embedding_multiplier":3,"residual_multiplier":0.4,"attention_multiplier":0.2,
			"logits_scaling":4,` + size,
		"phi3": `"sliding_window":9,"partial_rotary_factor":0.5,"original_max_position_embeddings":600,"rope_scaling":{
			"type":"longrope","short_factor":[1,2],"long_factor":[3,4]},` + size,
		"ministral3": `"rope_parameters":{"rope_type":"yarn","rope_theta":100,"factor":4,"llama_4_scaling_beta":0.5,
			"original_max_position_embeddings":8},` + size,
		"smollm3": `"no_rope_layers":[1,0,1],"attention_bias":true,"mlp_bias":true,` + size,
		"lfm2":    `"layer_types":["conv","full_attention","conv"],` + size,
		"gpt2":    `"vocab_size":50,"n_embd":24,"n_layer":3,"n_head":4,"n_positions":600,"initializer_range":0.3`,
	}
	configs := map[string]Config{}
	for name, text := range texts {
		c, err := ParseConfig(name, []byte(fmt.Sprintf(`{"model_type":%q,%s}`, name, text)))
		if err != nil {
			t.Fatal(err)
		}
		configs[name] = c
	}
	return configs
}

// trainOn runs a batch through a graph of its own and gives the log-probabilities and gradients.
func trainOn(t *testing.T, m *Model, b Batch, checkpointing bool) (logprobs []float64, grads []float32) {
	t.Helper()
	g, err := m.NewTraining(testPool(t), b.Len(), checkpointing)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	if _, err := g.Run(b); err != nil {
		t.Fatal(err)
	}
	return slices.Clone(g.Logprobs()), gradients(m)
}

// row cuts row i out of a batch.
func row(b Batch, i int) Batch {
	s := b.Segments[i]
	return Batch{Tokens: b.Tokens[s.Start:s.End], Positions: b.Positions[s.Start:s.End], Targets: b.Targets[s.Start:s.End],
		Weights: b.Weights[s.Start:s.End], Segments: []Segment{{End: s.End - s.Start}}}
}

func sameGrads(t *testing.T, got, want []float32) {
	t.Helper()
	norm, diff := 0.0, 0.0
	for i, w := range want {
		norm += float64(w) * float64(w)
		diff += float64(got[i]-w) * float64(got[i]-w)
	}
	if e := math.Sqrt(diff / norm); !(e < 1e-6) {
		t.Errorf("gradients differ by %.2g of their norm", e)
	}
}

// TestRowsDoNotFeelTheirNeighbours: a row's log-probabilities have the same bits packed and alone, with and without
// checkpointing.
func TestRowsDoNotFeelTheirNeighbours(t *testing.T) {
	for name, c := range brief(testConfigs(t)) {
		t.Run(name, func(t *testing.T) {
			m := testModel(t, c)
			b := testBatch(c.Vocab, 30, 9, 3, 70)
			packed, grads := trainOn(t, m, b, false)
			var alone []float64
			sum := make([]float32, len(grads))
			for i := range b.Segments {
				l, g := trainOn(t, m, row(b, i), false)
				alone = append(alone, l...)
				for j := range g {
					sum[j] += g[j]
				}
			}
			if !slices.Equal(packed, alone) {
				t.Error("log-probabilities differ between rows packed and alone")
			}
			sameGrads(t, sum, grads)
			again, same := trainOn(t, m, b, true)
			if !slices.Equal(again, packed) || !slices.Equal(same, grads) {
				t.Error("checkpointing changed the log-probabilities or the gradients")
			}
		})
	}
}

// TestSharedPrefix runs three continuations of 25 tokens, each behind a copy of its own, against all behind one prefix,
// against two behind a prefix of one token and the third behind a copy of it, both of which are behind one of 24, and
// against all behind a chain of short prefixes.
func TestSharedPrefix(t *testing.T) {
	const prefix, root = 25, 24
	for name, c := range brief(testConfigs(t)) {
		t.Run(name, func(t *testing.T) {
			m := testModel(t, c)
			whole := testBatch(c.Vocab, prefix+30, prefix+4, prefix+12)
			for _, s := range whole.Segments {
				copy(whole.Tokens[s.Start:s.Start+prefix], whole.Tokens[:prefix])
				clear(whole.Weights[s.Start : s.Start+prefix])
			}
			alone, want := trainOn(t, m, whole, false)
			var one, two Batch
			all := addPart(&one, whole, 0, 0, prefix, Segment{})
			common := addPart(&two, whole, 0, 0, root, Segment{})
			last := addPart(&two, whole, 0, root, prefix, common)
			for i, s := range whole.Segments {
				addPart(&one, whole, i, prefix, s.End-s.Start, all)
				if i == 2 {
					last = addPart(&two, whole, i, root, prefix, common)
				}
				addPart(&two, whole, i, prefix, s.End-s.Start, last)
			}
			var chain Batch
			end := Segment{}
			for from, to := 0, 0; from < prefix; from = to {
				to = []int{18, 19, 21, 22, 23, 24, prefix}[len(chain.Segments)]
				end = addPart(&chain, whole, 0, from, to, end)
			}
			for i, s := range whole.Segments {
				addPart(&chain, whole, i, prefix, s.End-s.Start, end)
			}
			trained := func(x []float64, b Batch) (out []float64) {
				for i, w := range b.Weights {
					if w > 0 {
						out = append(out, x[i])
					}
				}
				return out
			}
			for name, shared := range map[string]Batch{"one prefix": one, "a prefix of prefixes": two, "a chain": chain} {
				got, grads := trainOn(t, m, shared, false)
				a, b := trained(alone, whole), trained(got, shared)
				for i := range a {
					if math.Abs(a[i]-b[i]) > 1e-6*max(1, -a[i]) {
						t.Fatalf("%s: trained token %d: log p is %v, %v alone", name, i, b[i], a[i])
					}
				}
				sameGrads(t, grads, want)
			}
		})
	}
}

// addPart adds positions [from, to) of a row of whole to b, behind a prefix that has the positions before, and returns
// their segment.
func addPart(b *Batch, whole Batch, i, from, to int, prefix Segment) Segment {
	r := row(whole, i)
	s := Segment{PrefixStart: prefix.Start, PrefixEnd: prefix.End, Start: b.Len(), End: b.Len() + to - from}
	b.Tokens = append(b.Tokens, r.Tokens[from:to]...)
	b.Positions = append(b.Positions, r.Positions[from:to]...)
	b.Targets = append(b.Targets, r.Targets[from:to]...)
	b.Weights = append(b.Weights, r.Weights[from:to]...)
	b.Segments = append(b.Segments, s)
	return s
}

// TestGradientsAreNumeric moves each parameter along its gradient, where the change of the loss is its norm.
func TestGradientsAreNumeric(t *testing.T) {
	for name, c := range brief(testConfigs(t)) {
		t.Run(name, func(t *testing.T) {
			m := testModel(t, c)
			b := testBatch(c.Vocab, 20, 33)
			g, err := m.NewTraining(testPool(t), b.Len(), false)
			if err != nil {
				t.Fatal(err)
			}
			loss := func() float64 {
				l, err := g.Run(b)
				if err != nil {
					t.Fatal(err)
				}
				return l
			}
			loss()
			var grads [][]float32 // each run adds to those of the parameters
			for _, p := range m.Params {
				grads = append(grads, slices.Clone(p.Grad))
			}
			for i, p := range m.Params {
				direction, value := grads[i], slices.Clone(p.Value)
				norm := 0.0
				for _, d := range direction {
					norm += float64(d) * float64(d)
				}
				norm = math.Sqrt(norm)
				const h = 2e-3
				var at [2]float64
				for i, step := range []float64{h, -h} {
					for j, d := range direction {
						p.Value[j] = value[j] + float32(step*float64(d)/norm)
					}
					at[i] = loss()
				}
				copy(p.Value, value)
				if numeric := (at[0] - at[1]) / (2 * h); math.Abs(numeric-norm) > 0.01*norm+0.05 {
					t.Errorf("%s: the loss changes by %.4f along a gradient of %.4f", p.Name, numeric, norm)
				}
			}
		})
	}
}

// TestGraphMemory counts the rotary tables, one for each kind of layer, and compares what is planned with what is made.
func TestGraphMemory(t *testing.T) {
	tables := map[string]int{"gemma3_text": 2, "gpt2": 0}
	for name, c := range brief(testConfigs(t)) {
		m := testModel(t, c)
		g, err := m.NewTraining(testPool(t), 40, false)
		if err != nil {
			t.Fatal(err)
		}
		want, ok := tables[name]
		if !ok {
			want = 1
		}
		if got := g.rope; got != want*c.MaxLength*c.Rope.dims(c.HeadDim) {
			t.Errorf("%s: %d values of tables, want %d tables of %d", name, got, want, c.MaxLength*c.HeadDim)
		}
		planned, err := m.GraphBytes(40, false, 0)
		if err != nil {
			t.Fatal(err)
		}
		if planned != g.Bytes() {
			t.Errorf("%s: the graph takes %d bytes, planned were %d", name, g.Bytes(), planned)
		}
	}
}

// TestOptionTensors reads the names that the norms of a layer have in a checkpoint.
func TestOptionTensors(t *testing.T) {
	want := map[string]string{
		"olmo2":   "post_attention_layernorm post_feedforward_layernorm self_attn.k_norm self_attn.q_norm",
		"mistral": "input_layernorm post_attention_layernorm",
		"gemma3_text": "input_layernorm post_attention_layernorm post_feedforward_layernorm pre_feedforward_layernorm " +
			"self_attn.k_norm self_attn.q_norm",
	}
	for name, want := range want {
		m, err := Outline(testConfigs(t)[name])
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, x := range m.Tensors() {
			if norm, ok := strings.CutPrefix(x.Name, "model.layers.1."); ok && strings.Contains(norm, "norm") {
				got = append(got, strings.TrimSuffix(norm, ".weight"))
			}
		}
		slices.Sort(got)
		if strings.Join(got, " ") != want {
			t.Errorf("%s: norms are %v, want %s", name, got, want)
		}
	}
}
