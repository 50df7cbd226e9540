package kernel

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// userError is a mistake of the person at the keyboard, not of the program.
type userError struct{ error }

func (userError) UserError() bool { return true }
func (e userError) Unwrap() error { return e.error }

func mistake(format string, args ...any) error { return userError{fmt.Errorf(format, args...)} }

// isa is an instruction set that the kernels have a path for. All paths give the same bits in float32.
type isa uint8

const (
	generic isa = iota // Go alone, the specification
	avx2               // amd64 with AVX2 and FMA
	avx512             // amd64 with AVX-512 F, BW, DQ and VL
	neon               // arm64
)

func (i isa) String() string { return [...]string{"generic", "avx2", "avx512", "neon"}[i] }

// path is the instruction set in use. It is set once, before main; tests switch it.
var path = choosePath(os.Getenv("INSTRUCT_CPU"))

// paths lists what this binary can run on this CPU, the best last.
func paths() []isa { return append([]isa{generic}, vectorPaths()...) }

func choosePath(want string) isa {
	if asksForDots(want) {
		want = avx512.String()
	}
	can := paths()
	for _, p := range can {
		if p.String() == want {
			return p
		}
	}
	return can[len(can)-1]
}

// Path is the instruction set in use: "generic", "avx2" and so on.
func Path() string { return path.String() }

// CheckCPU reports an INSTRUCT_CPU that is unknown or that this machine or binary cannot run; the kernels then fall
// back to what Path says.
func CheckCPU() error { return checkCPU(os.Getenv("INSTRUCT_CPU")) }

func checkCPU(want string) error {
	var names []string
	for _, p := range paths() {
		names = append(names, p.String())
	}
	if want == "" || asksForDots(want) || slices.Contains(names, want) {
		return nil
	}
	return mistake("kernel: INSTRUCT_CPU=%q is unknown, or not in this CPU or binary; want %s; using %s",
		want, strings.Join(names, " or "), Path())
}
