// Package attribute says why a model of a run answers as it does: which training rows taught an answer. docs/explain.md
// has the definitions.
package attribute

import "fmt"

type userError struct{ error }

func (userError) UserError() bool { return true }
func (e userError) Unwrap() error { return e.error }

func mistake(format string, args ...any) error { return userError{fmt.Errorf(format, args...)} }
