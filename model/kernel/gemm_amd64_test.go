//go:build amd64 && !purego

package kernel

import (
	"slices"
	"testing"
)

// TestGemmOtherBlocks: the blocks that this CPU's caches do not ask for give the same bits.
func TestGemmOtherBlocks(t *testing.T) {
	if !slices.Contains(paths(), avx512) {
		t.Skip("this CPU has no AVX-512, and only there are two kinds of blocks")
	}
	was, large := path, largeL2
	defer func() { path, largeL2 = was, large }()
	path, largeL2 = avx512, !large
	testGemmBits(t)
}
