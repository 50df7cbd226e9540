//go:build linux || darwin

package machine

import "golang.org/x/sys/unix"

// FreeDisk returns how many bytes this user may still write to the file system of dir.
func FreeDisk(dir string) (int64, bool) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, false
	}
	return int64(s.Bavail) * int64(s.Bsize), true
}
