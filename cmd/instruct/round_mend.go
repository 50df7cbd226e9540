package main

import (
	"fmt"
	"os"
	"path/filepath"

	"instruct/checkpoints"
	"instruct/model/pretrained"
	"instruct/train/coach"
)

// mend puts right what a killed round left in a behaviour folder, which is locked, and says what it was.
func mend(s *streams, behaviour string) error {
	said, err := coach.Mend(behaviour)
	for _, line := range said {
		fmt.Fprintln(s.err, line)
	}
	return err
}

// begun lets a first round that was stopped begin again: --base names the model that the folder begins with, and there
// is no round yet.
func (r *rounding) begun() error {
	again, err := pretrained.Resolve(r.base)
	if err != nil {
		return err
	}
	if again, err = filepath.Abs(again); err != nil {
		return err
	}
	if base, err := pretrained.ReadBase(r.behaviour); err == nil && base.Model == again {
		if _, err := os.Stat(pretrained.RoundDir(r.behaviour, 1)); os.IsNotExist(err) {
			return nil
		}
	}
	return mistake("behaviour %s exists; --base is for a new one", r.behaviour)
}

// hashes are the sha256 of files, by path.
func hashes(paths []string) (map[string]string, error) {
	all := map[string]string{}
	for _, path := range paths {
		hash, err := checkpoints.HashFile(path)
		if err != nil {
			return nil, err
		}
		all[path] = hash
	}
	return all, nil
}
