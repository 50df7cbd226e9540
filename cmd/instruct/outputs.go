package main

import (
	"path/filepath"

	"instruct/train/recipe"
)

// notAnInput refuses to write a file over one of those that a command reads: files or patterns.
func notAnInput(flag, path string, inputs ...string) error {
	for _, in := range inputs {
		files, err := filepath.Glob(in)
		if err != nil || files == nil {
			files = []string{in}
		}
		for _, f := range files {
			if recipe.SameFile(path, f) {
				return mistake("--%s %s is one of the files that are read, and would be written over; "+
					"name another file", flag, path)
			}
		}
	}
	return nil
}
