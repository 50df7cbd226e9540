package tokenizer

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// writeFile writes a file so that a reader finds the old content or the new, never a part: into a temporary file in the
// same folder, which is then renamed. A disk that is full or cannot be written is the user's to mend.
func writeFile(path string, data []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return diskError(err)
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
			err = diskError(err)
		}
	}()
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// diskError marks errors of the disk or of permissions as the user's.
func diskError(err error) error {
	for _, cause := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EROFS, syscall.EFBIG, os.ErrPermission, os.ErrNotExist} {
		if errors.Is(err, cause) {
			return userError{err}
		}
	}
	return err
}
