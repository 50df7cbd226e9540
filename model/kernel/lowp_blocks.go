package kernel

import (
	"encoding/binary"
	"math"
	"unsafe"

	"instruct/model/kernel/float16"
)

// quantized is a matrix (out, in) of Q8_0, Q4_0 or Q4_1, in blocks of 32 inputs with one scale: value = scale·code. A
// code of Q4_0 is a nibble - 8; one of Q4_1 is the nibble, and the block has a minimum too, which is added. The matrix
// is stored as the product reads it, in panels of 16 outputs:
//
//	codes of 8 bits: panel, block, 8 groups of 4 inputs, 16 outputs, 4 inputs; a byte is the code + 128
//	codes of 4 bits: panel, block, 4 groups, 16 outputs, 4 inputs; the low nibbles are inputs 0-15, the high ones 16-31
//	scales: panel, block, 16 outputs (of Q4_1: then 16 minima); a float16 each
//
// What is missing in the last panel and the last block has no meaning. The rows enter the product as whole numbers too,
// of 15 bits with a float32 scale a block (quantizeRowGeneric): as exact as float32 next to the 8 bits of the weights,
// where 8 bits for both, as llama.cpp has them, move logits of SmolLM2-135M by half a unit. The sum over a block is
// exact in any order: element = Σ over blocks ascending of fma(float32(Σ code·code), scale·scale, sum), of Q4_1
// each followed by fma(float32(Σ code of the row), minimum·scale of the row, sum), and every path has the same bits.
// So weights of Q4_0 give the bits of the Q8_0 weights with the same scales and codes.
type quantized struct {
	kind    DType
	out, in int
	codes   []byte
	scales  []uint16
}

const (
	q8Block   = 32            // inputs of a block
	q8Panel   = 16            // outputs of a panel
	q8RowSize = 2*q8Block + 8 // bytes of a block of a row: int16 codes, float32 scale, int32 -128·Σ codes
	q8RowMax  = 127 * 128     // the largest code of a row: one that falls into two int8, high·128 + low
)

// InBlocks says whether weights of the format are whole numbers in blocks with a scale.
func (d DType) InBlocks() bool { return d >= Q8_0 }

// codeBytes is the memory of the codes of a block.
func (d DType) codeBytes() int {
	if d == Q8_0 {
		return q8Block
	}
	return q8Block / 2
}

// numbers is how many float16 values a block has.
func (d DType) numbers() int {
	if d == Q4_1 {
		return 2
	}
	return 1
}

// rawSize is the memory of a block in a GGUF file: its float16 values, then its codes.
func (d DType) rawSize() int { return 2*d.numbers() + d.codeBytes() }

// panelBlocks counts the blocks of 16 outputs of a matrix.
func panelBlocks(out, in int) int {
	return (out + q8Panel - 1) / q8Panel * ((in + q8Block - 1) / q8Block)
}

// quantizedFloats is the memory of a matrix (out, in), in float32 values: its codes, then its scales.
func quantizedFloats(d DType, out, in int) int {
	return panelBlocks(out, in) * d.rawSize() * q8Panel / 4
}

func newQuantized(d DType, out, in int, mem []float32) quantized {
	n := panelBlocks(out, in) * q8Panel
	if n == 0 {
		return quantized{kind: d, out: out, in: in}
	}
	codes := n * d.codeBytes()
	return quantized{kind: d, out: out, in: in, codes: unsafe.Slice((*byte)(unsafe.Pointer(&mem[0])), codes),
		scales: unsafe.Slice((*uint16)(unsafe.Pointer(&mem[codes/4])), n*d.numbers())}
}

func (q *quantized) blocks() int { return (q.in + q8Block - 1) / q8Block }

// at gives the place of a block of an output: of its first code and of its scale, which a minimum follows 16 values
// later.
func (q *quantized) at(out, block int) (code, scale int) {
	i := (out/q8Panel*q.blocks() + block) * q8Panel
	return i*q.kind.codeBytes() + out%q8Panel*4, i*q.kind.numbers() + out%q8Panel
}

// set stores a block of an output as a GGUF file has it.
func (q *quantized) set(out, block int, raw []byte) {
	code, scale := q.at(out, block)
	for i := range q.kind.numbers() {
		q.scales[scale+i*q8Panel] = binary.LittleEndian.Uint16(raw)
		raw = raw[2:]
	}
	flip := byte(0)
	if q.kind == Q8_0 {
		flip = 128
	}
	for i, b := range raw[:q.kind.codeBytes()] {
		q.codes[code+i/4*4*q8Panel+i%4] = b ^ flip
	}
}

