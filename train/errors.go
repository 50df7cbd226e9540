package train

import (
	"errors"
	"fmt"
	"io/fs"
)

// userError is a mistake in what the user gave; the command line exits with 2.
type userError struct{ error }

func (userError) UserError() bool { return true }
func (e userError) Unwrap() error { return e.error }

func mistake(format string, args ...any) error { return userError{fmt.Errorf(format, args...)} }

// errorText is the reason of a file error without the path, which the message has already.
func errorText(err error) string {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err.Error()
	}
	return err.Error()
}
