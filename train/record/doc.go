// Package record keeps the ledger of a folder, of a run or of a behaviour: a line for everything that made it what it
// is, each with the hash of the line before, and the hashes of the files that it left. So a changed byte of a file or
// of the ledger is found, and the entry named; that a ledger was cut off is found by the hash of its last line, its
// head, which somebody else kept.
package record

import "fmt"

// userError is a mistake in what the user gave; the command line exits with 2.
type userError struct{ error }

func (userError) UserError() bool { return true }
func (e userError) Unwrap() error { return e.error }

func mistake(format string, args ...any) error { return userError{fmt.Errorf(format, args...)} }
