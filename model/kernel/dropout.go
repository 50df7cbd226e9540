package kernel

import (
	"math"

	"instruct/model/kernel/rng"
)

// Drop says which values dropout drops: each with probability Rate, by a draw that belongs to Seed, the two numbers,
// its row and its column alone, so that the backward pass finds the same ones. Srivastava et al. 2014.
type Drop struct {
	Rate float64 // in steps of 1/65536
	Seed uint64
	A, B uint64 // what is dropped from, below 1<<16, and when, below 1<<48
}

type dropTask struct {
	Drop
	dst, src []float32
	c        int
	limit    uint32
	scale    float32
	add      bool
}

// Dropout: dst = src/(1-Rate) where a value is kept and 0 where it is dropped, or that added to dst where add is set,
// for n rows of width c. dst may be src.
func (p *Pool) Dropout(dst, src []float32, n, c int, d Drop, add bool) {
	need(n*c, dst, src)
	p.ops.drop = dropTask{d, dst, src, c, uint32(math.Round(float64(d.Rate * 65536))), float32(1 / (1 - d.Rate)), add}
	p.rows(n, 8*c, &p.ops.drop)
}

func (t *dropTask) rows(_, lo, hi int) {
	for i := lo; i < hi; i++ {
		r := rng.NewRand(t.Seed, "dropout", t.A<<48^t.B, uint64(i))
		dst, src := t.dst[i*t.c:][:t.c], t.src[i*t.c:][:t.c]
		var bits uint32
		for j, x := range src {
			if j%2 == 0 {
				bits = r.Uint32()
			}
			var y float32
			if bits&0xffff >= t.limit {
				y = float32(x * t.scale)
			}
			bits >>= 16
			if t.add {
				y += dst[j]
			}
			dst[j] = y
		}
	}
}
