//go:build (!amd64 && !arm64) || purego

package kernel

// There is no assembly here: the generic path is the only one, and what it never calls is empty.

const (
	packsBF16 = false
	flushes   = false
)

func vectorPaths() []isa { return nil }

func pause() {}

func peakLoop(int)        {}
func peakOperations() int { return 0 }

func (p *Pool) gemmVector()               {}
func (t *gemmTask) runVector(w, i int)    {}
func (g *product) serialVector([]float32) {}
func (p *Pool) packing(w int) []float32   { return nil }
