package checkpoints

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// WriteFile writes data to path so that path holds either what it held before or all of data, even after a crash: a
// temporary file in the same folder is written, synced to disk and renamed, then the folder is synced. A symbolic link
// stays one: the file that it leads to is replaced. What is no file, a pipe or a device, is written to. In a folder
// that [SaveDir] lets be filled nothing is synced: it syncs all of it at the end.
func WriteFile(path string, data []byte) error {
	return writeAtomic(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// writeAtomic is WriteFile with the content written by fill. On any error up to the
// rename the temporary file is removed and path is untouched.
func writeAtomic(path string, fill func(w io.Writer) error) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		return writeDevice(path, fill)
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	var f *os.File
	tmp, err := temporary(path, "tmp", func(name string) (err error) {
		f, err = os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		return err
	})
	if err != nil {
		return fileError("write", path, err)
	}
	defer os.Remove(tmp) // after the rename there is nothing of this name
	defer f.Close()      // where fill panics
	sync := f.Sync
	inside := left.MatchString(filepath.Base(filepath.Dir(path)))
	if inside {
		sync = func() error { return nil }
	}
	if err := fill(f); err != nil {
		return fileError("write", path, err)
	}
	if err := cmp.Or(sync(), f.Close()); err != nil {
		return fileError("write", path, err)
	}
	if err := os.Rename(tmp, path); err != nil {
		return fileError("write", path, err)
	}
	if inside {
		return nil
	}
	return fileError("sync the folder of", path, syncPath(filepath.Dir(path)))
}

// writeDevice writes to a pipe or a device, which a rename would put an end to.
func writeDevice(path string, fill func(w io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return fileError("write", path, err)
	}
	return fileError("write", path, cmp.Or(fill(f), f.Close()))
}

// SaveDir makes the folder dst whole or not at all: write fills a temporary folder beside it, every file and folder in
// that is synced to disk, then it is renamed to dst. On any error up to there, a full disk among them, the temporary
// folder is removed and dst is untouched. A dst that exists is moved aside first, deleted only after the new one is in
// place, and moved back when that fails. Missing parents are made.
//
// A process killed in between leaves at most a hidden sibling .NAME.tmp-* or .NAME.old-*, which nothing reads and which
// may be deleted; see [Recover] and [Clean] for checkpoints, [Sweep] for other folders.
func SaveDir(dst string, write func(tmp string) error) error {
	return saveDir(dst, write, os.Rename, true)
}

// NewDir is [SaveDir] of a folder that is not there yet: of two programs that make it at one time, one fails.
func NewDir(dst string, write func(tmp string) error) error {
	return saveDir(dst, write, os.Rename, false)
}

// saveDir is SaveDir with the last rename given, so that a test can let it fail; replace: dst may exist.
func saveDir(dst string, write func(tmp string) error, rename func(from, to string) error, replace bool) error {
	dst, err := filepath.Abs(dst)
	if err != nil {
		return fileError("save", dst, err)
	}
	parent := filepath.Dir(dst)
	if parent == dst {
		return mistake("save %s: it is the root folder", dst)
	}
	if info, err := os.Stat(dst); err == nil && !info.IsDir() {
		return mistake("save %s: a file of this name is in the way of the folder", dst)
	}
	tmp, err := temporary(dst, "tmp", func(name string) error {
		return cmp.Or(os.MkdirAll(parent, 0o777), os.Mkdir(name, 0o777))
	})
	if err != nil {
		return fileError("save", dst, err)
	}
	defer os.RemoveAll(tmp) // after the rename there is nothing of this name
	if err = write(tmp); err == nil {
		err = syncTree(tmp)
	}
	if err != nil {
		return fileError("save", dst, err)
	}
	return replaceDir(dst, tmp, rename, replace)
}

// ReplaceDir puts the folder made, which lies beside dst, into the place of dst, whose old content is then deleted. A
// process killed in between leaves both of them, or the new one and a hidden .NAME.old-*; see [PutBack].
func ReplaceDir(dst, made string) error {
	if err := syncTree(made); err != nil {
		return fileError("save", dst, err)
	}
	return replaceDir(dst, made, os.Rename, true)
}

// replaceDir renames a folder to dst; replace: dst may exist.
func replaceDir(dst, made string, rename func(from, to string) error, replace bool) (err error) {
	old := ""
	if replace {
		if old, err = moveAside(dst); err != nil {
			return fileError("save", dst, err)
		}
	}
	if err := rename(made, dst); err != nil {
		if old != "" {
			if back := os.Rename(old, dst); back != nil {
				return fmt.Errorf("checkpoints: save %s: %w; the folder that was there is now %s (%v)", dst, err, old, back)
			}
		}
		return fileError("save", dst, err)
	}
	if err := syncPath(filepath.Dir(dst)); err != nil {
		return fileError("sync the folder of", dst, err)
	}
	if old != "" {
		return fileError("remove", old, os.RemoveAll(old))
	}
	return nil
}

// PutBack puts right what a process left that was killed in [ReplaceDir]: a dst that had been moved aside and not yet
// replaced is put back, and one that was replaced is deleted. Nobody else may be at work on dst.
func PutBack(dst string) error {
	dir, base := filepath.Dir(filepath.Clean(dst)), filepath.Base(filepath.Clean(dst))
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fileError("look beside", dst, err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), "."+base+".old-") {
			continue
		}
		old := filepath.Join(dir, e.Name())
		act := func() error { return os.RemoveAll(old) }
		if _, err := os.Lstat(dst); os.IsNotExist(err) {
			act = func() error { return os.Rename(old, dst) }
		}
		if err := act(); err != nil {
			return fileError("put right", old, err)
		}
	}
	return nil
}

// moveAside renames path to a hidden sibling and gives its name, "" when there is no path.
func moveAside(path string) (string, error) {
	if _, err := os.Lstat(path); err != nil {
		if os.IsNotExist(err) {
			return "", nil
		}
		return "", err
	}
	return temporary(path, "old", func(name string) error {
		if _, err := os.Lstat(name); err == nil {
			return fs.ErrExist
		}
		return os.Rename(path, name)
	})
}

// temporary finds a free name .BASE.kind-NUMBER beside path: make creates it, or fails with fs.ErrExist.
func temporary(path, kind string, make func(name string) error) (string, error) {
	dir, base := filepath.Split(path)
	for try := 0; ; try++ {
		name := filepath.Join(dir, "."+base+"."+kind+"-"+strconv.FormatUint(uint64(rand.Uint32()), 36))
		err := make(name)
		if err == nil || !os.IsExist(err) || try == 100 {
			return name, err
		}
	}
}

// syncTree syncs every regular file below dir, then every folder, dir among them.
func syncTree(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() || d.Type().IsRegular() {
			return syncPath(path)
		}
		return nil
	})
}

// syncPath flushes a file or folder to disk.
func syncPath(path string) error {
	if runtime.GOOS == "windows" {
		return nil // folders cannot be synced there, nor files opened for reading
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// HashFile is the sha256 of a file's content, in hexadecimal.
func HashFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fileError("read", path, err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fileError("read", path, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
