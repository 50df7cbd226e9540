//go:build !unix

package machine

import "time"

// PeakRSS is not known here.
func PeakRSS() int64 { return 0 }

// CPUTime is not known here.
func CPUTime() time.Duration { return 0 }
