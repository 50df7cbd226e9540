package tokenizer

import "fmt"

// userError marks a mistake in what the user gave (a file, an id, an option), so that the command line can answer with
// its message alone.
type userError struct{ error }

// UserError reports that the error is the user's to mend.
func (userError) UserError() bool { return true }

// Unwrap gives the cause.
func (e userError) Unwrap() error { return e.error }

func mistake(format string, args ...any) error { return userError{fmt.Errorf(format, args...)} }
