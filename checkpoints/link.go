package checkpoints

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Link makes a file, or a folder with all that is in it, appear in another place too: by hard links where the file
// system has them, as what is written here is replaced and never written into, else by copies.
func Link(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return fileError("read", path, err)
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		dst := filepath.Join(to, rel)
		if d.IsDir() {
			return fileError("make", dst, os.MkdirAll(dst, 0o777))
		}
		if os.Link(path, dst) == nil {
			return nil
		}
		return fileError("copy", path, CopyFile(path, dst))
	})
}

// CopyFile copies a file into a folder that is being made.
func CopyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
