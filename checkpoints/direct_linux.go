package checkpoints

import (
	"os"

	"golang.org/x/sys/unix"
)

// setDirect lets what is written to a regular file go around the cache of pages, or through it again, and tells whether
// it does as asked. A file system without that refuses.
func setDirect(f *os.File, on bool) bool {
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() { // of a pipe the flag means something else
		return false
	}
	raw, err := f.SyscallConn()
	if err != nil {
		return false
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		flags, err := unix.FcntlInt(fd, unix.F_GETFL, 0)
		if err == nil {
			flags &^= unix.O_DIRECT
			if on {
				flags |= unix.O_DIRECT
			}
			_, err = unix.FcntlInt(fd, unix.F_SETFL, flags)
		}
		failed = err
	})
	return err == nil && failed == nil
}