// expand writes the values of outputs [out, out+outs) and inputs [in, in+ins) to dst (outs, ins). in is the first of a
// block.
func (q *quantized) expand(dst []float32, out, outs, in, ins int) {
	for b := 0; b < ins; b += q8Block {
		n := min(q8Block, ins-b)
		for o := 0; o < outs; {
			code, scale := q.at(out+o, (in+b)/q8Block)
			rows := min(q8Panel-(out+o)%q8Panel, outs-o)
			expandBlocks(q.kind, dst[o*ins+b:], ins, rows, n, q.codes[code:], q.scales[scale:])
			o += rows
		}
	}
}

// expandBlocksGeneric is the specification: the first n values of a block of rows outputs of a panel, each scale·code,
// which is exact, and the minimum. The rows of dst lie ld apart.
func expandBlocksGeneric(d DType, dst []float32, ld, rows, n int, codes []byte, scales []uint16) {
	for r := range rows {
		scale := float16.FromHalf(scales[r])
		row := dst[r*ld:][:n]
		for i := range row {
			code := blockCode(d, codes[4*r:], i)
			if d == Q8_0 {
				code -= 128
			} else if d == Q4_0 {
				code -= 8
			}
			row[i] = scale * float32(code)
			if d == Q4_1 {
				row[i] = float32(scale*float32(code)) + float16.FromHalf(scales[q8Panel+r])
			}
		}
	}
}

// blockCode is input i of a block of an output whose codes begin at codes, as it is stored.
func blockCode(d DType, codes []byte, i int) int32 {
	if d == Q8_0 {
		return int32(codes[i/4*4*q8Panel+i%4])
	}
	return int32(codes[i%16/4*4*q8Panel+i%4] >> (i / 16 * 4) & 15)
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

// panelGeneric is the specification of the product: m rows at x, stride bytes apart, with panel i of q give 16 columns
// of C.
func panelGeneric(m int, x []byte, stride int, q *quantized, panel int, c []float32, ldc int, accumulate bool) {
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
				undo := int32(binary.LittleEndian.Uint32(in[2*q8Block+4:])) // -128·Σ codes of the row
				sum := int32(0)
				switch q.kind {
				case Q8_0:
					sum = undo
				case Q4_0:
					sum = undo / 16
				}
				for i := range q8Block {
					sum += int32(int16(binary.LittleEndian.Uint16(in[2*i:]))) * blockCode(q.kind, q.codes[code:], i)
				}
				d := math.Float32frombits(binary.LittleEndian.Uint32(in[2*q8Block:]))
				s = fma32(float32(sum), float16.FromHalf(q.scales[scale])*d, s)
				if q.kind == Q4_1 {
					s = fma32(float32(undo/-128), float16.FromHalf(q.scales[scale+q8Panel])*d, s)
				}
			}
			y[j] = s
		}
	}
}

// panelsGeneric does panels [lo, hi); c is the first of their columns.
func panelsGeneric(m int, x []byte, stride int, q *quantized, lo, hi int, c []float32, ldc int, accumulate bool) {
	for i := lo; i < hi; i++ {
		panelGeneric(m, x, stride, q, i, c[(i-lo)*q8Panel:], ldc, accumulate)
	}
}

// gemmQuantized is the product with weights in blocks: the rows are quantised first, then each job takes some panels
// and all rows.
func (p *Pool) gemmQuantized(m int, a []float32, lda int, q *quantized, c []float32, ldc int, accumulate bool) {
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
	each := max(1, panels/(4*len(p.workers)), (1<<14)/(m*q.blocks()*q8Block*q8Panel))
	p.lowp.panels = panelTask{p.lowp.rows, stride, m, q, c, ldc, accumulate, panels, each}
	if len(p.workers) == 1 || each >= panels {
		p.lowp.panels.each = panels
		p.lowp.panels.Run(0, 0)
		return
	}
	p.Do((panels+each-1)/each, &p.lowp.panels)
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

type panelTask struct {
	x            []byte
	stride, m    int
	q            *quantized
	c            []float32
	ldc          int
	accumulate   bool
	panels, each int
}

func (t *panelTask) Run(_, i int) {
	lo, hi := i*t.each, min(t.panels, (i+1)*t.each)
	whole := min(hi, t.q.out/q8Panel)
	if lo < whole {
		panelProducts(t.m, t.x, t.stride, t.q, lo, whole, t.c[lo*q8Panel:], t.ldc, t.accumulate)
	}
	if whole < hi { // the last panel has fewer than 16 columns
		var y [q8Panel]float32
		n := t.q.out - whole*q8Panel
		for r := range t.m {
			c := t.c[r*t.ldc+whole*q8Panel:][:n]
			if t.accumulate {
				copy(y[:], c)
			}
			panelProducts(1, t.x[r*t.stride:], t.stride, t.q, whole, hi, y[:], q8Panel, t.accumulate)
			copy(c, y[:])
		}
	}
}
