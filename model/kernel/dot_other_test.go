//go:build !amd64 || purego

package kernel

import "testing"

func dotRuns(*testing.T) bool { return false }

func withDots(bool) (undo func()) { return func() {} }
