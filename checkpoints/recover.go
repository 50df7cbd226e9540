package checkpoints

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// A process killed inside [SaveDir] may leave hidden folders in a run: .checkpoint-N.tmp-*, half written, and, when it
// replaced a checkpoint, .checkpoint-N.old-*, the one that was there before.

// Recover puts a checkpoint back that a killed process had moved aside and not yet replaced. A run folder that does not
// exist has none.
func Recover(runDir string) error {
	return leftovers(runDir, func(path, of, kind string) error {
		if kind != "old" || !exists(filepath.Join(path, StateFile)) {
			return nil
		}
		if _, err := os.Lstat(of); err == nil {
			return nil // the new one is in place
		}
		return fileError("put back", of, os.Rename(path, of))
	})
}

// Clean removes what killed processes left in a run, after [Recover].
func Clean(runDir string) error {
	return leftovers(runDir, func(path, _, _ string) error {
		return fileError("remove", path, os.RemoveAll(path))
	})
}

// leftovers calls do with each such folder, the checkpoint it is of, and its kind, tmp or old.
func leftovers(runDir string, do func(path, of, kind string) error) error {
	entries, err := os.ReadDir(runDir)
	if err != nil && !os.IsNotExist(err) {
		return fileError("list leftovers in", runDir, err)
	}
	var errs []error
	for _, e := range entries {
		name, rest, ok := strings.Cut(strings.TrimPrefix(e.Name(), "."), ".")
		kind, _, numbered := strings.Cut(rest, "-")
		if ok && numbered && e.IsDir() && strings.HasPrefix(e.Name(), ".checkpoint-") && (kind == "tmp" || kind == "old") {
			errs = append(errs, do(filepath.Join(runDir, e.Name()), filepath.Join(runDir, name), kind))
		}
	}
	return errors.Join(errs...)
}

// Sweep removes the temporary files and folders that a killed [WriteFile] or [SaveDir] left in dir, in which nobody may
// be writing now. A dir that does not exist has none.
func Sweep(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !os.IsNotExist(err) {
		return fileError("list leftovers in", dir, err)
	}
	var errs []error
	for _, e := range entries {
		if left.MatchString(e.Name()) {
			path := filepath.Join(dir, e.Name())
			errs = append(errs, fileError("remove", path, os.RemoveAll(path)))
		}
	}
	return errors.Join(errs...)
}

// left is the name of something temporary; see temporary.
var left = regexp.MustCompile(`^\..+\.tmp-[0-9a-z]+$`)
