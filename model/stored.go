package model

import "instruct/model/kernel"

// BlockSource is a Source that can also give the bytes of a tensor as it is stored.
type BlockSource interface {
	BlockType(name string) string // ggml's name of the type of a tensor, "" where there is no such tensor
	ReadBlocks(name string) ([]byte, error)
}

// storedIn is the format in blocks that a tensor is stored in, F32 for any other.
func storedIn(src BlockSource, name string) kernel.DType {
	switch src.BlockType(name) {
	case "Q8_0":
		return kernel.Q8_0
	case "Q4_0":
		return kernel.Q4_0
	case "Q4_1":
		return kernel.Q4_1
	}
	return kernel.F32
}

// Stored tells the model in which formats a GGUF file has its weights, before there is memory for them: in 4 bits they
// are kept as they are there, see [Model.AllocateIn].
func (m *Model) Stored(src BlockSource) {
	for i := range m.specs {
		m.specs[i].stored = m.specs[i].storedIn(src)
	}
}

// storedIn is the format in blocks that a parameter is kept in for its tensors, F32 where there is none.
func (s *spec) storedIn(src BlockSource) (d kernel.DType) {
	for n, pt := range s.parts {
		in := storedIn(src, pt.gguf)
		if in == kernel.F32 || s.form != kernel.NT || pt.turned {
			return kernel.F32
		}
		if n > 0 && in != d {
			in = kernel.Q8_0 // the finest that there is
		}
		d = in
	}
	return d
}

// inFourBits is the format of parameter i where 4 bits are asked for: that of the file where it has blocks itself, else
// Q4_0, but 8 bits of embedding and head, as GGUF files of 4 bits have them.
func (m *Model) inFourBits(i int) kernel.DType {
	switch {
	case m.specs[i].stored != kernel.F32:
		return m.specs[i].stored
	case m.Hidden(m.Params[i]):
		return kernel.Q4_0
	}
	return kernel.Q8_0
}
