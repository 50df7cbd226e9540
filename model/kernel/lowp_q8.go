package kernel

import (
	"encoding/binary"
	"fmt"
	"math"
	"sync/atomic"
	"unsafe"

	"instruct/model/kernel/float16"
)

// q8 is a matrix (out, in) in blocks of 32 inputs with one scale: value = scale·code. It is stored as the product
// reads it, in panels of 16 outputs:
//
//	codes:  panel, block, 8 groups of 4 inputs, 16 outputs, 4 inputs; a byte is the code + 128
//	scales: panel, block, 16 outputs; a float16 each
//
// What is missing in the last panel and the last block is code 0. The rows enter the product as whole numbers too, of
// 15 bits with a float32 scale a block (quantizeRowGeneric): as exact as float32 next to the 8 bits of the weights,
// where 8 bits for both, as llama.cpp has them, move logits of SmolLM2-135M by half a unit. The sum over a block is
// exact in any order: element = Σ over blocks ascending of fma(float32(Σ code·code), scale·scale, sum), and every
// path has the same bits.
type q8 struct {
	out, in int
	codes   []byte
	scales  []uint16
}

const (
	q8Block   = 32            // inputs of a block
	q8Panel   = 16            // outputs of a panel
	q8RawSize = 2 + q8Block   // bytes of a block in a GGUF file: scale, codes
	q8RowSize = 2*q8Block + 8 // bytes of a block of a row: int16 codes, float32 scale, int32 -128·Σ codes
	q8RowMax  = 127 * 128     // the largest code of a row: one that falls into two int8, high·128 + low
	q8Codes   = q8Block * q8Panel
)

// q8Floats is the memory of a matrix (out, in), in float32 values: its codes, then its scales.
func q8Floats(out, in int) int {
	return (out + q8Panel - 1) / q8Panel * ((in + q8Block - 1) / q8Block) * (q8Codes/4 + q8Panel/2)
}

func newQ8(out, in int, mem []float32) q8 {
	blocks := (out + q8Panel - 1) / q8Panel * ((in + q8Block - 1) / q8Block)
	if blocks == 0 {
		return q8{out: out, in: in}
	}
	q := q8{out: out, in: in, codes: unsafe.Slice((*byte)(unsafe.Pointer(&mem[0])), blocks*q8Codes),
		scales: unsafe.Slice((*uint16)(unsafe.Pointer(&mem[blocks*q8Codes/4])), blocks*q8Panel)}
	for i := range q.codes {
		q.codes[i] = 128
	}
	return q
}

func (q *q8) blocks() int { return (q.in + q8Block - 1) / q8Block }

// at gives the place of a block of an output: of its first code and of its scale.
func (q *q8) at(out, block int) (code, scale int) {
	i := out/q8Panel*q.blocks() + block
	return i*q8Codes + out%q8Panel*4, i*q8Panel + out%q8Panel
}

// setBlock stores a block of an output.
func (q *q8) setBlock(out, block int, scale uint16, codes *[q8Block]int8) {
	c, s := q.at(out, block)
	q.scales[s] = scale
	for g := range q8Block / 4 {
		dst := q.codes[c+g*4*q8Panel:][:4]
		for t := range dst {
			dst[t] = byte(codes[g*4+t]) ^ 128
		}
	}
}

// expand writes the values of outputs [out, out+outs) and inputs [in, in+ins) to dst (outs, ins). in is the first of a
// block.
func (q *q8) expand(dst []float32, out, outs, in, ins int) {
	for b := 0; b < ins; b += q8Block {
		n := min(q8Block, ins-b)
		for o := 0; o < outs; {
			code, scale := q.at(out+o, (in+b)/q8Block)
			rows := min(q8Panel-(out+o)%q8Panel, outs-o)
			expandQ8(dst[o*ins+b:], ins, rows, n, q.codes[code:], q.scales[scale:])
			o += rows
		}
	}
}

// expandQ8Generic is the specification: the first n values of a block of rows outputs of a panel, each scale·code,
// which is exact. The rows of dst lie ld apart.
func expandQ8Generic(dst []float32, ld, rows, n int, codes []byte, scales []uint16) {
	for r := range rows {
		scale := float16.FromHalf(scales[r])
		row, q := dst[r*ld:][:n], codes[4*r:]
		for i := range row {
			row[i] = scale * float32(int8(q[i/4*4*q8Panel+i%4]^128))
		}
	}
}

