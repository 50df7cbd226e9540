package model

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"instruct/model/kernel"
	"instruct/model/kernel/rng"
	"instruct/model/ops"
)

// spec describes one parameter of the graph. It may stack several tensors of a checkpoint along its first axis (q, k
// and v; gate and up), so that one matrix product serves them all.
type spec struct {
	name  string
	shape []int
	parts []part
	decay bool        // matrices decay, norms and biases do not
	form  kernel.Form // of the forward product: NT for (out, in), NN for (in, out)
	init  initKind
	scale float64 // of the normal distribution, times Config.InitStd; 0 means 1

	adapter bool         // a matrix of an adapter, see Adapt
	stored  kernel.DType // in a GGUF file, see Stored
}

// param makes the parameter, without memory.
func (s *spec) param() *ops.Param { return &ops.Param{Name: s.name, Shape: s.shape, Decay: s.decay} }

// part is one tensor of a checkpoint: rows rows of the parameter.
type part struct {
	name  string // Hugging Face name
	gguf  string // GGUF name
	rows  int
	heads int // GGUF: rows are rotary pairs of this many heads, interleaved, to be put in half-split order; 0: as they are

	byHead  int  // GGUF: rows are all queries, keys and values of so many heads, to be put head by head; 0: as they are
	turned  bool // GGUF: the matrix is transposed
	plusOne bool // GGUF: the values stand there plus 1
}

// product says whether the parameter stands in a matrix product, and may be reduced to fewer bits.
func (s *spec) product() bool { return len(s.shape) == 2 && s.name != "positions" }

// size returns the number of values.
func (s *spec) size() int {
	n := 1
	for _, d := range s.shape {
		n *= d
	}
	return n
}

// floats is the memory of the parameter in format d, in float32 values.
func (s *spec) floats(d kernel.DType) int {
	if d == kernel.F32 {
		return kernel.Lines(s.size())
	}
	return kernel.Lines(kernel.WeightFloats(d, s.form, s.shape[0], s.shape[1]))
}

// weights makes room for the weights of a product in format d.
func (s *spec) weights(d kernel.DType, mem *kernel.Memory) *kernel.Weights {
	w := kernel.NewWeights(d, s.form, s.shape[0], s.shape[1], mem.Take)
	return &w
}

type initKind uint8

const (
	initNormal initKind = iota // normal(0, InitStd * scale)
	initOnes
	initZeros
	initUniform // of an adapter, see InitAdapter
)

// Model is a configuration with its parameters. The parameters' values are shared by every graph made from it. Its
// memory lies outside Go's heap and lives until [Model.Close].
type Model struct {
	Config Config
	Params []*ops.Param
	specs  []spec
	byName map[string]*ops.Param

	// Rounds lets training graphs that are made from here on round both operands of products with weights in float32 to
	// bfloat16: mixed precision, in which weights, gradients and sums stay float32.
	Rounds bool

	frozenIn kernel.DType // see Freeze

	adapter    *AdapterConfig           // nil without, see Adapt
	adapterOff bool                     // see WithoutAdapter
	merge      *Merge                   // while it is loaded, see LoadMerged
	first      map[*ops.Param][]float32 // what the modules to save began with

	values, grads, beside *kernel.Memory // beside: of an adapter that was put on later, see Beside
}

// Outline makes the parameters of c without memory for their values: names and shapes, for planning; see
// [Model.Allocate].
func Outline(c Config) (*Model, error) {
	if c.family == nil {
		return nil, mistake("model: unknown architecture %q; known are %s", c.Family, strings.Join(Families(), ", "))
	}
	m := &Model{Config: c, specs: c.family.params(&c), byName: map[string]*ops.Param{}}
	for _, s := range m.specs {
		p := s.param()
		m.Params = append(m.Params, p)
		m.byName[s.name] = p
	}
	return m, nil
}

