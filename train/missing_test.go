package train

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"instruct/train/recipe"
)

// TestMissing names all that is not there, and says what to do about a name of the Hub.
func TestMissing(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.Mkdir("model", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("a.jsonl", []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		name, model, dataset string
		resumed              bool
		want                 []string
	}{
		{"all there", "model", "a.jsonl", false, nil},
		{"the lessons", "model", "lessons", false, nil},
		{"standard input", "model", "-", false, nil},
		{"a model", "none", "a.jsonl", false, []string{"no such model: none; expected a folder with config.json"}},
		{"a model, when going on", "none", "a.jsonl", true, nil},
		{"a model of the Hub", "Qwen/Qwen2-0.5B", "a.jsonl", false,
			[]string{"`hf download Qwen/Qwen2-0.5B --local-dir Qwen2-0.5B`, then name Qwen2-0.5B"}},
		{"a file that looks like one", "models/x.gguf", "a.jsonl", false, []string{"no such model: models/x.gguf; expected"}},
		{"a data set of the Hub", "model", "tatsu-lab/alpaca", false, []string{"data: tatsu-lab/alpaca does not exist",
			"`hf download tatsu-lab/alpaca --repo-type dataset --local-dir alpaca`"}},
		{"all of it", "org/model", "tatsu-lab/alpaca,b.jsonl," + filepath.Join("data", "c.jsonl"), false,
			[]string{"4 things are not there\n", "org/model", "alpaca", "data: b.jsonl does not exist\n",
				"c.jsonl does not exist"}},
	} {
		r := recipe.Default()
		r.ModelNameOrPath, r.Dataset = x.model, strings.Split(x.dataset, ",")
		err := missing(&r, x.resumed)
		if (err != nil) != (x.want != nil) {
			t.Errorf("%s: %v", x.name, err)
			continue
		}
		for _, want := range x.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: no %q in %v", x.name, want, err)
			}
		}
		if err != nil && strings.Contains(x.model, ".gguf") && strings.Contains(err.Error(), "Hub") {
			t.Errorf("%s: %v", x.name, err)
		}
	}
}