// quantize is Set for Q8_0: each block as ggml's quantize_row_q8_0_ref makes it, scale = max|x|/127, code = x/scale
// rounded half away from zero.
func (w *Weights) quantize(p *Pool, row int, values []float32) error {
	t := packTask{q: &w.q8, first: row, src: values, outStep: w.Cols, inStep: 1, bad: &p.lowp.bad}
	outs := len(values) / w.Cols
	if w.Form == NN {
		if row != 0 || outs != w.Rows {
			panic("kernel: q8_0 weights of form NN are set as a whole")
		}
		t.outStep, t.inStep, outs = 1, w.Cols, w.Cols
	}
	p.lowp.weights = t
	p.rows(outs, w.q8.in, &p.lowp.weights)
	if p.lowp.bad.Swap(false) {
		return fmt.Errorf("a value is no number or too large for %s", Q8_0)
	}
	return nil
}

// SetBlocks stores rows [row, ...) from the bytes of Q8_0 blocks of a GGUF file (ggml's block_q8_0: a float16 scale, 32
// codes).
func (w *Weights) SetBlocks(p *Pool, row int, raw []byte) {
	if w.DType != Q8_0 || w.Form != NT || w.Cols%q8Block != 0 {
		panic("kernel: SetBlocks wants q8_0 weights of form NT with whole blocks")
	}
	p.lowp.weights = packTask{q: &w.q8, first: row, raw: raw}
	p.rows(len(raw)/(w.q8.blocks()*q8RawSize), w.q8.in, &p.lowp.weights)
}

// Blocks reports whether SetBlocks can fill the weights.
func (w *Weights) Blocks() bool { return w.DType == Q8_0 && w.Form == NT && w.Cols%q8Block == 0 }

// packTask stores outputs from first on, from values or from blocks of a file.
type packTask struct {
	q               *q8
	first           int
	src             []float32
	outStep, inStep int
	raw             []byte
	bad             *atomic.Bool
}

func (t *packTask) rows(_, lo, hi int) {
	var codes [q8Block]int8
	for o := lo; o < hi; o++ {
		for b := range t.q.blocks() {
			var scale uint16
			if t.raw != nil {
				raw := t.raw[(o*t.q.blocks()+b)*q8RawSize:][:q8RawSize]
				scale = binary.LittleEndian.Uint16(raw)
				for i := range codes {
					codes[i] = int8(raw[2+i])
				}
			} else {
				scale = t.block(o, b, &codes)
			}
			t.q.setBlock(t.first+o, b, scale, &codes)
		}
	}
}

// block quantises one block of weights.
func (t *packTask) block(o, b int, codes *[q8Block]int8) uint16 {
	*codes = [q8Block]int8{}
	n := min(q8Block, t.q.in-b*q8Block)
	at := func(i int) float32 { return t.src[o*t.outStep+(b*q8Block+i)*t.inStep] }
	var most float32
	for i := range n {
		x := at(i)
		if x != x {
			t.bad.Store(true)
		}
		most = max(most, float32(math.Abs(float64(x))))
	}
	d := most / 127
	if d > 65504 {
		t.bad.Store(true)
	}
	if t.bad.Load() || d == 0 {
		return 0
	}
	id := 1 / d
	for i := range n {
		codes[i] = int8(max(-127, min(127, math.Round(float64(at(i)*id)))))
	}
	return float16.ToHalf(d)
}

// quantizeRowGeneric is the specification of how rows enter the product: per block scale = max|x|/16256 and code =
// x·(16256/max|x|) rounded to nearest even, then -128·Σ codes, which undoes the 128 in the weights' codes. A block
// without anything above 2^-100 is zero; one that holds an infinity or a NaN has the scale NaN. len(x) is a multiple of
// 32. Where split is set a block's codes are stored as 32 high halves, then 32 low ones: code = 128·high + low, low
// from -64 to 63.
func quantizeRowGeneric(dst []byte, x []float32, split bool) {
	for b := range len(x) / q8Block {
		in, out := x[b*q8Block:][:q8Block], dst[b*q8RowSize:][:q8RowSize]
		var most uint32
		for _, v := range in {
			most = max(most, math.Float32bits(v)&0x7fffffff)
		}
		clear(out)
		top := math.Float32frombits(most)
		switch {
		case most >= 0x7f800000:
			binary.LittleEndian.PutUint32(out[2*q8Block:], 0x7fc00000)
		case top >= 0x1p-100:
			id, sum := q8RowMax/top, int32(0)
			for i, v := range in {
				c := int32(math.RoundToEven(float64(v * id)))
				if split {
					high := (c + 64) >> 7
					out[i], out[q8Block+i] = byte(high), byte(c-128*high)
				} else {
					binary.LittleEndian.PutUint16(out[2*i:], uint16(c))
				}
				sum += c
			}
			binary.LittleEndian.PutUint32(out[2*q8Block:], math.Float32bits(top/q8RowMax))
			binary.LittleEndian.PutUint32(out[2*q8Block+4:], uint32(-128*sum))
		}
	}
}

