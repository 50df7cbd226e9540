package pretrained

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// peftConfigs are what PEFT writes.
func peftConfigs(t testing.TB) (texts [][]byte) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("..", "testdata", "adapters", "*", "adapter_config.json"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%v %v", paths, err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, text)
	}
	return texts
}

// TestPEFTConfigs reads what PEFT writes, and what is written of it again.
func TestPEFTConfigs(t *testing.T) {
	for _, text := range peftConfigs(t) {
		c, base, err := parseAdapterConfig("peft", text)
		if err != nil {
			t.Fatal(err)
		}
		again, err := adapterJSON(base, []string{"q_proj"}, &c, false)
		if err != nil {
			t.Fatal(err)
		}
		d, other, err := parseAdapterConfig("ours", again)
		if err != nil || other != base || d.R != c.R || d.Alpha != c.Alpha || d.RSLoRA != c.RSLoRA || d.DoRA != c.DoRA ||
			d.Dropout != c.Dropout || !slices.Equal(d.Save, c.Save) {
			t.Errorf("%+v became %+v (%v)", c, d, err)
		}
	}
}

func FuzzAdapterConfig(f *testing.F) {
	for _, text := range peftConfigs(f) {
		f.Add(text)
	}
	f.Add([]byte(`{"peft_type":"LORA","r":8,"lora_alpha":1e400}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, base, err := parseAdapterConfig("fuzz", text)
		if err == nil && (c.R < 1 || !(c.Alpha > 0) || base == "" || c.Dropout < 0 || c.Dropout >= 1) {
			t.Errorf("%+v of %q", c, base)
		}
	})
}
