package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// arrows says which packages of the project each package imports: all of them, and no others. Every arrow goes from a
// package to one further down.
func arrows() [][]string {
	return [][]string{
		{"cmd/instruct",
			"checkpoints", "cmd/instruct/openai", "cmd/instruct/page", "data", "data/checks", "data/policy", "model",
			"model/kernel", "model/pretrained", "tokenizer", "tokenizer/chat", "train", "train/attribute", "train/bench",
			"train/coach", "train/eval", "train/experiment", "train/machine", "train/recipe", "train/record"},
		{"cmd/instruct/openai",
			"data/policy", "model", "model/grammar", "model/kernel", "model/pretrained", "tokenizer", "tokenizer/chat"},
		{"cmd/instruct/page", "data", "data/policy", "model/pretrained", "tokenizer/chat", "train/coach", "train/eval"},
		{"train/coach",
			"checkpoints", "data", "data/checks", "data/policy", "model", "model/kernel", "model/kernel/exact",
			"model/kernel/rng", "model/ops", "model/pretrained", "tokenizer/chat", "train", "train/eval", "train/recipe",
			"train/record"},
		{"train/attribute",
			"checkpoints", "data", "model", "model/kernel", "model/kernel/exact", "model/kernel/rng", "model/ops",
			"model/pretrained", "tokenizer/chat", "train", "train/eval"},
		{"train/bench",
			"data", "model", "model/kernel", "model/kernel/rng", "model/pretrained", "train", "train/machine",
			"train/recipe"},
		{"train/experiment", "checkpoints", "train", "train/eval", "train/recipe"},
		{"train",
			"checkpoints", "data", "data/lessons", "model", "model/kernel", "model/kernel/exact",
			"model/ops", "model/pretrained", "tokenizer", "tokenizer/chat", "train/eval", "train/machine", "train/preference",
			"train/recipe", "train/record", "train/schedule", "train/tensorboard"},
		{"train/tensorboard", "checkpoints"},
		{"train/recipe", "checkpoints/bounded", "data", "data/lessons", "model/kernel", "train/preference", "train/schedule"},
		{"train/schedule", "model/kernel/exact"},
		{"train/preference", "model/kernel/exact"},
		{"train/eval",
			"data", "data/checks", "data/checks/ifeval", "data/policy", "data/suite", "model", "model/kernel",
			"model/kernel/rng", "model/pretrained", "tokenizer/chat"},
		{"data/policy", "data", "data/checks", "data/internal/strictyaml"},
		{"data/lessons", "data", "model/kernel/rng", "tokenizer/chat"},
		{"data", "model/kernel/rng", "tokenizer", "tokenizer/chat"},
		{"data/suite", "data/checks", "data/internal/strictyaml", "tokenizer/chat"},
		{"data/internal/strictyaml", "checkpoints/bounded", "data/checks"},
		{"data/checks/ifeval", "data/checks"},
		{"data/checks"},
		{"model/pretrained", "checkpoints", "checkpoints/bounded", "model", "model/kernel", "tokenizer",
			"tokenizer/chat", "tokenizer/file"},
		{"model", "model/kernel", "model/kernel/exact", "model/kernel/rng", "model/ops"},
		{"model/ops", "model/kernel"},
		{"model/grammar"},
		{"train/machine"},
		{"train/record", "checkpoints"},
		{"tokenizer/chat", "tokenizer", "tokenizer/jinja"},
		{"tokenizer", "checkpoints/bounded", "tokenizer/file", "tokenizer/pattern"},
		{"tokenizer/file", "checkpoints/bounded", "tokenizer/pattern"},
		{"tokenizer/pattern"},
		{"tokenizer/jinja"},
		{"checkpoints", "model/kernel/float16"},
		{"model/kernel", "model/kernel/exact", "model/kernel/float16", "model/kernel/rng"},
		{"model/kernel/rng", "model/kernel/exact"},
		{"model/kernel/exact"},
		{"model/kernel/float16"},
		{"tokenizer/internal/fixture"},
		{"checkpoints/bounded"},
	}
}

// imports lists what every package imports, under any build tag, tests apart.
func imports(t *testing.T, root string) map[string]map[string]bool {
	t.Helper()
	all := map[string]map[string]bool{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if path != root && outside(path, d.Name()) {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		dir = filepath.ToSlash(dir)
		for _, i := range f.Imports {
			name, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			if all[dir] == nil {
				all[dir] = map[string]bool{}
			}
			all[dir][name] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// outside tells whether a folder holds no package of this module.
func outside(path, name string) bool {
	_, err := os.Stat(filepath.Join(path, "go.mod"))
	return err == nil || name == "testdata" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")
}

func TestImportsGoOneWay(t *testing.T) {
	found := imports(t, filepath.Join("..", ".."))
	place := map[string]int{}
	for i, a := range arrows() {
		place[a[0]] = i
	}
	for i, a := range arrows() {
		pkg, want := a[0], slices.Sorted(slices.Values(a[1:]))
		all, ok := found[pkg]
		if !ok {
			t.Errorf("there is no package %s; is the list in this test up to date?", pkg)
		}
		var own []string
		for name := range all {
			if short, ok := strings.CutPrefix(name, "instruct/"); ok {
				own = append(own, short)
			}
			gorgonia := strings.HasPrefix(name, "gorgonia.org/")
			if gorgonia && pkg != "model" && pkg != "model/ops" {
				t.Errorf("%s imports Gorgonia; only model and model/ops may", pkg)
			}
		}
		slices.Sort(own)
		if !slices.Equal(own, want) {
			t.Errorf("%s imports %v; this test names %v", pkg, own, want)
		}
		for _, name := range own {
			if at, ok := place[name]; !ok || at <= i {
				t.Errorf("%s imports %s, which does not stand below it", pkg, name)
			}
		}
		delete(found, pkg)
	}
	for pkg := range found {
		t.Errorf("package %s has no place in this test", pkg)
	}
}
