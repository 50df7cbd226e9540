//go:build amd64 && !purego

package kernel

import (
	"math"
	"os"
	"os/exec"
	"slices"
	"sync"
	"testing"

	"golang.org/x/sys/cpu"

	"instruct/model/kernel/float16"
	"instruct/model/kernel/rng"
)

const probe = "INSTRUCT_TEST_DOT"

// The process of its own in which dotCanRun tries VDPBF16PS dies here where there is none.
func init() {
	if os.Getenv(probe) != "" {
		peakDot(1)
		os.Exit(0)
	}
}

// dotCanRun says whether the CPU runs VDPBF16PS, listed or not: virtual machines may hide it.
var dotCanRun = sync.OnceValue(func() bool {
	if !slices.Contains(paths(), avx512) {
		return false
	}
	if cpu.X86.HasAVX512BF16 {
		return true
	}
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), probe+"=1")
	return c.Run() == nil
})

func dotRuns() bool { return dotCanRun() }

// withDots decides whether products run on VDPBF16PS until what it returns is called.
func withDots(on bool) (undo func()) {
	old := dotChoice
	dotChoice = func() bool { return on }
	return func() { dotChoice = old }
}

// TestDotIsTwoSteps: VDPBF16PS does what its pairs are defined by: the odd halves first, each step rounded once, to
// nearest even, with subnormal numbers as 0; a NaN of the sum before that of a product, that of a before that of b.
func TestDotIsTwoSteps(t *testing.T) {
	if !dotCanRun() {
		t.Skip("this CPU does not run VDPBF16PS")
	}
	r := rng.NewRand(4, "dot", 0, 0)
	random := func(low, spread int) uint16 {
		return uint16(r.Uint32()&0x807f | uint32(low+r.Intn(spread))<<7)
	}
	ranges := [][2]int{{120, 14}, {0, 256}, {0, 40}, {60, 8}, {50, 20}, {180, 76}}
	for trial := range 60000 {
		e := ranges[trial%len(ranges)]
		var a [2]uint16
		var b [16][2]uint16
		var x [16]float32
		var c, want [16]float32
		for i := range a {
			a[i] = random(e[0], e[1])
		}
		for j := range b {
			b[j] = [2]uint16{random(e[0], e[1]), random(e[0], e[1])}
			x[j] = pair(uint32(b[j][0]), uint32(b[j][1]))
			c[j] = math.Float32frombits(r.Uint32()&0x807fffff | uint32(r.Intn(256))<<23)
			if e[0] < 100 {
				c[j] = math.Float32frombits(r.Uint32()&0x807fffff | uint32(r.Intn(4))<<23)
			}
			s := flushed(c[j])
			for h := range 2 {
				s = flushedFMA(flushed(float16.FromBF16(a[h])), flushed(float16.FromBF16(b[j][h])), s)
			}
			want[j] = s
		}
		y := pair(uint32(a[0]), uint32(a[1]))
		got := c
		gemmDotAVX512(1, 16, 1, &y, 4, 4, 0, &x[0], 64, &got[0], 64, accumulateFlag, &x[0], 0)
		if i := firstDifference(got[:], want[:]); i >= 0 {
			t.Fatalf("%g + %04x·%04x + %04x·%04x = %g (%08x), want %g (%08x)", c[i], a[0], b[i][0], a[1], b[i][1], got[i],
				math.Float32bits(got[i]), want[i], math.Float32bits(want[i]))
		}
	}
}
