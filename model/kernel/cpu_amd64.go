//go:build amd64 && !purego

package kernel

import "golang.org/x/sys/cpu"

// vectorPaths lists the vector instruction sets of this CPU that there are kernels for, the best last.
func vectorPaths() (can []isa) {
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA {
		can = append(can, avx2)
	}
	x := &cpu.X86
	if can != nil && x.HasAVX512F && x.HasAVX512BW && x.HasAVX512DQ && x.HasAVX512VL && x.HasBMI2 {
		can = append(can, avx512)
	}
	return can
}
