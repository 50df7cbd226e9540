//go:build !amd64 || purego

package kernel

type pairTask struct{}

func dots() bool { return false }

func asksForDots(string) bool { return false }

func (p *Pool) gemmPairs(g product, lda int) {}
