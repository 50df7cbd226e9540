//go:build !amd64 || purego

package kernel

type pairTask struct{}

func dots() bool { return false }

func peakDot(int) {}

func asksForDots(string) bool { return false }

func (p *Pool) pairs(g product) product { return g }
