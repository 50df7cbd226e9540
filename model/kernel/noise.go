package kernel

import "instruct/model/kernel/rng"

// Noise says which numbers are added to the rows of an example: those of Seed, the two numbers, row and column alone.
type Noise struct {
	Size float32 // they are uniform in [-Size, Size)
	Seed uint64
	A, B uint64 // when, and to which example, below 1<<40
}

type noiseTask struct {
	Noise
	x []float32
	c int
}

// AddNoise adds noise to the n rows, below 1<<24, of an example of width c.
func (p *Pool) AddNoise(x []float32, n, c int, s Noise) {
	need(n*c, x)
	p.ops.noise = noiseTask{s, x, c}
	p.rows(n, 8*c, &p.ops.noise)
}

func (t *noiseTask) rows(_, lo, hi int) {
	for i := lo; i < hi; i++ {
		r := rng.NewRand(t.Seed, "noise", t.A, t.B<<24|uint64(i))
		row := t.x[i*t.c:][:t.c]
		for j, v := range row {
			u := float32(int32(r.Uint32())>>8) / (1 << 23) // exact
			row[j] = v + float32(u*t.Size)
		}
	}
}
