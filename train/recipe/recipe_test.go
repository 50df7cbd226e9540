package recipe

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestRecipeErrors(t *testing.T) {
	for _, x := range []struct{ name, yaml, want string }{
		{"unknown key", "seed: 1\nlerning_rate: 1\n", `r.yaml:2: unknown key "lerning_rate"; did you mean "learning_rate"?`},
		{"twice", "seed: 1\nseed: 2\n", `r.yaml:2:1: not valid YAML: mapping key "seed" already defined at line 1`},
		{"twice by alias", "max_length: 5\n\nmax_seq_length: 6\n", "r.yaml:3: max_length was already given in line 1"},
		{"not a number", "learning_rate: fast\n", `r.yaml:1: learning_rate is "fast"; expected a number`},
		{"not whole", "max_steps: 1.5\n", `max_steps is "1.5"; expected a whole number`},
		{"not a flag", "packing: maybe\n", `packing is "maybe"; expected true or false`},
		{"list for one", "seed: [1, 2]\n", "seed takes one value, not a list"},
		{"mapping", "seed: {a: 1}\n", "expected a plain value"},
		{"not a mapping", "- a\n", "r.yaml:1: expected `key: value` lines"},
		{"not YAML", "seed: 1\ndataset: [\n", "r.yaml:2:10: not valid YAML: "},
		{"indented", "seed: 1\n max_length: 2\n", "r.yaml:2:12: not valid YAML: "},
		{"not UTF-8", "output_dir: \xff\n", "not valid YAML: the text is not UTF-8"},
		{"control character", "output_dir: a\x01\n", "not valid YAML: control characters are not allowed"},
		{"reference", "output_dir: &x a\nresume_from_checkpoint: *x\n", "r.yaml:2: expected a plain value"},
		{"list of lists", "dataset: [[a], b]\n", "expected a list of plain values"},
		{"twice in model_config", "model_config:\n  a: 1\n  a: 2\n", "r.yaml:3:3: not valid YAML: "},
		{"no JSON", "model_config: {a: .inf}\n", "unsupported value"},
		{"empty", "", "the file is empty"},
	} {
		t.Run(x.name, func(t *testing.T) {
			r := Default()
			_, err := r.ParseYAML("r.yaml", []byte(x.yaml))
			if err == nil || !strings.Contains(err.Error(), x.want) {
				t.Errorf("error %v, want one that contains %q", err, x.want)
			}
			var user interface{ UserError() bool }
			if !errors.As(err, &user) {
				t.Error("not a user error")
			}
		})
	}
}

func TestRecipeValidate(t *testing.T) {
	for _, x := range []struct{ key, value, want string }{
		{"dataset", "", "dataset is not set"},
		{"model_config", "", "model_name_or_path"},
		{"model_name_or_path", "x", "set either"},
		{"tokenizer_name", "", "tokenizer_name"},
		{"lr_scheduler_type", "step", `lr_scheduler_type is "step"; known: constant`},
		{"max_length", "1", "max_length is 1"},
		{"per_device_train_batch_size", "0", "at least 1"},
		{"num_train_epochs", "0", "num_train_epochs is 0"},
		{"eval_fraction", "1", "eval_fraction"},
		{"adam_beta2", "1", "adam_beta2"},
		{"save_total_limit", "0", "save_total_limit"},
		{"ema_decay", "1", "ema_decay is 1"},
		{"label_smoothing_factor", "1", "label_smoothing_factor is 1"},
		{"z_loss", "-1", "z_loss is -1"},
		{"neftune_noise_alpha", "NaN", "neftune_noise_alpha is NaN"},
		{"unfreeze_layers", "-1", "unfreeze_layers is -1"},
	} {
		r := set(t, sound(t), x.key, x.value)
		if err := r.Validate(); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: %q: error %v, want one that contains %q", x.key, x.value, err, x.want)
		}
	}
	r := sound(t)
	before := fmt.Sprintf("%+v", r)
	if err := r.Validate(); err != nil {
		t.Error(err)
	}
	if after := fmt.Sprintf("%+v", r); after != before {
		t.Errorf("checked, %s became %s", before, after)
	}
}

func TestRecipeResolved(t *testing.T) {
	r := set(t, Default(), "model_name_or_path", "a/b.gguf", "optim", "adamw_torch_fused", "eval_steps", "5",
		"save_steps", "7")
	want := set(t, r, "eval_strategy", "steps", "save_strategy", "steps", "optim", "adamw", "output_dir", "runs/b")
	if got := r.Resolved(); !reflect.DeepEqual(got, want) {
		t.Errorf("resolved: %+v, want %+v", got, want)
	}
	if again := want.Resolved(); !reflect.DeepEqual(again, want) {
		t.Errorf("resolved twice: %+v, want %+v", again, want)
	}
}

