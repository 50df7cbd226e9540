package ops

import (
	"math"

	"instruct/model/kernel"
)

// Noise is what a step adds to the embeddings of its rows: NEFTune (Jain et al. 2023, arXiv:2310.05914). Each of
// the T·C numbers of a row gets one that is uniform between ∓Alpha/√(T·C), T the row's own positions, as in its
// authors' code.
// It belongs to seed, step, row, position and column, whatever else is in the micro-batch.
type Noise struct {
	Alpha float64 // 0: none
	Seed  uint64
	Step  uint64
	Rows  []int // number of the row of each segment
}

// addNoise adds the batch's noise to what the first layer gets (N, C). The gradient is that without it.
func (e *Env) addNoise(x []float32, c int) {
	b := &e.Batch
	if !e.Drops || b.Noise.Alpha == 0 {
		return
	}
	for k, s := range b.Segments {
		n := s.End - s.Start
		size := b.Noise.Alpha / math.Sqrt(float64(n*c))
		e.Pool.AddNoise(x[s.Start*c:], n, c, kernel.Noise{Size: float32(size), Seed: b.Noise.Seed, A: b.Noise.Step,
			B: uint64(b.Noise.Rows[k])})
	}
}
