package model_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"instruct/checkpoints"
	"instruct/model"
	"instruct/model/kernel"
)

// referenceAdapters are the adapters of testdata/adapters; package train repeats their steps.
var referenceAdapters = map[string]model.AdapterConfig{
	"lora":   {R: 4, Alpha: 8},
	"gpt2":   {R: 2, Alpha: 4},
	"rslora": {R: 4, Alpha: 6, RSLoRA: true, Save: []string{"lm_head", "model.norm"}},
	"dora":   {R: 3, Alpha: 6, DoRA: true},

	"gemma3":    {R: 4, Alpha: 8},
	"qwen2":     {R: 4, Alpha: 8},
	"phi3":      {R: 4, Alpha: 8},
	"lfm2":      {R: 4, Alpha: 8},
	"neox":      {R: 4, Alpha: 8},
	"phi3-dora": {R: 4, Alpha: 8, DoRA: true},
	"neox-dora": {R: 4, Alpha: 8, DoRA: true},
}

// TestAdapterReferenceLogits compares logits of models with their adapters, beside them and merged, with PEFT's.
func TestAdapterReferenceLogits(t *testing.T) {
	for name, c := range referenceAdapters {
		for _, merged := range []bool{false, true} {
			dir := filepath.Join("testdata", "adapters", name)
			var ref struct {
				reference
				Base string
			}
			text, err := os.ReadFile(filepath.Join(dir, "expected.json"))
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(text, &ref); err != nil {
				t.Fatal(err)
			}
			m := withAdapter(t, dir, ref.Base, c, merged)
			got, worst := logits(t, m, ref.Rows[0].IDs), 0.0
			for i, row := range ref.Logits {
				for j, want := range row {
					worst = max(worst, math.Abs(float64(got[i*m.Config.Vocab+j])-want))
				}
			}
			if worst > 2e-5 {
				t.Errorf("%s, merged %v: largest difference of a logit is %.2g", name, merged, worst)
			}
		}
	}
}

// withAdapter loads a model of testdata/reference with the adapter of dir.
func withAdapter(t *testing.T, dir, base string, c model.AdapterConfig, merged bool) *model.Model {
	t.Helper()
	src, err := checkpoints.OpenSafetensors(filepath.Join(dir, "adapter_model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { src.Close() })
	from := filepath.Join("testdata", "reference", base)
	path := filepath.Join(from, "config.json")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	config, err := model.ParseConfig(path, text)
	if err != nil {
		t.Fatal(err)
	}
	m, err := model.Outline(config)
	if err != nil {
		t.Fatal(err)
	}
	c.Targets = model.AdapterModules(src)
	if !merged {
		if err := m.Adapt(c, kernel.F32); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Allocate(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	folder, err := checkpoints.OpenFolder(from)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	load := func() error { return m.Load(from, folder) }
	if merged {
		err = m.LoadMerged(&model.Merge{AdapterConfig: c, Path: dir, Source: src}, load)
	} else if err = load(); err == nil {
		err = m.LoadAdapter(dir, src)
	}
	if err != nil {
		t.Fatal(err)
	}
	return m
}
