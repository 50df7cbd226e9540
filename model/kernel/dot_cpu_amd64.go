//go:build amd64 && !purego

package kernel

import (
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/cpu"
)

// dots says whether products of bfloat16 run on VDPBF16PS. INSTRUCT_CPU decides it, and else a measurement, once: an
// AMD Zen 4 or 5 makes twice the multiply-adds of a float32 product with it, an Intel with AMX half. It moves no bit.
func dots() bool { return path == avx512 && dotChoice() }

// dotChoice is replaced by tests.
var dotChoice = sync.OnceValue(func() bool {
	want := os.Getenv("INSTRUCT_CPU")
	return asksForDots(want) || want == "" && cpu.X86.HasAVX512BF16 && dotGain() > 1.25
})

// asksForDots says whether a value of INSTRUCT_CPU asks for VDPBF16PS: avx512bf16, or avx512bf16! to take it even where
// the CPU does not list it, which virtual machines may hide. Where it is not there the program dies of an illegal
// instruction.
func asksForDots(want string) bool {
	const name = "avx512bf16"
	return want == name && cpu.X86.HasAVX512BF16 || want == name+"!" && slices.Contains(vectorPaths(), avx512)
}

// dotGain measures how many times as many multiply-adds as with float32 a core makes: the best of some bursts of a
// tenth of a millisecond each.
func dotGain() float64 {
	best := func(loop func(int)) time.Duration {
		least := time.Hour
		for range 8 {
			start := time.Now()
			loop(1 << 13)
			least = min(least, time.Since(start))
		}
		return least
	}
	return 2 * float64(best(peakAVX512)) / float64(best(peakDot))
}
