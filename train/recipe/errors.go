package recipe

import "fmt"

// userError is a mistake in what the user gave; the command line exits with 2.
type userError struct{ error }

func (userError) UserError() bool { return true }
func (e userError) Unwrap() error { return e.error }

func mistake(format string, args ...any) error { return userError{fmt.Errorf(format, args...)} }