// Freeze takes the parameters that frozen picks out of training, for all graphs made afterwards: they have no gradient
// and no moments, and nothing is computed for them. Of a model without memory, the frozen weights of matrix products
// will exist in format d only; d must be F32 where the model has memory. A tied head is frozen with the embedding,
// which it is.
func (m *Model) Freeze(d kernel.DType, frozen func(*ops.Param) bool) error {
	if m.grads != nil || d != kernel.F32 && m.values != nil {
		return fmt.Errorf("model: parameters must be frozen before there is memory for their gradients or in another format")
	}
	m.frozenIn = d
	for _, p := range m.Params {
		p.Frozen = frozen(p)
	}
	return nil
}

// Trained lists the parameters that are not frozen, in the order of the parameter table: whatever concerns gradients
// and their use asks this list.
func (m *Model) Trained() []*ops.Param {
	return slices.DeleteFunc(slices.Clone(m.Params), func(p *ops.Param) bool { return p.Frozen })
}

// Allocate gives the parameters of an outline their memory, all zero.
func (m *Model) Allocate() error { return m.AllocateIn(kernel.F32) }

// AllocateIn is Allocate for inference: the weights of matrix products exist in format d only. With Q4_0 embedding and
// head have 8 bits, and weights that [Model.Stored] found in blocks of a file the format that they have there.
func (m *Model) AllocateIn(d kernel.DType) (err error) {
	if m.values != nil {
		return nil
	}
	if m.values, err = newMemory(m.ValueBytes(d)); err != nil {
		return err
	}
	for i, s := range m.specs {
		if f := m.format(i, d); f != kernel.F32 {
			m.Params[i].Reduced = s.weights(f, m.values)
		} else {
			m.Params[i].Value = m.values.Take(s.size())
		}
	}
	return nil
}

// format returns the format of parameter i where the weights of matrix products that are not frozen have format d.
func (m *Model) format(i int, d kernel.DType) kernel.DType {
	if !m.specs[i].product() {
		return kernel.F32
	}
	if m.Params[i].Frozen {
		d = m.frozenIn
	}
	if d == kernel.Q4_0 {
		return m.inFourBits(i)
	}
	return d
}

// ValueBytes is the memory that [Model.AllocateIn] takes for format d.
func (m *Model) ValueBytes(d kernel.DType) int {
	n := 0
	for i, s := range m.specs {
		n += s.floats(m.format(i, d))
	}
	return 4 * n
}

// GradBytes is the memory of the gradients of the trained parameters.
func (m *Model) GradBytes() int {
	n := 0
	for _, p := range m.Trained() {
		n += kernel.Lines(p.Size())
	}
	return 4 * n
}

// WeightBytes returns the memory of the weights in every format that they have.
func (m *Model) WeightBytes() int { return m.values.Bytes() }

// needGrads makes the gradient buffers if there are none.
func (m *Model) needGrads() (err error) {
	if m.grads != nil {
		return nil
	}
	if m.grads, err = newMemory(m.GradBytes()); err != nil {
		return err
	}
	for _, p := range m.Trained() {
		p.Grad = m.grads.Take(p.Size())
	}
	return nil
}

func newMemory(bytes int) (*kernel.Memory, error) {
	mem, err := kernel.NewMemory(bytes / 4)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	return mem, nil
}

// Close gives the memory of values and gradients back. Neither the model nor a graph made from it may be used
// afterwards. A program that needs its model to the end need not call it.
func (m *Model) Close() {
	m.values.Close()
	m.grads.Close()
	m.beside.Close()
	for _, p := range m.Params {
		p.Value, p.Grad, p.Reduced = nil, nil, nil
	}
}

// Bytes returns the memory of values and gradients.
func (m *Model) Bytes() int { return m.WeightBytes() + m.grads.Bytes() }

