// Package experiment is what a researcher does with several runs: make those of a grid one after the other ([Sweep]),
// hold groups of them against each other ([Compare]), and find where two of them part ([Diff]). A run is its folder;
// nothing else is kept of it.
package experiment

import "fmt"

// userError is a mistake of the user.
type userError struct{ error }

func (userError) UserError() bool { return true }
func (e userError) Unwrap() error { return e.error }

func mistake(format string, args ...any) error { return userError{fmt.Errorf(format, args...)} }
