//go:build unix

package machine

import (
	"runtime"
	"syscall"
	"time"
)

// PeakRSS returns the process's largest resident memory in bytes.
func PeakRSS() int64 {
	if peak, ok := highWater(); ok {
		return peak
	}
	u := usage()
	if runtime.GOOS == "darwin" {
		return int64(u.Maxrss)
	}
	return int64(u.Maxrss) * 1024
}

// CPUTime returns the processor time of all threads so far.
func CPUTime() time.Duration {
	u := usage()
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// usage is what the system counts for this process; zero where it does not say.
func usage() (u syscall.Rusage) {
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return u
}