// Init draws the parameters from seed: matrices from a normal distribution of the family's scale, norms one, biases
// zero. Each parameter has its own counter-based stream, so the values do not depend on the order of drawing.
func (m *Model) Init(seed uint64) {
	pool := kernel.NewPool(1)
	defer pool.Close()
	number := uint64(0) // of the parameter, adapters not counted
	for i, s := range m.specs {
		if s.adapter {
			continue
		}
		p := m.Params[i]
		v := p.Value
		if v == nil {
			v = make([]float32, p.Size())
		}
		switch s.init {
		case initOnes:
			for j := range v {
				v[j] = 1
			}
		case initZeros:
			clear(v)
		case initNormal:
			scale := m.Config.InitStd * cmp.Or(s.scale, 1)
			r := rng.NewRand(seed, "init", number, 0)
			for j := range v {
				v[j] = float32(float64(r.Normal() * scale))
			}
		}
		if p.Reduced != nil {
			p.Reduced.Set(pool, 0, v) // normal numbers fit every format
		}
		number++
	}
}

// Size returns the number of values of all parameters but those of an adapter.
func (m *Model) Size() int {
	n := 0
	for i, p := range m.Params {
		if !m.specs[i].adapter {
			n += p.Size()
		}
	}
	return n
}

// Tensor is one tensor of a checkpoint: a view of some parameter's rows.
type Tensor struct {
	Name  string // Hugging Face name
	Shape []int
	Data  []float32 // nil where the values exist in fewer bits only
	part  part
	param *ops.Param
	row   int // of the parameter
	form  kernel.Form
}

// Param returns the parameter that the tensor is, or is a part of.
func (t *Tensor) Param() *ops.Param { return t.param }

// Tensors lists the values under their Hugging Face names, in the order of the parameter table; those of an adapter are
// [Model.AdapterTensors].
func (m *Model) Tensors() []Tensor {
	return m.split(func(p *ops.Param) []float32 { return p.Value }, func(i int) bool { return !m.specs[i].adapter })
}

// Grads lists the gradients in the same way.
func (m *Model) Grads() []Tensor {
	return m.Split(func(p *ops.Param) []float32 { return p.Grad })
}

// Head returns the weights (V, C) of the head: those of the embedding when tied.
func (m *Model) Head() *ops.Param {
	if m.Config.Tied {
		return m.byName["embed"]
	}
	return m.byName["head"]
}

// Hidden says whether p is a matrix inside the layers: no embedding, head, norm or bias.
func (m *Model) Hidden(p *ops.Param) bool {
	return len(p.Shape) == 2 && p.Name != "embed" && p.Name != "positions" && p.Name != "head"
}

// Split lists buffers of the parameters' shapes (values, gradients, moments) as the tensors of a checkpoint. The data
// of a parameter whose buffer is nil are empty.
func (m *Model) Split(buffer func(*ops.Param) []float32) []Tensor {
	return m.split(buffer, func(int) bool { return true })
}

// split is Split of the parameters whose numbers are wanted.
func (m *Model) split(buffer func(*ops.Param) []float32, wanted func(i int) bool) []Tensor {
	var out []Tensor
	for i, s := range m.specs {
		if !wanted(i) {
			continue
		}
		data, row := buffer(m.Params[i]), 0
		width := len(data) / s.shape[0]
		for _, pt := range s.parts {
			t := Tensor{Name: pt.name, Shape: slices.Clone(s.shape), part: pt, param: m.Params[i], row: row,
				form: s.form}
			if data != nil {
				t.Data = data[row*width : (row+pt.rows)*width]
			}
			t.Shape[0] = pt.rows
			out = append(out, t)
			row += pt.rows
		}
	}
	return out
}

// one makes a spec of a single tensor.
func one(name, hf, gguf string, init initKind, shape ...int) spec {
	whole := part{name: hf, gguf: gguf, rows: shape[0]}
	return spec{name: name, shape: shape, init: init, decay: len(shape) > 1, parts: []part{whole}}
}
