//go:build !unix

package kernel

import "time"

var began = time.Now()

// cpuTime is the clock where there is nothing better.
func cpuTime() int64 { return int64(time.Since(began)) }
