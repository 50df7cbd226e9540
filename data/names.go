package data

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// stdin is the name of the standard input.
const stdin = "-"

// Expand gives the files that names stand for. A name of a file is that file, whatever is in the name; otherwise ~ is
// the home folder, a folder is the files of rows in it, in order, a pattern such as rows-*.jsonl is the files that it
// matches, and commas are between names. A name for which there is nothing stays as it is.
func Expand(names []string) ([]string, error) {
	var files []string
	for _, name := range names {
		for _, part := range SplitNames(name) {
			more, err := expand(part)
			if err != nil {
				return nil, err
			}
			files = append(files, more...)
		}
	}
	return files, nil
}

// OnDisk is [Expand] with the names of the files as the system knows them, each once: without a sheet's name and
// without the standard input.
func OnDisk(names []string) ([]string, error) {
	files, err := Expand(names)
	var out []string
	for _, name := range files {
		file, _ := splitSheet(name)
		if name != stdin && !slices.Contains(out, file) {
			out = append(out, file)
		}
	}
	return out, err
}

// SplitNames divides names at commas, except at those in names of files that exist.
func SplitNames(text string) []string {
	if !strings.Contains(text, ",") {
		return []string{text}
	}
	parts := strings.Split(text, ",")
	var names []string
	for len(parts) > 0 {
		n := len(parts)
		for n > 1 && !exists(strings.TrimSpace(strings.Join(parts[:n], ","))) {
			n--
		}
		if name := strings.TrimSpace(strings.Join(parts[:n], ",")); name != "" {
			names = append(names, name)
		}
		parts = parts[n:]
	}
	return names
}

func exists(name string) bool {
	file, _ := splitSheet(home(name))
	_, err := os.Stat(file)
	return err == nil
}

// home replaces ~ at the beginning of a name.
func home(name string) string {
	rest, ok := strings.CutPrefix(name, "~")
	if !ok || (rest != "" && !os.IsPathSeparator(rest[0])) {
		return name
	}
	if _, err := os.Lstat(name); err == nil {
		return name
	}
	dir, err := os.UserHomeDir()
	if err != nil {
		return name
	}
	return filepath.Join(dir, rest)
}

func expand(name string) ([]string, error) {
	if name == stdin {
		return []string{name}, nil
	}
	name = home(name)
	info, err := os.Stat(name)
	switch {
	case err == nil && info.IsDir():
		return inFolder(name)
	case err == nil || !strings.ContainsAny(name, "*?[") || exists(name):
		return []string{name}, nil
	}
	matches, err := filepath.Glob(name)
	if err != nil {
		return nil, mistake("data: the pattern %s: %w; * and ? stand for characters, [abc] for one of them", name, err)
	}
	if len(matches) == 0 {
		return nil, mistake("data: no file matches %s", name)
	}
	if known := slices.DeleteFunc(slices.Clone(matches), func(m string) bool { return !Known(m) }); len(known) > 0 {
		matches = rowsBeforeTexts(known)
	}
	return matches, nil
}

// rowsBeforeTexts leaves out the texts where there are files of rows, beside which they say something of those.
func rowsBeforeTexts(files []string) []string {
	isText := func(name string) bool { return strings.EqualFold(filepath.Ext(unpackedName(name)), textFile) }
	if rows := slices.DeleteFunc(slices.Clone(files), isText); len(rows) > 0 {
		return rows
	}
	return files
}

// inFolder lists the files of rows of a folder.
func inFolder(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, mistake("data: read %s: %w", dir, err)
	}
	var files []string
	for _, e := range entries {
		if e.Name() == "config.json" {
			return nil, mistake("data: %s is a folder of a model (it has config.json), not of files of rows", dir)
		}
		if !e.IsDir() && e.Name()[0] != '.' && Known(e.Name()) {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	if len(files) == 0 {
		return nil, mistake("data: %s is a folder without files of rows (%s)", dir, strings.Join(knownTypes(), " "))
	}
	return rowsBeforeTexts(files), nil
}
