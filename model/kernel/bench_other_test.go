//go:build !amd64 || purego

package kernel

func peakGFLOPS(p *Pool) float64 { return 0 }
