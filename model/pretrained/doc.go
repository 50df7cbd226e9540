// Package pretrained holds a language model together with what belongs to it: tokenizer, chat template and the tokens
// that end an answer. It is loaded from a Hugging Face folder, a run or checkpoint folder, or a GGUF file, or made
// from scratch; asked (see [Session]); and saved as a Hugging Face folder.
package pretrained

import (
	"fmt"
)

// userError is a mistake in what the user gave; the command line exits with 2.
type userError struct{ error }

func (userError) UserError() bool { return true }
func (e userError) Unwrap() error { return e.error }

func mistake(format string, args ...any) error { return userError{fmt.Errorf(format, args...)} }
