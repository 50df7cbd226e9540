package train

import (
	"os"
	"path/filepath"

	"instruct/train/machine"
)

// checkDisk refuses a run whose model, with one checkpoint where there are any, does not fit the disk of its folder.
// Where an older run is there, its room will do.
func (u *run) checkDisk() error {
	if isRun(u.Recipe.OutputDir) {
		return nil
	}
	need := u.modelBytes() + u.explainBytes()
	if u.Recipe.SaveStrategy != "no" {
		need += u.checkpointBytes()
	}
	free, ok := machine.FreeDisk(folderOf(u.Recipe.OutputDir))
	return diskError(u.Recipe.OutputDir, need, free, ok)
}

// checkpointBytes is the room that a checkpoint takes: the model, the optimizer's moments, and the weights beside their
// average.
func (u *run) checkpointBytes() int64 {
	return u.modelBytes() + momentBytes(u.Model.Model, u.Recipe.Optim) + averageBytes(u.Model.Model, u.Recipe.EMADecay)
}

// modelBytes is the room that the run's model takes: an adapter is saved without its base.
func (u *run) modelBytes() int64 {
	if u.Model.Adapter() != nil {
		return 4 * int64(trainedValues(u.Model.Model))
	}
	return 4 * int64(u.Model.Size())
}

// folderOf is the folder, or the one above it in which it will be made.
func folderOf(dir string) string {
	for dir = filepath.Clean(dir); ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(dir); err == nil || dir == filepath.Dir(dir) {
			return dir
		}
	}
}

func diskError(dir string, need, free int64, known bool) error {
	if !known || free >= need {
		return nil
	}
	return mistake("output_dir %s: its disk has %s left, what the run keeps takes %s; make room, choose another folder, "+
		"or set save_strategy: no", dir, bytesText(free), bytesText(need))
}
