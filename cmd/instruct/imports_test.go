package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// layers says which packages of the project each package may import, with all that lies below a named one. A package
// that is not named here belongs to the nearest one above it.
func layers() map[string][]string {
	return map[string][]string{
		"cmd/instruct": {"train", "data", "model", "checkpoints", "tokenizer"},
		"train":        {"data", "model", "checkpoints", "tokenizer"},
		"data":         {"tokenizer", "model/kernel/rng"},
		"model":        {"model/ops", "model/kernel"},
		"model/ops":    {"model/kernel"},
		"model/kernel": {"model/kernel/float16"},
		"checkpoints":  {"model/kernel/float16"},
		"tokenizer":    {},

		"model/kernel/float16": {}, // pure bit arithmetic
	}
}

// below tells whether package p is dir or lies in it.
func below(p, dir string) bool { return p == dir || strings.HasPrefix(p, dir+"/") }

// layerOf returns the layer of a package: the longest name above it, or "".
func layerOf(p string) string {
	best := ""
	for _, l := range slices.Sorted(maps.Keys(layers())) {
		if below(p, l) && len(l) > len(best) {
			best = l
		}
	}
	return best
}

// imports lists what every package imports, under any build tag, tests apart.
func imports(t *testing.T, root string) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			_, other := os.Stat(filepath.Join(path, "go.mod"))
			if name := d.Name(); path != root && (strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "testdata" || other == nil) {
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
			all[dir] = append(all[dir], name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestImportsGoOneWay(t *testing.T) {
	root := filepath.Join("..", "..")
	all := imports(t, root)
	for l := range layers() {
		if _, found := all[l]; !found {
			t.Errorf("there is no package %s; is the list in this test up to date?", l)
		}
	}
	gorgonia := map[string]bool{}
	for pkg, list := range all {
		layer := layerOf(pkg)
		if layer == "" {
			t.Errorf("package %s has no place in the layers", pkg)
			continue
		}
		for _, name := range list {
			if strings.HasPrefix(name, "gorgonia.org/") {
				gorgonia[pkg] = true
			}
			own, found := strings.CutPrefix(name, "instruct/")
			if !found || layerOf(own) == layer {
				continue
			}
			if !slices.ContainsFunc(layers()[layer], func(l string) bool { return below(own, l) }) {
				t.Errorf("%s imports %s; %s may import only %v", pkg, own, layer, layers()[layer])
			}
		}
	}
	for pkg := range gorgonia {
		if pkg != "model" && pkg != "model/ops" && pkg != "train" {
			t.Errorf("%s imports Gorgonia; only model, model/ops and train may", pkg)
		}
	}
	if !gorgonia["model"] || !gorgonia["model/ops"] {
		t.Error("model and model/ops do not import Gorgonia: this test looks in the wrong place")
	}
}
