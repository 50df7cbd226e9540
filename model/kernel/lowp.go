package kernel

import (
	"strings"
	"unsafe"
)

// DType is the number format in which the weights of matrix products are kept. All else, arithmetic included, is
// float32, but for the integer sums of the formats in blocks.
type DType uint8

const (
	F32  DType = iota
	BF16       // the upper half of a float32, rounded to nearest even
	Q8_0       // blocks of 32 int8 with a float16 scale, as in GGUF files
	Q4_0       // the same of 4 bits
	Q4_1       // the same with a float16 minimum; only taken from a file that has it
)

// DTypes lists the names of the formats that can be asked for.
func DTypes() []string { return []string{"fp32", "bf16", "q8_0", "q4_0"} }

func (d DType) String() string { return append(DTypes(), "q4_1")[d] }

// ParseDType finds a format by its name.
func ParseDType(name string) (DType, error) {
	for i, s := range DTypes() {
		if s == name {
			return DType(i), nil
		}
	}
	return F32, mistake("dtype is %q; known: %s", name, strings.Join(DTypes(), ", "))
}

// Weights is a matrix W (Rows, Cols) that stands on the right of matrix products. Form says in which product its
// forward pass has it: NT for y = x·Wᵀ, NN for y = x·W. F32 and BF16 serve both forms (the other one is the input
// gradient), formats in blocks only their own.
type Weights struct {
	DType      DType
	Form       Form
	Rows, Cols int

	f32  []float32 // (Rows, Cols)
	bf16 []uint16  // (Rows, Cols)
	q    quantized
}

// Float32Weights makes weights of values (rows, cols), which they share.
func Float32Weights(f Form, rows, cols int, values []float32) Weights {
	need(rows*cols, values)
	return Weights{Form: f, Rows: rows, Cols: cols, f32: values}
}

// WeightFloats is the memory of weights, in float32 values.
func WeightFloats(d DType, f Form, rows, cols int) int {
	switch {
	case d == F32:
		return rows * cols
	case d == BF16:
		return (rows*cols + 1) / 2
	case f == NN:
		rows, cols = cols, rows
	}
	return quantizedFloats(d, rows, cols)
}

// NewWeights makes room for weights; [Weights.Set] fills them. take gives memory of zeros, see [Memory.Take].
func NewWeights(d DType, f Form, rows, cols int, take func(n int) []float32) Weights {
	w := Weights{DType: d, Form: f, Rows: rows, Cols: cols}
	mem := take(WeightFloats(d, f, rows, cols))
	switch d {
	case F32:
		w.f32 = mem
	case BF16:
		w.bf16 = unsafe.Slice((*uint16)(unsafe.Pointer(unsafe.SliceData(mem))), rows*cols)
	default:
		if f == NN {
			rows, cols = cols, rows
		}
		w.q = newQuantized(d, rows, cols, mem)
	}
	return w
}

// Bytes is the memory that the weights take.
func (w *Weights) Bytes() int {
	return 4*len(w.f32) + 2*len(w.bf16) + len(w.q.codes) + 2*len(w.q.scales)
}

// Set converts values (n, Cols) into rows [row, row+n). Weights in blocks of form NN, whose blocks run down the
// rows, are set as a whole. A value too large for the format is an error.
func (w *Weights) Set(p *Pool, row int, values []float32) error {
	if len(values) == 0 {
		return nil
	}
	switch w.DType {
	case F32:
		copy(w.f32[row*w.Cols:], values)
	case BF16:
		p.RoundBF16(w.bf16[row*w.Cols:][:len(values)], values)
	default:
		return w.quantize(p, row, values)
	}
	return nil
}

// GemmWeights computes C = A·Wᵀ (f = NT) or C = A·W (f = NN), or adds it to C when accumulate, for m rows of A; see
// [Pool.Gemm]. With BF16 the bits are those of the product with the weights as float32; with formats in blocks, which
// serve their own form only, see [Weights.Set] and the comment of quantized. A row's result never depends on the other
// rows.
func (p *Pool) GemmWeights(f Form, m int, a []float32, lda int, w *Weights, c []float32, ldc int, accumulate bool) {
	if !w.DType.InBlocks() {
		p.GemmDequantized(f, m, a, lda, w, c, ldc, accumulate)
		return
	}
	if f != w.Form {
		panic("kernel: weights in blocks serve the form they were made for")
	}
	p.gemmQuantized(m, a, lda, &w.q, c, ldc, accumulate)
}

// GatherWeights: out[i] = w[ids[i]] as float32 for n rows. Weights in blocks must be of form NT.
func (p *Pool) GatherWeights(out []float32, w *Weights, ids []int32, n int) {
	switch w.DType {
	case F32:
		p.Gather(out, w.f32, ids, n, w.Cols)
	case BF16:
		need(n*w.Cols, out)
		for i, id := range ids[:n] {
			expandBF16(out[i*w.Cols:][:w.Cols], w.bf16[int(id)*w.Cols:])
		}
	default:
		need(n*w.Cols, out)
		for i, id := range ids[:n] {
			w.q.expand(out[i*w.Cols:][:w.Cols], int(id), 1, 0, w.Cols)
		}
	}
}
