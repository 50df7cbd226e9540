package record

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"instruct/checkpoints"
)

// Named is a file as the last entry that names it has it.
type Named struct {
	Hash  string
	Entry *Entry
}

// Standing are the files of the folder that the ledger says are there, and those elsewhere that it was made from.
func Standing(entries []Entry) (own, outside map[string]Named) {
	own, outside = map[string]Named{}, map[string]Named{}
	for i := range entries {
		e := &entries[i]
		for _, path := range e.Gone {
			delete(own, path)
		}
		for path, sum := range e.Own {
			own[path] = Named{sum, e}
		}
		for path, sum := range e.Outside {
			outside[path] = Named{sum, e}
		}
	}
	return own, outside
}

// Changed are the files of a folder that differ from what its ledger says of them: now has the hashes of all that the
// ledger is to name, below the given paths (files, or folders; none: everywhere).
func Changed(dir string, now map[string]string, below ...string) (f Files, err error) {
	entries, err := Read(dir)
	if err != nil {
		return f, err
	}
	own, _ := Standing(entries)
	f.Own = map[string]string{}
	for path, sum := range now {
		if own[path].Hash != sum {
			f.Own[path] = sum
		}
	}
	for _, path := range slices.Sorted(maps.Keys(own)) {
		if _, ok := now[path]; !ok && isBelow(path, below) {
			f.Gone = append(f.Gone, path)
		}
	}
	return f, nil
}

// isBelow tells whether a path is one of those or in it; none are all.
func isBelow(path string, paths []string) bool {
	in := func(p string) bool { return path == p || strings.HasPrefix(path, p+"/") }
	return len(paths) == 0 || slices.ContainsFunc(paths, in)
}

// Hashes are the sha256 of the files that lie at or below the given paths of a folder, by their path in it. Of a folder
// with [checkpoints.SumsFile] they are those that stand there, of when it was written. What is not there has no hash,
// and neither has what is hidden.
func Hashes(dir string, paths ...string) (map[string]string, error) {
	all := map[string]string{}
	for _, p := range paths {
		list, err := list(dir, p)
		if err != nil {
			return nil, err
		}
		for _, path := range list {
			if all[path] != "" {
				continue
			}
			if filepath.Base(path) == checkpoints.SumsFile {
				for _, s := range readSums(filepath.Join(dir, path)) {
					if at := filepath.ToSlash(filepath.Join(filepath.Dir(path), s[1])); slices.Contains(list, at) {
						all[at] = s[0]
					}
				}
			}
		}
		for _, path := range list {
			if all[path] != "" {
				continue
			}
			if all[path], err = checkpoints.HashFile(filepath.Join(dir, path)); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// readSums gives the lines of a file of sums, hash and name, as far as they are some.
func readSums(path string) (lines [][2]string) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(text)) {
		if sum, name, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "  "); ok && len(sum) == len(none) {
			lines = append(lines, [2]string{sum, name})
		}
	}
	return lines
}

// list gives the files at or below a path of a folder, with slashes: no ledger, nothing hidden, and no locks.
func list(dir, path string) (all []string, err error) {
	err = filepath.WalkDir(filepath.Join(dir, filepath.FromSlash(path)), func(p string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return mistake("%s: %s", p, checkpoints.Reason(err))
		}
		name := d.Name()
		hidden := strings.HasPrefix(name, ".") && p != filepath.Clean(dir)
		if d.IsDir() {
			if hidden {
				return fs.SkipDir
			}
			return nil
		}
		info, err := os.Stat(p) // of a link, what it leads to
		if err != nil || !info.Mode().IsRegular() || hidden || name == lockFile {
			return nil
		}
		rel, err := filepath.Rel(dir, p)
		if err != nil {
			return err
		}
		if rel != File {
			all = append(all, filepath.ToSlash(rel))
		}
		return nil
	})
	return all, err
}

// lockFile is an empty file that older programs left in behaviour folders.
const lockFile = "lock"

// From is a path as the ledger of a folder has it: it leads to the file from there.
func From(dir, path string) string {
	from, errFrom := filepath.Abs(dir)
	to, errTo := filepath.Abs(path)
	if errFrom != nil || errTo != nil {
		return path
	}
	short, err := filepath.Rel(from, to)
	if err != nil { // another volume
		short = to
	}
	return filepath.ToSlash(short)
}
