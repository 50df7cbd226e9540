package recipe

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// programs are those whose keys have a table in docs/recipes.md: a key a line, with its default there.
var programs = []struct{ file, title string }{
	{"trl_sft.txt", "TRL's `trl sft`"},
	{"trl_dpo.txt", "TRL's `trl dpo`"},
	{"axolotl.txt", "axolotl"},
	{"llama_factory.txt", "LLaMA-Factory"},
	{"transformers.txt", "transformers' TrainingArguments, and older names"},
}

// theirs are the keys of another program, with their defaults.
func theirs(t *testing.T, file string) (keys [][2]string) {
	t.Helper()
	text, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		keys = append(keys, [2]string{name, value})
	}
	return keys
}

// TestForeignKeysAreKnown wants a rule for every key of other programs.
func TestForeignKeysAreKnown(t *testing.T) {
	for _, p := range programs {
		var missing []string
		for _, key := range theirs(t, p.file) {
			if !Knows(key[0]) {
				missing = append(missing, key[0])
			}
		}
		if len(missing) > 0 {
			t.Errorf("%s: no rule for %s", p.title, strings.Join(missing, " "))
		}
	}
}

// TestForeignDefaultsAskForNothing sets every flag of `trl sft`, and every one of `trl dpo`, to its default, in one go.
func TestForeignDefaultsAskForNothing(t *testing.T) {
	for file, loss := range map[string]string{"trl_sft.txt": NLL, "trl_dpo.txt": "sigmoid"} {
		var settings []Setting
		for _, key := range theirs(t, file) {
			settings = append(settings, Setting{key[0], key[1]})
		}
		r := Default()
		if _, err := r.SetAll(settings); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		if r.LossType != loss {
			t.Errorf("%s: loss_type is %s, want %s", file, r.LossType, loss)
		}
	}
}

// TestRules makes sure that rules lead to keys, say why, and name every key once.
func TestRules(t *testing.T) {
	seen := map[string]bool{}
	for _, rule := range rules() {
		for _, name := range strings.Fields(rule.names) {
			if seen[name] {
				t.Errorf("%s is there twice", name)
			}
			seen[name] = true
			own := slices.ContainsFunc(Keys(), func(k Key) bool { return k.Name == name })
			if own && rule.to != name {
				t.Errorf("%s is a key of its own", name)
			}
		}
		r := Default()
		if _, _, ok := r.field(rule.to); rule.to != "" && !ok {
			t.Errorf("%s leads to no key: %s", rule.names, rule.to)
		}
		if rule.to == "" && rule.say == "" {
			t.Errorf("%s: it is not said why", rule.names)
		}
	}
	_ = fmt.Sprint
}
