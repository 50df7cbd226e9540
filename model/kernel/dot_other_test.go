//go:build !amd64 || purego

package kernel

func dotRuns() bool { return false }

func withDots(bool) (undo func()) { return func() {} }
