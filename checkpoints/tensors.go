package checkpoints

import (
	"fmt"
	"io"
	"os"
	"slices"
)

// tensorFile is an open file of named tensors: what safetensors and GGUF have in common.
type tensorFile struct {
	path    string
	r       io.ReaderAt
	closer  io.Closer
	names   []string // in the order of the file
	tensors map[string]stored
	refusal string // format of the error of a type that is not read, given its name
}

// stored is one tensor: its row-major shape, its type, and where its bytes are.
type stored struct {
	shape []int
	kind  blockType
	begin int64 // in the tensor data while the header is read, then in the file
	size  int64 // bytes
}

// blockType is a type of tensors: blocks of elems elements take size bytes each.
// decode is nil for types that are known but not read, encode for those that are not written.
type blockType struct {
	name        string
	elems, size int
	decode      decodeFunc
	encode      encodeFunc
}

// openTensors opens a file whose head is read by parse.
func openTensors[T any](path string, parse func(f tensorFile, size int64) (*T, error)) (*T, error) {
	f, size, err := openFile(path)
	if err != nil {
		return nil, err
	}
	t, err := parse(tensorFile{path: path, r: f, closer: f}, size)
	if err != nil {
		f.Close()
	}
	return t, err
}

// Names lists the tensors in the order of the file.
func (f *tensorFile) Names() []string { return slices.Clone(f.names) }

// Shape gives a tensor's row-major shape; ok is false when there is no such tensor.
func (f *tensorFile) Shape(name string) ([]int, bool) {
	t, ok := f.tensors[name]
	return slices.Clone(t.shape), ok
}

// Read converts a tensor to float32; see [Source]. F32, F16 and BF16 convert exactly, F64 rounds to nearest even, and
// blocks are dequantised by the arithmetic of ggml's reference, in float32 with every operation rounded.
func (f *tensorFile) Read(name string, dst []float32) error {
	return f.read(name, 0, dst, true)
}

// ReadRows is Read for the rows from row on of the first axis, as many as dst holds; their values are Read's.
func (f *tensorFile) ReadRows(name string, row int, dst []float32) error {
	return f.read(name, row, dst, false)
}

// read converts a tensor, or the rows of it from row on that dst has room for.
func (f *tensorFile) read(name string, row int, dst []float32, whole bool) error {
	t, ok := f.tensors[name]
	if !ok {
		return f.missing(name)
	}
	if t.kind.decode == nil {
		return badFile(f.path, "tensor %q: "+f.refusal, name, t.kind.name)
	}
	elements := int(t.size) / t.kind.size * t.kind.elems
	if whole && elements != len(dst) { // the caller's mistake, not the user's
		return fmt.Errorf("checkpoints: read %s: tensor %q has shape %v, but room for %d elements was given",
			f.path, name, t.shape, len(dst))
	}
	first := 0
	if !whole {
		if len(t.shape) == 0 || t.shape[0] == 0 {
			return fmt.Errorf("checkpoints: read %s: tensor %q of shape %v has no rows", f.path, name, t.shape)
		}
		width := elements / t.shape[0]
		first = row * width
		if row < 0 || first+len(dst) > elements || first%t.kind.elems != 0 || len(dst)%t.kind.elems != 0 {
			return fmt.Errorf("checkpoints: read %s: tensor %q has shape %v, but %d elements from row %d on were asked for",
				f.path, name, t.shape, len(dst), row)
		}
	}
	begin := t.begin + int64(first/t.kind.elems)*int64(t.kind.size)
	return f.failure(name, readBlocks(f.r, begin, t.kind.size, t.kind.elems, dst, t.kind.decode))
}

// Close closes the file.
func (f *tensorFile) Close() error {
	if f.closer == nil {
		return nil
	}
	return fileError("close", f.path, f.closer.Close())
}

func (f *tensorFile) missing(name string) error { return badFile(f.path, "it has no tensor %q", name) }

// failure is what went wrong while the data of a tensor was read and converted, nil where nothing did.
func (f *tensorFile) failure(name string, err error) error {
	if err == nil {
		return nil
	}
	if err == io.ErrUnexpectedEOF {
		return badFile(f.path, "tensor %q: the file became shorter while it was open", name)
	}
	if _, ok := err.(*os.PathError); ok {
		return fileError("read", f.path, err)
	}
	return badFile(f.path, "tensor %q: %v", name, err)
}
