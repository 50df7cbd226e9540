//go:build unix

package coach

import (
	"os"
	"path/filepath"
	"syscall"

	"instruct/model/pretrained"
)

// Lock keeps other rounds out of a behaviour folder until unlock is called or the process ends, however it ends.
func Lock(behaviour string) (unlock func(), err error) {
	if _, err := pretrained.Current(behaviour); err != nil {
		return nil, err // nothing is written into a folder that is none
	}
	f, err := os.OpenFile(filepath.Join(behaviour, "lock"), os.O_CREATE|os.O_RDWR, 0o666)
	if err != nil {
		return nil, mistake("behaviour %s: %v", behaviour, err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, mistake("behaviour %s: another round is at work in it; wait for its end", behaviour)
	}
	return func() { f.Close() }, nil
}
