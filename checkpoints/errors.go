package checkpoints

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"unicode/utf8"
)

// userError marks what the user can mend: a damaged or missing file, a full disk.
type userError struct{ error }

// UserError says that the mistake is the user's.
func (userError) UserError() bool { return true }

// Unwrap gives the error itself.
func (e userError) Unwrap() error { return e.error }

// mistake is an error that the user can mend.
func mistake(format string, args ...any) error {
	return userError{fmt.Errorf("checkpoints: "+format, args...)}
}

// badFile is the error of a file whose content is wrong.
func badFile(path, format string, args ...any) error {
	return mistake("read %s: %s", path, printable(fmt.Sprintf(format, args...)))
}

// printable makes text that may quote a damaged file fit for a terminal: no control
// characters, and not longer than 600 bytes.
func printable(s string) string {
	const limit = 600
	if len(s) > limit {
		s = s[:limit] + " ..."
	}
	return strings.Map(func(r rune) rune {
		if !strconv.IsPrint(r) {
			return utf8.RuneError
		}
		return r
	}, s)
}

// userErrno are the failures of the operating system that the user can mend.
var userErrno = []error{
	fs.ErrNotExist, fs.ErrPermission,
	syscall.ENOSPC, syscall.EDQUOT, syscall.EROFS, syscall.ENOTDIR, syscall.EISDIR, syscall.ENAMETOOLONG, syscall.EFBIG,
}

// fileError says what was being done to which path, without saying the path twice.
func fileError(doing, path string, err error) error {
	if err == nil {
		return nil
	}
	cause := err
	switch e := err.(type) {
	case *fs.PathError:
		cause = e.Err
	case *os.LinkError:
		cause = e.Err
	}
	hint := ""
	var hinted userError // an error of this package gave the hint already
	if !errors.As(err, &hinted) && (errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)) {
		hint = " (make room or choose another folder; what was saved before is untouched)"
	}
	told := mistake("%s %s: %w%s", doing, path, cause, hint)
	if slices.ContainsFunc(userErrno, func(target error) bool { return errors.Is(err, target) }) {
		return told
	}
	return errors.Unwrap(told)
}

// openFile opens a regular file for reading and gives its size in bytes.
func openFile(path string) (*os.File, int64, error) {
	info, err := os.Stat(path) // before Open: opening a pipe would block
	if err != nil {
		return nil, 0, fileError("read", path, err)
	}
	if info.IsDir() {
		return nil, 0, badFile(path, "it is a folder, expected a file")
	}
	if !info.Mode().IsRegular() {
		return nil, 0, badFile(path, "it is not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, fileError("read", path, err)
	}
	return f, info.Size(), nil
}

// Reason is the reason of a file's error without its path, which a message has already.
func Reason(err error) string {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err.Error()
	}
	return err.Error()
}
