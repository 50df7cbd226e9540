package train

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"instruct/model"
	"instruct/model/kernel"
	"instruct/model/ops"
)

// families are models of each kind of layer, with three layers so that the first, a middle and the last one differ.
func families() map[string]string {
	const llama = `"hidden_size":16,"num_hidden_layers":3,"num_attention_heads":4,"num_key_value_heads":2,"head_dim":8,` +
		`"intermediate_size":24,"max_position_embeddings":256,"tie_word_embeddings":true}`
	return map[string]string{
		"llama": `{"model_type":"llama",` + llama,
		"qwen2": `{"model_type":"qwen2",` + llama,
		"qwen3": `{"model_type":"qwen3",` + llama,
		"gpt2":  `{"model_type":"gpt2","n_embd":16,"n_layer":3,"n_head":4,"n_positions":256}`,
	}
}

// withVocabulary is the configuration of one of the families.
func withVocabulary(t *testing.T, config string) model.Config {
	t.Helper()
	c, err := model.ParseConfig("test", []byte(strings.Replace(config, "{", `{"vocab_size":300,`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestCheckpointingKeepsTheBits trains some steps of rows that share prefixes with and without gradient checkpointing:
// every loss, gradient norm and weight must have the same bits.
func TestCheckpointingKeepsTheBits(t *testing.T) {
	path := prefixed(t, 48)
	for name, config := range families() {
		t.Run(name, func(t *testing.T) {
			r := set(t, small(t), "model_config", config, "dataset", path, "gradient_accumulation_steps", "2")
			var plain trained
			var log bytes.Buffer
			var err error
			plain.Result, err = Run(t.Context(), r, Options{Out: new(bytes.Buffer), Log: &log, OnStep: plain.add})
			if err != nil || !strings.Contains(log.String(), "share their common prefix") {
				t.Fatalf("the rows share no prefix (%v):\n%s", err, log.String())
			}
			sameBits(t, mustRun(t, set(t, r, "gradient_checkpointing", "true")), plain)
		})
	}
}

// TestCheckpointingSavesMemory compares arenas: of a layer, only its input stays.
func TestCheckpointingSavesMemory(t *testing.T) {
	for name, config := range families() {
		c := withVocabulary(t, config)
		const tokens = 1000
		size := func(layers int, checkpointing bool) int {
			c.Layers = layers
			m, err := model.Outline(c)
			if err != nil {
				t.Fatal(err)
			}
			n, err := m.GraphBytes(tokens, checkpointing, 0)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		plain, less, more := size(12, false), size(12, true), size(13, true)
		// A layer's output, and the statistics of its rows: two of each norm, and one or three of each head.
		if layer := 4 * tokens * (c.Width + 4 + 3*c.Heads); more-less > layer {
			t.Errorf("%s: with checkpointing another layer takes %d bytes, expected at most %d", name, more-less, layer)
		}
		if 2*less > plain {
			t.Errorf("%s: %d bytes with checkpointing, %d without; expected at most half", name, less, plain)
		}
	}
}

// TestMemoryEstimate compares what is computed before anything is allocated with what is then allocated, for models
// that are trained as a whole, with bfloat16 copies, and in their last layer.
func TestMemoryEstimate(t *testing.T) {
	for name, config := range families() {
		c := withVocabulary(t, config)
		for _, checkpointing := range []bool{false, true} {
			compareEstimate(t, name+" as a whole", c, kernel.F32, kernel.F32, false, checkpointing)
			compareEstimate(t, name+" with copies", c, kernel.BF16, kernel.F32, false, checkpointing)
			for _, frozen := range []kernel.DType{kernel.F32, kernel.BF16, kernel.Q8_0, kernel.Q4_0} {
				compareEstimate(t, fmt.Sprint(name, " frozen in ", frozen), c, kernel.F32, frozen, true, checkpointing)
			}
			compareEstimate(t, name+" with frozen weights and copies", c, kernel.BF16, kernel.BF16, true, checkpointing)
		}
	}
}

// compareEstimate allocates a model in the format d, of which the weights outside the last layer may be frozen in
// another.
func compareEstimate(t *testing.T, name string, c model.Config, d, frozen kernel.DType, freeze, checkpointing bool) {
	t.Helper()
	const tokens, evaluate = 200, 150
	pool := kernel.NewPool(2)
	defer pool.Close()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	m, err := model.Outline(c)
	must(err)
	defer m.Close()
	if freeze {
		must(m.Freeze(frozen, func(p *ops.Param) bool { return !strings.HasPrefix(p.Name, "layers.2.") }))
	}
	e, err := EstimateMemory(m, Workload{DType: d, Tokens: tokens, Evaluate: evaluate, Threads: pool.Threads(),
		Checkpointing: checkpointing, Optim: "adamw"})
	must(err)
	must(m.Allocate())
	g, err := m.NewTraining(pool, tokens, checkpointing)
	must(err)
	defer g.Close()
	v, err := m.NewEvaluation(pool, evaluate, g)
	must(err)
	defer v.Close()
	opt, err := newOptimizer(pool, m, "adamw")
	must(err)
	defer opt.close()
	if got := int64(g.Bytes() + v.Bytes()); got != e.activations {
		t.Errorf("%s, checkpointing %v: the graphs take %d bytes, estimated %d", name, checkpointing, got, e.activations)
	}
	const line, blocks = 64, 4 // each block is a cache line larger, to begin on one
	allocated, estimated := int64(m.Bytes()+opt.memory.Bytes()), e.weights+e.gradients+e.moments
	if d := allocated - estimated; d < 0 || d > blocks*line {
		t.Errorf("%s: weights, gradients and moments take %d bytes, the estimate was %d", name, allocated, estimated)
	}
}

// TestRefusesWhatDoesNotFit runs on machines with too little memory: one line, nothing written, and advice that helps.
func TestRefusesWhatDoesNotFit(t *testing.T) {
	r := set(t, small(t), "model_config", families()["llama"], "lesson_rows", "24", "output_dir", t.TempDir()+"/run")
	e := func(checkpointing bool) int64 {
		r := r
		r.Threads, r.Checkpointing = 1, checkpointing
		s, err := NewSetup(t.Context(), &r, SetupOptions{Available: func() (int64, bool) { return 0, false }})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		return s.Memory.needed()
	}
	less, all := e(true), e(false)
	r.Threads = 1
	for _, c := range []struct {
		have          int64
		checkpointing bool
		want          string // part of the error, "" for a run
	}{
		{all, false, ""},
		{all - 1, false, "gradient_checkpointing: true"},
		{less, true, ""},
		{less - 1, true, "a smaller per_device_train_batch_size (8) or max_length (256)"},
		{1 << 10, true, "the model itself is too large"},
	} {
		r.Checkpointing = c.checkpointing
		o := silent(nil)
		o.Available = func() (int64, bool) { return c.have, true }
		_, err := Run(t.Context(), r, o)
		if c.want == "" {
			if err != nil {
				t.Errorf("%d bytes are enough, but: %v", c.have, err)
			}
			os.RemoveAll(r.OutputDir)
			continue
		}
		var mistake interface{ UserError() bool }
		if !errors.As(err, &mistake) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("with %d bytes the error is %v, expected one line with %q", c.have, err, c.want)
		}
		if c.checkpointing && err != nil && strings.Contains(err.Error(), "gradient_checkpointing") {
			t.Errorf("the advice is what is done already: %v", err)
		}
		if _, err := os.Stat(r.OutputDir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("with %d bytes the output folder was made (%v)", c.have, err)
		}
	}
}
