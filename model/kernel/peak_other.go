//go:build (!amd64 && !arm64) || purego

package kernel

// PeakFLOPS is 0 where there is no vector kernel to compare with.
func (p *Pool) PeakFLOPS() float64 { return 0 }
