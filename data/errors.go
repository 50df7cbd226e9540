package data

import "fmt"

// userError marks an error that the user can mend: a bad file, a bad row, a bad setting.
type userError struct{ error }

// UserError reports that the mistake lies in the user's input.
func (userError) UserError() bool { return true }

// Unwrap gives the wrapped error.
func (e userError) Unwrap() error { return e.error }

// mistake is fmt.Errorf for user mistakes.
func mistake(format string, args ...any) error { return userError{fmt.Errorf(format, args...)} }
