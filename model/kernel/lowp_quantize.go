package kernel

import (
	"encoding/binary"
	"fmt"
	"math"
	"sync/atomic"

	"instruct/model/kernel/float16"
)

// quantize is Set for weights in blocks: each block as ggml's quantize_row_*_ref makes it.
func (w *Weights) quantize(p *Pool, row int, values []float32) error {
	t := packTask{q: &w.q, first: row, src: values, outStep: w.Cols, inStep: 1, bad: &p.lowp.bad}
	outs := len(values) / w.Cols
	if w.Form == NN {
		if row != 0 || outs != w.Rows {
			panic("kernel: weights in blocks of form NN are set as a whole")
		}
		t.outStep, t.inStep, outs = 1, w.Cols, w.Cols
	}
	p.lowp.weights = t
	p.rows(outs, w.q.in, &p.lowp.weights)
	if p.lowp.bad.Swap(false) {
		return fmt.Errorf("a value is no number or too large for %s", w.DType)
	}
	return nil
}

// SetBlocks stores rows [row, ...) from the bytes of blocks of the weights' own format, as a GGUF file has them (ggml's
// block_q8_0 and so on: the float16 values, then the codes).
func (w *Weights) SetBlocks(p *Pool, row int, raw []byte) {
	if !w.Blocks() {
		panic("kernel: SetBlocks wants weights of form NT with whole blocks")
	}
	p.lowp.weights = packTask{q: &w.q, first: row, raw: raw}
	p.rows(len(raw)/(w.q.blocks()*w.DType.rawSize()), w.q.in, &p.lowp.weights)
}

// Blocks reports whether SetBlocks can fill the weights.
func (w *Weights) Blocks() bool { return w.DType.InBlocks() && w.Form == NT && w.Cols%q8Block == 0 }

// packTask stores outputs from first on, from values or from blocks of a file.
type packTask struct {
	q               *quantized
	first           int
	src             []float32
	outStep, inStep int
	raw             []byte
	bad             *atomic.Bool
}

func (t *packTask) rows(_, lo, hi int) {
	var made [q8Block + 2]byte
	size := t.q.kind.rawSize()
	for o := lo; o < hi; o++ {
		for b := range t.q.blocks() {
			raw := made[:]
			if t.raw != nil {
				raw = t.raw[(o*t.q.blocks()+b)*size:][:size]
			} else if !t.block(o, b, raw) {
				t.bad.Store(true)
				return
			}
			t.q.set(t.first+o, b, raw)
		}
	}
}

// block quantises one block of weights; false says that a value is no number or too large.
func (t *packTask) block(o, b int, raw []byte) bool {
	var x [q8Block]float32
	n := min(q8Block, t.q.in-b*q8Block)
	for i := range n {
		x[i] = t.src[o*t.outStep+(b*q8Block+i)*t.inStep]
		if x[i] != x[i] {
			return false
		}
	}
	switch t.q.kind {
	case Q4_0:
		return quantizeQ4_0(raw, x[:])
	case Q4_1:
		return quantizeQ4_1(raw, x[:], n)
	}
	return quantizeQ8_0(raw, x[:])
}

// putHalf writes d as float16, or says that it is too large.
func putHalf(raw []byte, d float32) bool {
	binary.LittleEndian.PutUint16(raw, float16.ToHalf(d))
	return -65504 <= d && d <= 65504
}

// inverse is 1/d, or 0 where that is no number: the scale is 0 then.
func inverse(d float32) float32 {
	if by := 1 / d; by-by == 0 {
		return by
	}
	return 0
}

// quantizeQ8_0: scale = max|x|/127, code = x/scale rounded half away from zero.
func quantizeQ8_0(raw []byte, x []float32) bool {
	var most float32
	for _, v := range x {
		most = max(most, float32(math.Abs(float64(v))))
	}
	d := most / 127
	if !putHalf(raw, d) {
		return false
	}
	by := inverse(d)
	for i, v := range x {
		raw[2+i] = byte(int8(max(-127, min(127, math.Round(float64(v*by))))))
	}
	return true
}

// quantizeQ4_0: scale = the value of the largest magnitude over -8, nibble = x/scale + 8 rounded.
func quantizeQ4_0(raw []byte, x []float32) bool {
	var most float32
	for _, v := range x {
		if math.Abs(float64(v)) > math.Abs(float64(most)) {
			most = v
		}
	}
	d := most / -8
	if !putHalf(raw, d) {
		return false
	}
	putNibbles(raw[2:], x, 0, inverse(d), 8.5)
	return true
}

// quantizeQ4_1: the minimum, scale = (maximum - minimum)/15, nibble = (x - minimum)/scale rounded; of the first n
// values.
func quantizeQ4_1(raw []byte, x []float32, n int) bool {
	low, high := x[0], x[0]
	for _, v := range x[:n] {
		low, high = min(low, v), max(high, v)
	}
	for i := range x[n:] {
		x[n+i] = low
	}
	d := (high - low) / 15
	if !putHalf(raw, d) || !putHalf(raw[2:], low) {
		return false
	}
	putNibbles(raw[4:], x, low, inverse(d), 0.5)
	return true
}

// putNibbles writes 32 nibbles (x-low)·by + half, the first 16 of them as low ones.
func putNibbles(raw []byte, x []float32, low, by, half float32) {
	nibble := func(v float32) byte { return byte(min(15, int8(float32((v-low)*by)+half))) }
	for i := range 16 {
		raw[i] = nibble(x[i]) | nibble(x[16+i])<<4
	}
}
