package model

import (
	"fmt"
	"slices"
	"strings"

	"instruct/model/kernel"
)

// Source gives the tensors of a checkpoint as float32; package checkpoints has readers for safetensors and GGUF.
type Source interface {
	Names() []string
	Shape(name string) ([]int, bool)
	Read(name string, dst []float32) error
}

// Load fills the parameters from src, whose tensors have Hugging Face names. Each tensor must be there with the shape
// of the parameter table, and no tensor may be left over. path is used in messages only.
func (m *Model) Load(path string, src Source) error {
	return m.load(path, src, false)
}

// LoadGGUF is [Model.Load] for GGUF names; it puts the rows of q and k back into half-split rotary order.
func (m *Model) LoadGGUF(path string, src Source) error {
	return m.load(path, src, true)
}

// fill reads one tensor of src into its parameter, with what merge adds to it; merge may be nil. What is kept in fewer
// bits goes through scratch, which is one for all tensors: some rows at a time where src gives rows ([RowSource]), else
// as a whole.
func (t *Tensor) fill(pool *kernel.Pool, src Source, name string, gguf bool, merge *Merge, scratch *[]float32) error {
	heads, rows := 0, t.Shape[0]
	reduced := t.param.Reduced
	if gguf {
		heads = t.part.heads
	}
	turned := gguf && t.part.turned
	if s, ok := src.(BlockSource); ok && reduced != nil && !turned && !merge.changes(t) && reduced.Blocks() &&
		storedIn(s, name) == reduced.DType {
		raw, err := s.ReadBlocks(name)
		if err != nil {
			return err
		}
		halfSplit(raw, heads, rows, len(raw)/rows)
		byHead(raw, t.byHead(gguf), rows, len(raw)/rows)
		reduced.SetBlocks(pool, t.row, raw)
		return nil
	}
	if s, ok := src.(RowSource); ok && t.inStrips(gguf, merge) {
		return t.fillRows(pool, s, name, scratch)
	}
	values := t.Data
	size := rows * (t.param.Size() / t.param.Shape[0])
	if values == nil {
		values = roomFor(scratch, size)
	}
	if err := src.Read(name, values); err != nil {
		return err
	}
	halfSplit(values, heads, rows, size/rows)
	byHead(values, t.byHead(gguf), rows, size/rows)
	if turned {
		transpose(values, size/rows, rows)
	}
	if gguf && t.part.plusOne {
		for i := range values {
			values[i]--
		}
	}
	if merge.changes(t) { // by now in the order of Hugging Face's files
		if err := merge.apply(pool, t, values); err != nil {
			return err
		}
	}
	if reduced == nil {
		return nil
	}
	if err := reduced.Set(pool, t.row, values); err != nil {
		return mistake("tensor %s: %v", name, err)
	}
	return nil
}

// halfSplit turns rows of interleaved pairs (2i, 2i+1) of each head into rows (i, i+D/2). w is (rows, width); with 0
// heads it stays as it is. llama.cpp's convert_hf_to_gguf.py permutes the other way.
func halfSplit[T any](w []T, heads, rows, width int) {
	if heads == 0 {
		return
	}
	d := rows / heads
	tmp := make([]T, d*width)
	for h := range heads {
		head := w[h*d*width : (h+1)*d*width]
		copy(tmp, head)
		for i := range d / 2 {
			copy(head[i*width:(i+1)*width], tmp[2*i*width:])
			copy(head[(i+d/2)*width:(i+d/2+1)*width], tmp[(2*i+1)*width:])
		}
	}
}

// byHead gives the number of heads whose rows a GGUF file holds in another order, 0 where there are none.
func (t *Tensor) byHead(gguf bool) int {
	if gguf {
		return t.part.byHead
	}
	return 0
}

// byHead turns rows of all queries, all keys and all values into those of each head's query, key and value. w is (rows,
// width); with 0 heads it stays as it is. llama.cpp's converter of GPT-NeoX does the reverse.
func byHead[T any](w []T, heads, rows, width int) {
	if heads == 0 {
		return
	}
	old, size := slices.Clone(w), rows/(3*heads)*width
	for i := range 3 * heads {
		copy(w[i*size:(i+1)*size], old[(i%3*heads+i/3)*size:])
	}
}

// transpose makes w (rows, width) its transpose (width, rows), in place.
func transpose(w []float32, rows, width int) {
	old := slices.Clone(w)
	for i := range rows {
		for j := range width {
			w[j*rows+i] = old[i*width+j]
		}
	}
}

func (m *Model) load(path string, src Source, gguf bool) error {
	pool := kernel.NewPool(0)
	defer pool.Close()
	read := map[string]bool{}
	var scratch []float32
	for _, t := range m.Tensors() {
		n, shape, ok := m.find(&t, src, gguf)
		if gguf && t.part.turned {
			slices.Reverse(shape)
		}
		if !ok {
			return mistake("model: load %s: tensor %s is missing; a %s model of this config.json needs it with shape %v%s",
				path, n, m.Config.Family, t.Shape, m.has(src.Names(), n))
		}
		if gguf && len(t.Shape) == 3 && len(shape) == 2 {
			shape = slices.Insert(shape, 1, 1) // llama.cpp leaves out the axis of the only input of a convolution
		}
		if !slices.Equal(shape, t.Shape) {
			return mistake("model: load %s: tensor %s has shape %v; config.json asks for %v", path, n, shape, t.Shape)
		}
		if err := t.fill(pool, src, n, gguf, m.merge, &scratch); err != nil {
			return fmt.Errorf("model: load %s: %w", path, err)
		}
		read[n] = true
	}
	left := slices.DeleteFunc(src.Names(), func(n string) bool { return read[n] || m.ignored(n) })
	if len(left) > 0 {
		return mistake("model: load %s: tensor %s is not part of a %s model (%d such tensors); "+
			"without it the model would answer differently%s", path, slices.Min(left), m.Config.Family, len(left),
			m.has(left, ""))
	}
	return nil
}

// find looks for a tensor in src and returns its name there. A tied embedding may be there as the head, which is all
// that safetensors' save_model keeps of the two.
func (m *Model) find(t *Tensor, src Source, gguf bool) (name string, shape []int, ok bool) {
	name = t.part.name
	if gguf {
		name = t.part.gguf
	}
	_, short, _ := strings.Cut(name, ".") // some GPT-2 checkpoints leave the prefix out
	names := []string{name, short}
	if m.Config.Tied && t.param.Name == "embed" && !gguf {
		names = append(names, headName)
	}
	for _, n := range names {
		if shape, ok = src.Shape(n); ok {
			return n, shape, true
		}
	}
	return name, nil, false
}

// headName is the head's tensor.
const headName = "lm_head.weight"

// ignored names what some checkpoints carry and is computed here, and the head of a tied model.
func (m *Model) ignored(name string) bool {
	if m.Config.Tied && (name == headName || name == "output.weight") {
		return true
	}
	computed := []string{".attn.bias", ".attn.masked_bias", "rotary_emb.inv_freq",
		ropeFreqsTensor, ropeShortTensor, ropeLongTensor} // the last three are read with the configuration
	return slices.ContainsFunc(computed, func(end string) bool { return strings.HasSuffix(name, end) })
}
