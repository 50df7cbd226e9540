package checkpoints

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// StateFile is the file whose presence makes a checkpoint folder whole.
const StateFile = "state.json"

// Checkpoint is a whole checkpoint-N folder of a run.
type Checkpoint struct {
	Step int    // N
	Path string // runDir/checkpoint-N
}

// List gives the whole checkpoints of a run by ascending step: real folders named checkpoint-N (decimal, no leading
// zero) that hold a state.json. A run folder that does not exist has none.
func List(runDir string) ([]Checkpoint, error) {
	entries, err := os.ReadDir(runDir)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fileError("list checkpoints in", runDir, err)
	}
	var list []Checkpoint
	for _, e := range entries {
		number, ok := strings.CutPrefix(e.Name(), "checkpoint-")
		step, err := strconv.Atoi(number)
		if !ok || err != nil || step < 0 || strconv.Itoa(step) != number || !e.IsDir() {
			continue
		}
		path := filepath.Join(runDir, e.Name())
		if info, err := os.Stat(filepath.Join(path, StateFile)); err == nil && info.Mode().IsRegular() {
			list = append(list, Checkpoint{step, path})
		}
	}
	slices.SortFunc(list, func(a, b Checkpoint) int { return a.Step - b.Step })
	return list, nil
}

// Latest gives the whole checkpoint with the highest step; ok is false when there is none.
func Latest(runDir string) (c Checkpoint, ok bool, err error) {
	list, err := List(runDir)
	if err != nil || len(list) == 0 {
		return Checkpoint{}, false, err
	}
	return list[len(list)-1], true, nil
}

// Rotate deletes the oldest whole checkpoints until keep are left, as Hugging Face's save_total_limit does: protected
// steps (the best) count, but are never deleted, and neither is the newest, so more than keep may stay. keep <= 0
// deletes nothing. Nothing but whole checkpoints is ever deleted.
func Rotate(runDir string, keep int, protect ...int) error {
	list, err := List(runDir)
	if err != nil || keep <= 0 {
		return err
	}
	excess := len(list) - keep
	for i, c := range list {
		if excess <= 0 {
			break
		}
		if i == len(list)-1 || slices.Contains(protect, c.Step) {
			continue
		}
		if err := c.Remove(); err != nil {
			return err
		}
		excess--
	}
	return nil
}

// Remove deletes the checkpoint. It takes its name away first: what a kill leaves behind is one of the hidden folders
// that [Clean] removes.
func (c Checkpoint) Remove() error {
	hidden, err := temporary(c.Path, "tmp", func(name string) error { return os.Rename(c.Path, name) })
	if err == nil {
		err = os.RemoveAll(hidden)
	}
	return fileError("remove", c.Path, err)
}
