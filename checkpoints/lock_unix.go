//go:build unix

package checkpoints

import (
	"errors"
	"os"
	"syscall"
)

// Lock keeps other processes that ask for it out of a folder until unlock is called or the process ends, however it
// ends; nothing is left in the folder. ok is false where another one has it. A file system that has no locks gives it
// to everybody.
func Lock(dir string) (unlock func(), ok bool, err error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, false, fileError("lock", dir, err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		f.Close()
		return nil, false, nil
	}
	return func() { f.Close() }, true, nil
}
