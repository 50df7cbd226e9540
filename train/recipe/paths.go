package recipe

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// paths are the keys whose values may be paths of what is read: some are names instead, such as 'lessons'.
func (r *Recipe) paths() map[string][]*string {
	paths := map[string][]*string{"model_name_or_path": {&r.ModelNameOrPath}, "tokenizer_name": {&r.TokenizerName},
		"model_config": {(*string)(&r.ModelConfig)}, "chat_template": {&r.ChatTemplate},
		"resume_from_checkpoint": {&r.Resume}}
	for key, list := range map[string][]string{"dataset": r.Dataset, "eval_dataset": r.EvalDataset} {
		for i := range list {
			paths[key] = append(paths[key], &list[i])
		}
	}
	return paths
}

// eachPath shows every path of the recipe and of its stages to f, which may change it.
func (r *Recipe) eachPath(f func(key string, path *string)) {
	for key, values := range r.paths() {
		for _, v := range values {
			f(key, v)
		}
	}
	r.Stages = r.Stages.eachPath(f)
}

// anchor makes paths that stand in a recipe in folder dir relative to it, where they lead to something from there, so
// that a recipe that is kept with its files runs from everywhere. Others stay relative to the working folder.
func (r *Recipe) anchor(dir string) (notes []string) {
	if filepath.Clean(dir) == "." {
		return nil
	}
	r.eachPath(func(key string, path *string) {
		beside := filepath.Join(dir, *path)
		if !isPath(*path) || !exists(beside) {
			return
		}
		if exists(*path) && !SameFile(*path, beside) {
			notes = append(notes, fmt.Sprintf("%s: %s is that beside the recipe, %s, not that of the working folder", key, *path,
				beside))
		}
		*path = beside
	})
	for i, name := range r.DropRows {
		list, ok := strings.CutPrefix(name, "@")
		if beside := filepath.Join(dir, list); ok && isPath(list) && exists(beside) {
			r.DropRows[i] = "@" + beside
		}
	}
	slices.Sort(notes)
	return notes
}

// For gives the recipe as it is written into folder dir: its relative paths lead to the same things from there.
func (r Recipe) For(dir string) Recipe {
	r.Dataset, r.EvalDataset = slices.Clone(r.Dataset), slices.Clone(r.EvalDataset)
	r.eachPath(func(_ string, path *string) {
		if !isPath(*path) || !exists(*path) {
			return
		}
		from, errFrom := filepath.Abs(dir)
		to, errTo := filepath.Abs(*path)
		short, err := filepath.Rel(from, to)
		if err != nil { // another volume
			short = to
		}
		if errFrom == nil && errTo == nil {
			*path = filepath.ToSlash(short)
		}
	})
	return r
}

// isPath tells whether a value may be a relative path: it is none of the names that keys know.
func isPath(v string) bool {
	names := []string{"", "lessons", "bytes", "bpe", "true", "false", "yes", "no", "latest", "auto"}
	return !slices.Contains(names, v) && len(v) < 4096 && v[0] != '{' && !filepath.IsAbs(v)
}

// exists tells whether there is something of this name, or of this pattern.
func exists(path string) bool {
	if _, err := os.Stat(path); err == nil {
		return true
	}
	list, err := filepath.Glob(path)
	return err == nil && len(list) > 0
}

// SameFile tells whether two paths lead to one file or folder that is there.
func SameFile(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}
