package train

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"instruct/train/recipe"
)

// recorded is a run of six steps with checkpoints of its own data.
func recorded(t *testing.T) recipe.Recipe {
	t.Helper()
	r := quick(t)
	text, err := os.ReadFile(r.Dataset[0])
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "rows.jsonl")
	if err := os.WriteFile(path, text, 0o666); err != nil {
		t.Fatal(err)
	}
	r = set(t, r, "dataset", path, "max_steps", "6", "save_steps", "2", "save_total_limit", "9")
	mustRun(t, r)
	return r
}

func verify(t *testing.T, r recipe.Recipe, o VerifyOptions) *Certificate {
	t.Helper()
	o.Run = silent(nil)
	before := entries(t, r.OutputDir)
	c, err := Verify(t.Context(), r.OutputDir, o)
	if err != nil {
		t.Fatal(err)
	}
	if got := entries(t, r.OutputDir); len(got) != len(before) {
		t.Errorf("the run has %v, and had %v", got, before)
	}
	return c
}

// TestVerify: a run holds as a whole, in its first steps, and from one checkpoint to another.
func TestVerify(t *testing.T) {
	r := recorded(t)
	for _, o := range []VerifyOptions{{}, {Steps: 3}, {Steps: 4}, {From: 2, Steps: 4}, {From: 4}} {
		c := verify(t, r, o)
		want := o.Steps - o.From
		if o.Steps == 0 {
			want = 6 - o.From
		}
		if !c.Holds || c.Steps != want || c.Of != 6 {
			t.Errorf("%+v: %+v", o, c)
		}
		weights := o.Steps != 3 // no checkpoint was kept there
		last := c.Checks[len(c.Checks)-1].Name
		if (last == "weights" || strings.HasPrefix(last, "tensors of checkpoint-")) != weights {
			t.Errorf("%+v: the last check is of %s", o, last)
		}
	}
	for _, o := range []VerifyOptions{{Steps: 7}, {From: 6}, {From: 3, Steps: 3}} {
		if _, err := Verify(t.Context(), r.OutputDir, o); err == nil || !strings.Contains(err.Error(), "steps 1 to 6") {
			t.Errorf("%+v: error is %v", o, err)
		}
	}
	if _, err := Verify(t.Context(), t.TempDir(), VerifyOptions{}); err == nil ||
		!strings.Contains(err.Error(), "name the folder of a run") {
		t.Errorf("of no run: error is %v", err)
	}
}

// TestVerifyFinds changes one thing of a run and its data and wants it named, with the first step and the first weight
// that differ for it.
func TestVerifyFinds(t *testing.T) {
	change := func(path, from, to string) func(*testing.T, recipe.Recipe) {
		return func(t *testing.T, r recipe.Recipe) {
			if path == "" {
				path = r.Dataset[0]
			} else if !filepath.IsAbs(path) {
				path = filepath.Join(r.OutputDir, path)
			}
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			now := strings.Replace(string(text), from, to, 1)
			if now == string(text) {
				t.Fatalf("%s has no %q", path, from)
			}
			if err := os.WriteFile(path, []byte(now), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	flipIn := func(name string) func(*testing.T, recipe.Recipe) {
		return func(t *testing.T, r recipe.Recipe) { flip(t, filepath.Join(r.OutputDir, name)) }
	}
	for _, x := range []struct {
		name string
		do   func(*testing.T, recipe.Recipe)
		want []string // checks that fail
	}{
		{"data", change("", "e ", "o "), []string{"step 1", "data files", "ids and mask"}},
		{"recipe", change("recipe.yaml", "learning_rate: 0.00", "learning_rate: 0.01"), []string{recipeFile, "step 2"}},
		{"checkpoint", flipIn("checkpoint-4/" + optimizerFile), []string{"checkpoint-4/" + optimizerFile}},
		{"model", flipIn("model.safetensors"), []string{"model.safetensors", "model", "tensors"}},
		{"loss", change("metrics.jsonl", `"grad_norm":`, `"grad_norm":1`), []string{metricsFile, "step 1"}},
	} {
		t.Run(x.name, func(t *testing.T) {
			r := recorded(t)
			x.do(t, r)
			c := verify(t, r, VerifyOptions{})
			var failed []string
			for _, k := range c.Checks {
				if !k.Holds {
					failed = append(failed, k.Name)
					if k.Detail == "" {
						t.Errorf("%s: nothing is said", k.Name)
					}
				}
			}
			if c.Holds || len(failed) != len(x.want) {
				t.Fatalf("failed are %q, want %q", failed, x.want)
			}
			for i, want := range x.want {
				if !strings.HasPrefix(failed[i], want) {
					t.Errorf("failed are %q, want %q", failed, x.want)
				}
			}
		})
	}
}
