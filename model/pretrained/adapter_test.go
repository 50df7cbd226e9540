package pretrained_test

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"instruct/model"
	"instruct/model/kernel"
	"instruct/model/pretrained"
)

// tinyAdapter saves the tiny model as DIR/base and an adapter of it whose matrices are not zero as DIR/run.
func tinyAdapter(t *testing.T, c model.AdapterConfig) (base, run string) {
	t.Helper()
	dir := t.TempDir()
	base, run = filepath.Join(dir, "base"), filepath.Join(dir, "run")
	m := tiny(t)
	for _, path := range []string{base, run} {
		if err := os.Mkdir(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Save(base); err != nil {
		t.Fatal(err)
	}
	a := adaptedFrom(t, base, c)
	a.System = "Be short."
	for _, x := range a.AdapterTensors() {
		for i := range x.Data {
			x.Data[i] += float32(i%7-3) / 20
		}
	}
	if err := a.Save(run); err != nil {
		t.Fatal(err)
	}
	return base, run
}

// adaptedFrom opens a model to train an adapter of it.
func adaptedFrom(t *testing.T, path string, c model.AdapterConfig) *pretrained.Model {
	t.Helper()
	m, err := pretrained.Outline(path, "")
	if err != nil {
		t.Fatal(err)
	}
	if own := m.AdapterConfig(); own != nil {
		c = *own
	}
	if err := m.Adapt(c, kernel.F32); err != nil {
		t.Fatal(err)
	}
	if err := m.ReadWeights(kernel.F32); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

// someLogits are the logits behind a prompt.
func someLogits(t *testing.T, m *pretrained.Model) []float32 {
	t.Helper()
	pool := kernel.NewPool(1)
	defer pool.Close()
	g, err := m.NewEvaluation(pool, 16, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	b := model.Batch{Tokens: []int32{5, 9, 3, 70}, Positions: []int32{0, 1, 2, 3}, Targets: []int32{9, 3, 70, 8},
		Weights: []float32{1, 1, 1, 1}, Segments: []model.Segment{{End: 4}}}
	if _, err := g.Run(b); err != nil {
		t.Fatal(err)
	}
	var out []float32
	for _, l := range g.Logprobs() {
		out = append(out, float32(l))
	}
	return out
}

// TestAdapterFolder: a folder that was saved is trained on with the same bits, and merged answers nearly the same.
func TestAdapterFolder(t *testing.T) {
	for _, c := range []model.AdapterConfig{
		{R: 3, Alpha: 6, Targets: []string{model.AllLinear}, Seed: 1},
		{R: 2, Alpha: 6, RSLoRA: true, DoRA: true, Targets: []string{"k_proj", "down_proj"}, Save: []string{"layernorm"}},
	} {
		base, run := tinyAdapter(t, c)
		on := adaptedFrom(t, run, model.AdapterConfig{})
		again := t.TempDir()
		if err := on.Save(again); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"adapter_model.safetensors", "adapter_config.json", "instruct.json"} {
			a, errA := os.ReadFile(filepath.Join(run, name))
			b, errB := os.ReadFile(filepath.Join(again, name))
			if errA != nil || errB != nil || string(a) != string(b) {
				t.Errorf("%s is another when it is saved again (%v, %v)", name, errA, errB)
			}
		}
		if on.System != "Be short." || on.Base() != base {
			t.Errorf("system %q, base %s", on.System, on.Base())
		}
		merged, err := pretrained.Load(run, pretrained.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer merged.Close()
		beside, inside := someLogits(t, on), someLogits(t, merged)
		whole, err := pretrained.Load(base, pretrained.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer whole.Close()
		for i := range beside {
			if math.Abs(float64(beside[i]-inside[i])) > 1e-4 {
				t.Errorf("log-probabilities %v beside, %v merged", beside, inside)
				break
			}
		}
		var off []float32
		if err := on.WithoutAdapter(func() error { off = someLogits(t, on); return nil }); err != nil {
			t.Fatal(err)
		}
		if want := someLogits(t, whole); !slices.Equal(off, want) || slices.Equal(beside, want) {
			t.Errorf("switched off %v, the base %v, with the adapter %v", off, want, beside)
		}
		if q8, err := pretrained.Load(run, pretrained.Options{DType: kernel.Q8_0}); err != nil {
			t.Error(err)
		} else {
			q8.Close()
		}
		if sums, err := pretrained.FileHashes(run); err != nil || len(sums) != 2 {
			t.Errorf("hashes %v, %v", sums, err)
		}
	}
}

// TestAdapterBase: a base is found where it was or beside the adapter; one that is gone or another one is named.
func TestAdapterBase(t *testing.T) {
	lora := model.AdapterConfig{R: 2, Alpha: 4, Targets: []string{"q_proj"}}
	rename := func(t *testing.T, run string, base any) {
		edit(t, run, "adapter_config.json", map[string]any{"base_model_name_or_path": base})
	}
	for _, test := range []struct {
		name string
		do   func(t *testing.T, base, run string)
		want string
	}{
		{"a name of the hub, downloaded beside", func(t *testing.T, _, run string) { rename(t, run, "org/base") }, ""},
		{"relative", func(t *testing.T, _, run string) { rename(t, run, "../base") }, ""},
		{"gone", func(t *testing.T, base, _ string) { _ = os.Rename(base, base+"2") }, "/base is not there; put it there"},
		{"not downloaded", func(t *testing.T, _, run string) { rename(t, run, "org/small") }, "hf download org/small"},
		{"changed", func(t *testing.T, base, _ string) { edit(t, base, "config.json", map[string]any{"x": 1}) },
			"config.json of its base"},
		{"of an adapter", func(t *testing.T, _, run string) { rename(t, run, run) }, "is an adapter itself; merge that"},
		{"none", func(t *testing.T, _, run string) { rename(t, run, nil) }, "base_model_name_or_path is not set"},
		{"another kind", func(t *testing.T, _, run string) {
			edit(t, run, "adapter_config.json", map[string]any{"peft_type": "LOHA"})
		}, `peft_type is "LOHA"; expected LORA`},
		{"ranks", func(t *testing.T, _, run string) {
			edit(t, run, "adapter_config.json", map[string]any{"rank_pattern": map[string]int{"q_proj": 8}})
		}, `rank_pattern is {"q_proj":8}, which is not there`},
		{"another rank", func(t *testing.T, _, run string) { edit(t, run, "adapter_config.json", map[string]any{"r": 3}) },
			"want shape [3 32], found [2 32]"},
		{"dora is missing", func(t *testing.T, _, run string) {
			edit(t, run, "adapter_config.json", map[string]any{"use_dora": true})
		}, "lora_magnitude_vector: its base and its adapter_config.json want shape [32], found []"},
		{"no weights", func(t *testing.T, _, run string) { _ = os.Remove(filepath.Join(run, "adapter_model.safetensors")) },
			"has no adapter_model.safetensors"},
		{"other weights", func(t *testing.T, base, run string) {
			_ = os.Rename(filepath.Join(base, "model.safetensors"), filepath.Join(run, "adapter_model.safetensors"))
		}, "has no matrices of LoRA"},
		{"a whole model too", func(t *testing.T, base, run string) {
			_ = os.Link(filepath.Join(base, "model.safetensors"), filepath.Join(run, "model.safetensors"))
		}, "holds a whole model and an adapter"},
	} {
		t.Run(test.name, func(t *testing.T) {
			base, run := tinyAdapter(t, lora)
			test.do(t, base, run)
			m, err := pretrained.Load(run, pretrained.Options{})
			if err == nil {
				m.Close()
			}
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}

// TestForeignAdapter: an adapter that does not fit its base is named, whichever way it is opened.
func TestForeignAdapter(t *testing.T) {
	c := model.AdapterConfig{R: 2, Alpha: 4, Targets: []string{"q_proj"}, Save: []string{"model.norm"}}
	_, run := tinyAdapter(t, c)
	edit(t, run, "adapter_config.json", map[string]any{"modules_to_save": nil})
	m, err := pretrained.Outline(run, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Adapt(*m.AdapterConfig(), kernel.F32); err != nil {
		t.Fatal(err)
	}
	err = m.ReadWeights(kernel.F32)
	if err == nil || !strings.Contains(err.Error(), "base_model.model.model.norm.weight is not part of the adapter") {
		t.Errorf("error %v", err)
	}
	scratch := tiny(t)
	if err := scratch.Adapt(model.AdapterConfig{R: 1, Alpha: 1}, kernel.F32); err == nil {
		t.Error("an adapter was put on a model that is nowhere")
	}
}
