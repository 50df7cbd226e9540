package checkpoints

import (
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
)

// Safetensors is one open safetensors file. It implements [Source].
type Safetensors struct {
	path     string
	r        io.ReaderAt
	closer   io.Closer
	data     int64 // where the data begins
	entries  []entry
	index    map[string]int // name to entry
	metadata map[string]string
}

// OpenSafetensors opens a file and checks its whole header: size limits, JSON,
// dtypes, shapes, and that the tensors fill the data without gap or overlap.
// F32, F16, BF16 and F64 tensors can be Read; others only through ReadBytes.
func OpenSafetensors(path string) (*Safetensors, error) {
	f, size, err := openFile(path)
	if err != nil {
		return nil, err
	}
	s, err := newSafetensors(path, f, size)
	if err != nil {
		f.Close()
		return nil, err
	}
	s.closer = f
	return s, nil
}

func newSafetensors(path string, r io.ReaderAt, size int64) (*Safetensors, error) {
	var prefix [8]byte
	if size < 8 {
		return nil, badFile(path, "not a safetensors file: %d bytes, expected at least 8", size)
	}
	if err := readFull(r, prefix[:], 0); err != nil {
		return nil, fileError("read", path, err)
	}
	n := binary.LittleEndian.Uint64(prefix[:])
	if n > maxHeader {
		return nil, badFile(path, "not a safetensors file: header of %d bytes, the limit is %d", n, maxHeader)
	}
	if int64(n) > size-8 {
		return nil, badFile(path, "truncated: the header takes bytes 8 to %d, the file has %d; copy or download it again",
			8+n, size)
	}
	header := make([]byte, n)
	if err := readFull(r, header, 8); err != nil {
		return nil, fileError("read", path, err)
	}
	entries, metadata, err := parseHeader(header)
	if err != nil {
		return nil, badFile(path, "%v", err)
	}
	length, err := layout(entries)
	if err != nil {
		return nil, badFile(path, "%v", err)
	}
	s := &Safetensors{path: path, r: r, data: 8 + int64(n), entries: entries, index: map[string]int{}, metadata: metadata}
	end := s.data + length
	if size < end {
		return nil, badFile(path, "truncated: expected %d bytes, found %d; copy or download it again", end, size)
	}
	if size > end {
		return nil, badFile(path, "expected %d bytes, found %d: the header does not account for the last %d",
			end, size, size-end)
	}
	for i, e := range entries {
		s.index[e.name] = i
	}
	return s, nil
}

// Names lists the tensors in the order of their data.
func (s *Safetensors) Names() []string {
	names := make([]string, len(s.entries))
	for i, e := range s.entries {
		names[i] = e.name
	}
	return names
}

// Shape gives a tensor's shape; ok is false when there is no such tensor.
func (s *Safetensors) Shape(name string) ([]int, bool) {
	e, ok := s.find(name)
	return slices.Clone(e.shape), ok
}

// DType gives a tensor's element type as stored; ok is false when there is no such tensor.
func (s *Safetensors) DType(name string) (DType, bool) {
	e, ok := s.find(name)
	return e.dtype, ok
}

// Metadata gives a copy of the header's __metadata__.
func (s *Safetensors) Metadata() map[string]string {
	return maps.Clone(s.metadata)
}

// Read converts a tensor to float32; see [Source]. F32, F16 and BF16 convert
// exactly, F64 rounds to nearest even.
func (s *Safetensors) Read(name string, dst []float32) error {
	e, ok := s.find(name)
	if !ok {
		return noTensor(s.path, name)
	}
	decode := e.dtype.decoder()
	if decode == nil {
		return badFile(s.path, "tensor %q: dtype %s cannot be read as numbers, expected F32, F16, BF16 or F64", name, e.dtype)
	}
	size := e.dtype.Size()
	if n := int(e.end-e.begin) / size; n != len(dst) {
		return wrongLength(s.path, name, e.shape, len(dst))
	}
	if err := readBlocks(s.r, s.data+e.begin, size, 1, dst, decode); err != nil {
		return tensorError(s.path, name, err)
	}
	return nil
}

// ReadBytes gives a tensor's little-endian bytes as stored, whatever its dtype.
func (s *Safetensors) ReadBytes(name string) ([]byte, error) {
	e, ok := s.find(name)
	if !ok {
		return nil, noTensor(s.path, name)
	}
	p := make([]byte, e.end-e.begin)
	if err := readFull(s.r, p, s.data+e.begin); err != nil {
		return nil, tensorError(s.path, name, err)
	}
	return p, nil
}

// Close closes the file.
func (s *Safetensors) Close() error {
	if s.closer == nil {
		return nil
	}
	return fileError("close", s.path, s.closer.Close())
}

func (s *Safetensors) find(name string) (entry, bool) {
	i, ok := s.index[name]
	if !ok {
		return entry{}, false
	}
	return s.entries[i], true
}

func noTensor(path, name string) error {
	return badFile(path, "it has no tensor %q", name)
}

// wrongLength is the caller's mistake, not the user's.
func wrongLength(path, name string, shape []int, n int) error {
	return fmt.Errorf("checkpoints: read %s: tensor %q has shape %v, but room for %d elements was given",
		path, name, shape, n)
}

// tensorError is a failure while the data of a tensor was read and converted.
func tensorError(path, name string, err error) error {
	if err == io.ErrUnexpectedEOF {
		return badFile(path, "tensor %q: the file became shorter while it was open", name)
	}
	if _, ok := err.(*os.PathError); ok {
		return fileError("read", path, err)
	}
	return badFile(path, "tensor %q: %v", name, err)
}