// q8PanelGeneric is the specification of the product: m rows at x, stride bytes apart, with panel i of q give 16
// columns of C.
func q8PanelGeneric(m int, x []byte, stride int, q *q8, panel int, c []float32, ldc int, accumulate bool) {
	blocks := q.blocks()
	for r := range m {
		y := c[r*ldc:][:q8Panel]
		for j := range y {
			var s float32
			if accumulate {
				s = y[j]
			}
			for b := range blocks {
				code, scale := q.at(panel*q8Panel+j, b)
				in := x[r*stride+b*q8RowSize:][:q8RowSize]
				sum := int32(binary.LittleEndian.Uint32(in[2*q8Block+4:]))
				for i := range q8Block {
					sum += int32(int16(binary.LittleEndian.Uint16(in[2*i:]))) * int32(q.codes[code+i/4*4*q8Panel+i%4])
				}
				d := math.Float32frombits(binary.LittleEndian.Uint32(in[2*q8Block:]))
				s = fma32(float32(sum), float16.FromHalf(q.scales[scale])*d, s)
			}
			y[j] = s
		}
	}
}

// q8PanelsGeneric does panels [lo, hi); c is the first of their columns.
func q8PanelsGeneric(m int, x []byte, stride int, q *q8, lo, hi int, c []float32, ldc int, accumulate bool) {
	for i := lo; i < hi; i++ {
		q8PanelGeneric(m, x, stride, q, i, c[(i-lo)*q8Panel:], ldc, accumulate)
	}
}

// gemmQ8 is the product with Q8_0 weights: the rows are quantised first, then each job takes some panels and all rows.
func (p *Pool) gemmQ8(m int, a []float32, lda int, q *q8, c []float32, ldc int, accumulate bool) {
	checkMatrix(a, m, q.in, lda)
	checkMatrix(c, m, q.out, ldc)
	if m == 0 || q.out == 0 {
		return
	}
	stride := q.blocks() * q8RowSize
	if len(p.lowp.rows) < m*stride {
		p.lowp.rows = make([]byte, m*stride)
	}
	p.lowp.quantize = quantizeTask{p.lowp.rows, a, lda, q.in, stride}
	p.rows(m, q.in, &p.lowp.quantize)
	panels := (q.out + q8Panel - 1) / q8Panel
	each := max(1, panels/(4*len(p.workers)), (1<<14)/(m*q.blocks()*q8Codes))
	p.lowp.q8 = q8Task{p.lowp.rows, stride, m, q, c, ldc, accumulate, panels, each}
	if len(p.workers) == 1 || each >= panels {
		p.lowp.q8.each = panels
		p.lowp.q8.Run(0, 0)
		return
	}
	p.Do((panels+each-1)/each, &p.lowp.q8)
}

type quantizeTask struct {
	dst             []byte
	x               []float32
	lda, in, stride int
}

func (t *quantizeTask) rows(_, lo, hi int) {
	whole := t.in &^ (q8Block - 1)
	for i := lo; i < hi; i++ {
		x, dst := t.x[i*t.lda:][:t.in], t.dst[i*t.stride:][:t.stride]
		quantizeRow(dst, x[:whole])
		if whole < t.in {
			var last [q8Block]float32
			copy(last[:], x[whole:])
			quantizeRow(dst[whole/q8Block*q8RowSize:], last[:])
		}
	}
}

type q8Task struct {
	x            []byte
	stride, m    int
	q            *q8
	c            []float32
	ldc          int
	accumulate   bool
	panels, each int
}

func (t *q8Task) Run(_, i int) {
	lo, hi := i*t.each, min(t.panels, (i+1)*t.each)
	whole := min(hi, t.q.out/q8Panel)
	if lo < whole {
		q8Panels(t.m, t.x, t.stride, t.q, lo, whole, t.c[lo*q8Panel:], t.ldc, t.accumulate)
	}
	if whole < hi { // the last panel has fewer than 16 columns
		var y [q8Panel]float32
		n := t.q.out - whole*q8Panel
		for r := range t.m {
			c := t.c[r*t.ldc+whole*q8Panel:][:n]
			if t.accumulate {
				copy(y[:], c)
			}
			q8Panels(1, t.x[r*t.stride:], t.stride, t.q, whole, hi, y[:], q8Panel, t.accumulate)
			copy(c, y[:])
		}
	}
}
