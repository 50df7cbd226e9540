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
	values := int64(u.Model.Size())
	need := 4 * values
	if u.Recipe.SaveStrategy != "no" {
		need += 4 * values * 3 // weights and AdamW's two moments
	}
	dir := filepath.Clean(u.Recipe.OutputDir)
	for {
		if _, err := os.Stat(dir); err == nil || dir == filepath.Dir(dir) {
			break
		}
		dir = filepath.Dir(dir) // the folder will be made
	}
	free, ok := machine.FreeDisk(dir)
	return diskError(u.Recipe.OutputDir, need, free, ok)
}

func diskError(dir string, need, free int64, known bool) error {
	if !known || free >= need {
		return nil
	}
	return mistake("output_dir %s: its disk has %s left, model and checkpoint take %s; make room, choose another folder, "+
		"or set save_strategy: no", dir, bytesText(free), bytesText(need))
}
