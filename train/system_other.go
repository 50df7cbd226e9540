//go:build !linux

package train

import "runtime"

// availableMemory is not known on this system.
func availableMemory() (int64, bool) { return 0, false }

// residentMemory returns about how many bytes of this process are in memory now.
func residentMemory() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.Sys - m.HeapReleased)
}
