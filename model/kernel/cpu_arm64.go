//go:build arm64 && !purego

package kernel

import "golang.org/x/sys/cpu"

// vectorPaths lists the vector instruction sets of this CPU that there are kernels for.
func vectorPaths() (can []isa) {
	if cpu.ARM64.HasASIMD {
		can = append(can, neon)
	}
	return can
}
