// Package coach teaches a model a few corrections and holds everything else in place: a round.
//
// What a correction asks for is learned in a few steps by anything; what differs is the damage. So a step trains the
// corrections and earlier ones beside the parent's own answers to other prompts, whose distributions (the likeliest
// tokens of each step) are targets in the place of tokens: the cross-entropy with them has the gradient of KL(parent,
// child), as in distillation (Hinton et al. 2015, arXiv:1503.02531). At last the weights go back towards the parent as
// far as every correction still holds (Wortsman et al. 2022, arXiv:2109.01903).
//
// Corrections come from a person or from the good examples of a policy. A model that practises learns from its own
// sampled answers that pass a suite; those are rows that are only trained.
package coach

import "fmt"

// userError is a mistake in what the user gave; the command line exits with 2.
type userError struct{ error }

func (userError) UserError() bool { return true }
func (e userError) Unwrap() error { return e.error }

func mistake(format string, args ...any) error { return userError{fmt.Errorf(format, args...)} }
