package kernel

import (
	"sync/atomic"

	"instruct/model/kernel/float16"
)

// roundBF16Generic does dst = src rounded to bfloat16, nearest even; a NaN stays a quiet NaN.
func roundBF16Generic(dst []uint16, src []float32) {
	for i := range dst {
		dst[i] = float16.ToBF16(src[i])
	}
}

// expandBF16Generic does dst = src as float32, which is exact.
func expandBF16Generic(dst []float32, src []uint16) {
	src = src[:len(dst)]
	for i, u := range src {
		dst[i] = float16.FromBF16(u)
	}
}

type roundTask struct {
	dst []uint16
	src []float32
}

// RoundBF16: dst = src rounded to bfloat16.
func (p *Pool) RoundBF16(dst []uint16, src []float32) {
	need(len(dst), src)
	p.lowp.round = roundTask{dst, src}
	p.elements(len(dst), &p.lowp.round)
}

func (t *roundTask) rows(_, lo, hi int) { roundBF16(t.dst[lo:hi], t.src[lo:hi]) }

// lowpTasks keeps arguments and scratch of the products with weights in fewer bits.
type lowpTasks struct {
	round    roundTask
	values   valuesTask
	rounding roundingTask
	pairs    pairTask
	operand  []float32 // of a product of bfloat16: A as pairs or, without assembly, B
	expand   expandTask
	strips   [][]float32 // by worker
	panels   panelTask
	quantize quantizeTask
	weights  packTask
	bad      atomic.Bool // a value that a format cannot hold
	rows     []byte      // activations, quantised
}
