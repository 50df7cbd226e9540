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
	values := u.modelBytes() / 4
	need := 4*values + u.explainBytes()
	if u.Recipe.SaveStrategy != "no" {
		need += 4 * values * 3 // weights and AdamW's two moments
	}
	if u.Recipe.SaveStrategy != "no" && u.Recipe.EMADecay > 0 {
		need += 4 * values // the weights beside their average
	}
	free, ok := machine.FreeDisk(folderOf(u.Recipe.OutputDir))
	return diskError(u.Recipe.OutputDir, need, free, ok)
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