func TestRecipeRoundTrip(t *testing.T) {
	recipes := map[string]Recipe{"default": Default()}
	embedded, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	recipes["embedded"] = embedded
	list := Default()
	text := "dataset: [a.jsonl, 'b c.jsonl']\nlr: 3e-4\ncutoff_len: 77\n" +
		"model_config: {model_type: llama, rope_theta: 100.5}\n"
	if _, err := list.ParseYAML("r", []byte(text)); err != nil {
		t.Fatal(err)
	}
	recipes["list"] = list
	config := `{"a":"1e-4","b":[1,2.5,null,true,"x",{"c":{}},[[0]]],` +
		`"d":{"1":2,"a: b":3,"e":0.00001,"f":1e+21,"g":"","h":[],"i":"yes"}}`
	recipes["config"] = set(t, Default(), "model_config", config)
	for _, s := range []string{
		" ", " a", "a ", "a b", "true", "yes", "null", "~", "1", "1e-4", "0x10", "1_000", ".inf", "2020-01-01", "1:30",
		"a: b", "a #b", "#a", "- a", "-a", "? a", "[a]", "{a", "&a", "*a", "'a'", "it's", `"a"`, `C:\new`, "a:", "...", "<<",
		"a\nb\n", "a\tb", "\x01", "\u0085", "\u2028", "😀",
	} {
		r := Default()
		r.Resume, r.Dataset = s, []string{"x"}
		if s = strings.TrimSpace(s); s != "" { // lists drop the space around their values
			r.Dataset = append(r.Dataset, s)
		}
		recipes[fmt.Sprintf("text %q", s)] = r
	}
	for name, a := range recipes {
		text, err := a.YAML()
		if err != nil {
			t.Fatal(err)
		}
		b := Default()
		if _, err := b.ParseYAML("r", text); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, text)
		}
		for _, r := range []*Recipe{&a, &b} {
			for _, f := range reflect.ValueOf(r).Elem().Fields() {
				if f.Kind() == reflect.Slice && f.Len() == 0 {
					f.Set(reflect.ValueOf([]string{})) // an empty list and none mean the same
				}
			}
		}
		if !reflect.DeepEqual(a, b) {
			t.Errorf("%s: %+v became %+v", name, a, b)
		}
	}
	if err := embedded.Validate(); err != nil {
		t.Errorf("the embedded recipe: %v", err)
	}
}

// TestRecipeYAML holds the layout and the writing of values that runs have had from the beginning.
func TestRecipeYAML(t *testing.T) {
	r := Default()
	text := `
dataset: [a.jsonl, b c.jsonl]
learning_rate: 1e-4
seed: 1_000
output_dir: "1e-4"
resume_from_checkpoint: 'a: b'
model_config:
  rms_norm_eps: 1e-5
  rope_theta: 300.0
  scaling: {type: linear, on: [1, no, 1_000]}
`
	if _, err := r.ParseYAML("r", []byte(text)); err != nil {
		t.Fatal(err)
	}
	config := `{"rms_norm_eps":0.00001,"rope_theta":300,"scaling":{"on":[1,"no",1000],"type":"linear"}}`
	if string(r.ModelConfig) != config {
		t.Errorf("model_config is %s, want %s", r.ModelConfig, config)
	}
	got, err := r.YAML()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"dataset:\n    - a.jsonl\n    - b c.jsonl\ndataset_weights: []\nformat: \"\"\neval_dataset: []\n",
		"\nlearning_rate: 0.0001\n",
		"\nadam_epsilon: 1e-08\nmax_grad_norm: 1\n",
		"\nseed: 1000\noutput_dir: \"1e-4\"\n",
		"\nresume_from_checkpoint: 'a: b'\n",
		"\nmodel_config:\n    rms_norm_eps: 1e-05\n    rope_theta: 300\n" +
			"    scaling:\n        \"on\":\n            - 1\n            - \"no\"\n            - 1000\n        type: linear\n",
	} {
		if !strings.Contains(string(got), want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func FuzzRecipe(f *testing.F) {
	f.Add(string(defaultRecipe))
	f.Add("dataset: [a, b]\nlearning_rate: 1e-3\n")
	f.Fuzz(func(t *testing.T, text string) {
		r := Default()
		if _, err := r.ParseYAML("fuzz", []byte(text)); err != nil {
			return
		}
		_ = r.Validate()
		out, err := r.YAML()
		if err != nil {
			return
		}
		again := Default()
		if _, err := again.ParseYAML("fuzz", out); err != nil {
			t.Fatalf("%q became %q: %v", text, out, err)
		}
		// Numbers beyond 2^53 in model_config are rounded.
		again.ModelConfig = r.ModelConfig
		if want, got := fmt.Sprintf("%+v", r), fmt.Sprintf("%+v", again); got != want {
			t.Fatalf("%q became %q: %s, not %s", text, out, got, want)
		}
	})
}

// A key that does not exist is answered with the nearest one that does.
func ExampleRecipe_Set() {
	r := Default()
	fmt.Println(r.Set("learning_rates", "1e-3"))
	// Output: unknown key "learning_rates"; did you mean "learning_rate"?
}

// sound is a recipe that has what it needs.
func sound(t *testing.T) Recipe {
	t.Helper()
	return set(t, Default(), "dataset", "lessons", "tokenizer_name", "bytes", "model_config", `{"model_type":"llama"}`)
}

// set changes keys of a recipe, which come with their values.
func set(t *testing.T, r Recipe, pairs ...string) Recipe {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if err := r.Set(pairs[i], pairs[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func TestColumnsThatAreNone(t *testing.T) {
	r := Default()
	_, err := r.ParseYAML("r.yaml", []byte("columns:\n  prompt: [Q]\n"))
	if err == nil || !strings.Contains(err.Error(), "r.yaml:1: columns: expected lines such as `prompt: Customer`") {
		t.Errorf("got %v", err)
	}
}
