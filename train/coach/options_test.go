package coach

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBadRecipes names what is wrong with a recipe.
func TestBadRecipes(t *testing.T) {
	for text, want := range map[string]string{
		`{"lora_r":-1}`:           "lora_r is -1; it is the rank of an adapter, from 0 (none) to 1024",
		`{"lora_r":5000}`:         "lora_r is 5000",
		`{"lora_rank":8}`:         `unknown field "lora_rank"`,
		`{"kept_from":"me"}`:      "kept_from is \"me\"; it is one of first, parent and rows",
		`{"frozen":2}`:            "frozen is 2",
		`{"steps":0}`:             "steps is 0",
		`{"options":{"back":-1}}`: "back is -1",
		`{} {}`:                   "expected a round.json",
	} {
		path := filepath.Join(t.TempDir(), "recipe.json")
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		_, err := ReadOptions(path)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
