package kernel

import (
	"fmt"
	"os"
)

// userError is a mistake of the person at the keyboard, not of the program.
type userError struct{ error }

func (userError) UserError() bool { return true }
func (e userError) Unwrap() error { return e.error }

// avx2 says which path runs. It is set once, before main; tests switch it.
var avx2 = choosePath(os.Getenv("INSTRUCT_CPU"))

func choosePath(want string) bool {
	return haveAVX2 && want != "generic"
}

// Path is the instruction set in use: "avx2" or "generic".
func Path() string {
	if avx2 {
		return "avx2"
	}
	return "generic"
}

// CheckCPU reports an INSTRUCT_CPU that is unknown or that this machine or binary cannot run; the kernels then fall back to what Path says.
func CheckCPU() error { return checkCPU(os.Getenv("INSTRUCT_CPU")) }

func checkCPU(want string) error {
	switch want {
	case "", "generic":
		return nil
	case "avx2":
		if haveAVX2 {
			return nil
		}
		return userError{fmt.Errorf("kernel: INSTRUCT_CPU=avx2: no AVX2 and FMA in this CPU or binary; using %q; unset INSTRUCT_CPU", Path())}
	}
	return userError{fmt.Errorf("kernel: INSTRUCT_CPU=%q is unknown; want generic or avx2", want)}
}
