package train

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"instruct/model"
	"instruct/model/kernel"
	"instruct/model/ops"
)

// families are models of each kind of layer, with three layers so that the first, a middle and the last one differ.
func families() map[string]string {
	llama := `"hidden_size":16,"num_hidden_layers":3,"num_attention_heads":4,"num_key_value_heads":2,"head_dim":8,"intermediate_size":24,"max_position_embeddings":256,"tie_word_embeddings":true}`
	return map[string]string{
		"llama": `{"model_type":"llama",` + llama,
		"qwen2": `{"model_type":"qwen2",` + llama,
		"qwen3": `{"model_type":"qwen3",` + llama,
		"gpt2":  `{"model_type":"gpt2","n_embd":16,"n_layer":3,"n_head":4,"n_positions":256}`,
	}
}

// TestCheckpointingKeepsTheBits trains some steps of rows that share prefixes with and without gradient checkpointing:
// every loss, gradient norm and weight must have the same bits.
func TestCheckpointingKeepsTheBits(t *testing.T) {
	var rows strings.Builder
	for i := range 48 {
		fmt.Fprintf(&rows, `{"messages":[{"role":"system","content":"Answer as you are told."},{"role":"user","content":"Count to %d."},{"role":"assistant","content":"%s"}]}`+"\n",
			i, strings.Repeat("one ", i%7+1))
	}
	path := filepath.Join(t.TempDir(), "rows.jsonl")
	if err := os.WriteFile(path, []byte(rows.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, config := range families() {
		t.Run(name, func(t *testing.T) {
			r := set(t, small(t), "model_config", config, "dataset", path, "gradient_accumulation_steps", "2")
			plain, want := run(t, r)
			var log bytes.Buffer
			if _, err := Run(context.Background(), r, Options{Out: new(bytes.Buffer), Log: &log}); err != nil || !strings.Contains(log.String(), "share their common prefix") {
				t.Fatalf("the rows share no prefix (%v):\n%s", err, log.String())
			}
			again, got := run(t, set(t, r, "gradient_checkpointing", "true"))
			if len(want) < 3 {
				t.Fatalf("%d steps are too few", len(want))
			}
			if strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Errorf("losses differ:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			if again.WeightsHash != plain.WeightsHash {
				t.Error("weights differ")
			}
		})
	}
}

// TestCheckpointingSavesMemory compares arenas: of a layer, only its input stays.
func TestCheckpointingSavesMemory(t *testing.T) {
	for name, config := range families() {
		c, err := model.ParseConfig("test", []byte(strings.Replace(config, "{", `{"vocab_size":300,`, 1)))
		if err != nil {
			t.Fatal(err)
		}
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
		c, err := model.ParseConfig("test", []byte(strings.Replace(config, "{", `{"vocab_size":300,`, 1)))
		if err != nil {
			t.Fatal(err)
		}
		for _, checkpointing := range []bool{false, true} {
			compareEstimate(t, name+" as a whole", c, kernel.F32, kernel.F32, false, checkpointing)
			compareEstimate(t, name+" with copies", c, kernel.BF16, kernel.F32, false, checkpointing)
			for _, frozen := range []kernel.DType{kernel.F32, kernel.BF16, kernel.Q8_0} {
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
	e, err := estimateMemory(m, d, tokens, evaluate, pool.Threads(), checkpointing, "adamw")
	must(err)
	must(m.Allocate())
	if d == kernel.BF16 {
		must(m.CopyToBF16(pool))
	}
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
	with := func(r Recipe, have int64) (string, error) {
		var log bytes.Buffer
		_, err := Run(context.Background(), r, Options{Out: new(bytes.Buffer), Log: &log, Quiet: true,
			Available: func() (int64, bool) { return have, true }})
		return log.String(), err
	}
	r := set(t, small(t), "model_config", families()["llama"], "lesson_rows", "24", "output_dir", t.TempDir()+"/run")
	e := func(checkpointing bool) int64 {
		tr := &trainer{r: &r, o: Options{Available: func() (int64, bool) { return 0, false }}, pool: kernel.NewPool(1)}
		defer tr.pool.Close()
		tr.r.Checkpointing = checkpointing
		if err := tr.load(context.Background(), ""); err != nil {
			t.Fatal(err)
		}
		if err := tr.planRun(); err != nil {
			t.Fatal(err)
		}
		return tr.memory.needed()
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
		_, err := with(r, c.have)
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
	if _, err := Bench(context.Background(), BenchOptions{Preset: "lessons-1m", Available: func() (int64, bool) { return 1 << 20, true }}); err == nil {
		t.Error("bench took memory that is not there")
	} else if _, ok := err.(interface{ UserError() bool }); !ok {
		t.Errorf("bench: %v", err)
	}
}
