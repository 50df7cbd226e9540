//go:build !linux

package machine

import "runtime"

// AvailableMemory is not known on this system.
func AvailableMemory() (int64, bool) { return 0, false }

// ResidentMemory returns about how many bytes of this process are in memory now.
func ResidentMemory() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.Sys - m.HeapReleased)
}

// highWater is what getrusage says on this system.
func highWater() (int64, bool) { return 0, false }
