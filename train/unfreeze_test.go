package train

import (
	"slices"
	"strings"
	"testing"

	"instruct/checkpoints"
)

// TestUnfreeze trains parts of a model: nothing else moves or has moments.
func TestUnfreeze(t *testing.T) {
	first := set(t, quick(t), "learning_rate", "0", "max_steps", "1")
	mustRun(t, first)
	before := weightsOf(t, first.OutputDir)
	last := "model.layers.1."
	if testing.Short() {
		last = "model.layers.0."
	}
	for _, c := range []struct {
		keys    []string
		trained func(name string) bool
	}{
		{[]string{"unfreeze_layers", "1"}, func(n string) bool { return strings.HasPrefix(n, last) }},
		{[]string{"unfreeze_layers", "1", "unfrozen_parameters", `^model\.norm\.weight$`}, func(n string) bool {
			return strings.HasPrefix(n, last) || n == "model.norm.weight"
		}},
		{[]string{"unfrozen_parameters", `model.layers.[0-9]+.self_attn.[qkv]_proj,model.embed`}, func(n string) bool {
			return strings.HasPrefix(n, "model.embed") || strings.HasSuffix(n, "q_proj.weight") ||
				strings.HasSuffix(n, "k_proj.weight") || strings.HasSuffix(n, "v_proj.weight")
		}},
	} {
		r := set(t, quick(t), append(c.keys, "max_steps", "2", "save_steps", "2")...)
		mustRun(t, r)
		for name, w := range weightsOf(t, r.OutputDir) {
			if moved := !slices.Equal(w, before[name]); moved != c.trained(name) {
				t.Errorf("%v: %s has moved: %v", c.keys, name, moved)
			}
		}
		src, err := checkpoints.OpenSafetensors(checkpointDir(&r, 2) + "/" + optimizerFile)
		if err != nil {
			t.Fatal(err)
		}
		defer src.Close()
		for _, name := range src.Names() {
			if _, of, _ := strings.Cut(name, "."); !c.trained(of) {
				t.Errorf("%v: the checkpoint has %s", c.keys, name)
			}
		}
	}
}

func TestUnfreezeMistakes(t *testing.T) {
	for _, c := range []struct{ key, value, want string }{
		{"unfreeze_layers", "9", "unfreeze_layers is 9; the model has "},
		{"unfrozen_parameters", "model.[", `"model.[" is no regular expression`},
		{"unfrozen_parameters", "lm_head", "names are such as model.embed_tokens.weight"},
		{"unfrozen_parameters", "norm", `no parameter's name begins with what "norm" matches`},
		{"unfrozen_parameters", ".*q_proj", "model.layers.0.self_attn.k_proj.weight is not"},
	} {
		r := set(t, quick(t), c.key, c.value)
		if _, err := Run(t.Context(), r, silent(nil)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %s: error %v, want %q", c.key, c.value, err, c.want)
		}
	}
	r := beside(t, "lora_r", "0", "lora_dropout", "0", "adapter", "", "unfreeze_layers", "1")
	r.ModelNameOrPath = mustRun(t, beside(t, "max_steps", "1")).OutputDir
	if _, err := Run(t.Context(), r, silent(nil)); err == nil || !strings.Contains(err.Error(), "is an adapter, beside") {
		t.Errorf("of an adapter: error %v", err)
	}
}
