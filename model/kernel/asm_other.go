//go:build !amd64 || purego

package kernel

// There is no assembly here: the generic path is the only one, and what it never calls is empty.

const haveAVX2 = false

func pause() {}

func (p *Pool) gemmAVX2()               {}
func (t *gemmTask) runAVX2(w, i int)    {}
func (g *product) serialAVX2([]float32) {}
func (p *Pool) packing(w int) []float32 { return nil }
