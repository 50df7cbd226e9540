//go:build !unix

package coach

import (
	"os"
	"path/filepath"

	"instruct/model/pretrained"
)

// Lock keeps other rounds out of a behaviour folder until unlock is called. Where the process was killed the file
// "lock" stays and has to be removed.
func Lock(behaviour string) (unlock func(), err error) {
	if _, err := pretrained.Current(behaviour); err != nil {
		return nil, err // nothing is written into a folder that is none
	}
	path := filepath.Join(behaviour, "lock")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o666)
	if err != nil {
		return nil, mistake("behaviour %s: another round is at work in it; remove %s if there is none", behaviour, path)
	}
	return func() { f.Close(); os.Remove(path) }, nil
}
