package checkpoints

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
)

// GGUF is one open GGUF file, version 2 or 3, little-endian. It implements [Source];
// its metadata is read with the typed getters.
//
// Tensor names are the file's own (blk.0.attn_q.weight). Shapes are row-major,
// the reverse of ggml's dimensions: a linear layer is [out, in].
type GGUF struct {
	path    string
	r       io.ReaderAt
	closer  io.Closer
	version uint32
	keys    []string
	meta    map[string]metaValue
	names   []string
	tensors map[string]ggufTensor
}

// ggufTensor is one tensor: its row-major shape, its type, and where its bytes are in the file.
type ggufTensor struct {
	shape    []int
	kind     ggmlType
	elements int
	offset   int64 // in the tensor data at first, then in the file
	size     int64 // bytes
}

// OpenGGUF opens a file and checks all of it but the tensors' values: every count,
// length and offset lies inside the file, types are known, tensors do not overlap.
// Tensors of F32, F16, BF16, F64, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K and Q6_K can
// be Read; another type is named in the error of Read.
func OpenGGUF(path string) (*GGUF, error) {
	f, size, err := openFile(path)
	if err != nil {
		return nil, err
	}
	g, err := newGGUF(path, f, size)
	if err != nil {
		f.Close()
		return nil, err
	}
	g.closer = f
	return g, nil
}

// Smallest possible sizes in bytes, to hold counts against the file's size.
const (
	minKeyValue   = 8 + 4 + 1     // empty key, type, one byte
	minTensorInfo = 8 + 4 + 4 + 8 // empty name, no dimensions, type, offset
)

func newGGUF(path string, r io.ReaderAt, size int64) (*GGUF, error) {
	g := &GGUF{path: path, r: r, meta: map[string]metaValue{}, tensors: map[string]ggufTensor{}}
	p := newGGUFParser(r, size)
	if err := g.parse(p); err != nil {
		if err == errReading {
			return nil, fileError("read", path, p.err)
		}
		return nil, badFile(path, "%v", err)
	}
	return g, nil
}

func (g *GGUF) parse(p *ggufParser) error {
	if magic, err := p.take("magic", 4); err != nil || string(magic) != "GGUF" {
		if err == errReading {
			return err
		}
		return fmt.Errorf("not a GGUF file: it begins with %q, expected \"GGUF\"", magic)
	}
	version, err := p.uint32("version")
	if err != nil {
		return err
	}
	if version != 2 && version != 3 {
		if version != 0 && version&0xffff == 0 {
			return fmt.Errorf("GGUF in big-endian byte order, expected little-endian")
		}
		return fmt.Errorf("GGUF version %d, expected 2 or 3", version)
	}
	g.version = version
	tensors, err := p.count("tensors", minTensorInfo)
	if err != nil {
		return err
	}
	pairs, err := p.count("metadata entries", minKeyValue)
	if err != nil {
		return err
	}
	for range pairs {
		if err := g.parsePair(p); err != nil {
			return err
		}
	}
	for range tensors {
		if err := g.parseTensor(p); err != nil {
			return err
		}
	}
	return g.place(p)
}

func (g *GGUF) parsePair(p *ggufParser) error {
	key, err := p.string("metadata key")
	if err != nil {
		return err
	}
	if _, dup := g.meta[key]; dup {
		return fmt.Errorf("metadata has key %q twice", key)
	}
	v, err := p.value(key)
	if err != nil {
		return err
	}
	g.keys = append(g.keys, key)
	g.meta[key] = v
	return nil
}

func (g *GGUF) parseTensor(p *ggufParser) error {
	name, err := p.string("tensor name")
	if err != nil {
		return err
	}
	if _, dup := g.tensors[name]; dup {
		return fmt.Errorf("tensor %q stands there twice", name)
	}
	dims, err := p.uint32("dimensions of " + strconv.Quote(name))
	if err != nil {
		return err
	}
	if dims > 4 {
		return fmt.Errorf("tensor %q: %d dimensions, GGUF allows 4", name, dims)
	}
	t := ggufTensor{shape: make([]int, dims)}
	for i := range t.shape {
		d, err := p.uint64("dimensions of " + strconv.Quote(name))
		if err != nil {
			return err
		}
		if d > math.MaxInt {
			return fmt.Errorf("tensor %q: dimension of %d is too large", name, d)
		}
		t.shape[len(t.shape)-1-i] = int(d)
	}
	kind, err := p.uint32("type of " + strconv.Quote(name))
	if err != nil {
		return err
	}
	offset, err := p.uint64("offset of " + strconv.Quote(name))
	if err != nil {
		return err
	}
	var known, fits bool
	t.kind, known = ggmlTypes[kind]
	if !known {
		return fmt.Errorf("tensor %q: unknown type number %d", name, kind)
	}
	t.elements, fits = mulShape(t.shape, 8)
	if !fits {
		return fmt.Errorf("tensor %q: shape %v is too large", name, t.shape)
	}
	row := 1
	if dims > 0 {
		row = t.shape[dims-1]
	}
	if row%t.kind.elems != 0 {
		return fmt.Errorf("tensor %q: rows of %d elements, but %s packs %d at a time", name, row, t.kind.name, t.kind.elems)
	}
	t.size = int64(t.elements/t.kind.elems) * int64(t.kind.size)
	if offset > uint64(p.size) {
		return fmt.Errorf("tensor %q: offset %d lies beyond the end of the file, which has %d bytes", name, offset, p.size)
	}
	t.offset = int64(offset)
	g.names = append(g.names, name)
	g.tensors[name] = t
	return nil
}

// place turns offsets in the tensor data into offsets in the file and holds them against its size.
func (g *GGUF) place(p *ggufParser) error {
	align := uint64(32)
	if v, ok := g.meta["general.alignment"]; ok {
		if v.kind != metaUint32 || v.bits == 0 || v.bits&(v.bits-1) != 0 {
			return fmt.Errorf("general.alignment is %v, expected a power of two as uint32", v)
		}
		align = v.bits
	}
	start := (p.at + int64(align) - 1) &^ (int64(align) - 1)
	for name, t := range g.tensors {
		if uint64(t.offset)%align != 0 {
			return fmt.Errorf("tensor %q: offset %d is not a multiple of the alignment, %d", name, t.offset, align)
		}
		t.offset += start
		g.tensors[name] = t
	}
	order := slices.Clone(g.names)
	slices.SortStableFunc(order, func(a, b string) int { return cmp.Compare(g.tensors[a].offset, g.tensors[b].offset) })
	var last int64
	for i, name := range order {
		t := g.tensors[name]
		if t.offset < last {
			return fmt.Errorf("tensor %q overlaps tensor %q", name, order[i-1])
		}
		if t.size > p.size-t.offset {
			return fmt.Errorf("truncated: tensor %q ends at byte %d, the file has %d; copy or download it again",
				name, t.offset+t.size, p.size)
		}
		last = t.offset + t.size
	}
	return nil
}

// Version is the GGUF version of the file, 2 or 3.
func (g *GGUF) Version() int { return int(g.version) }

// Names lists the tensors in the order of the file's table.
func (g *GGUF) Names() []string { return slices.Clone(g.names) }

// Shape gives a tensor's row-major shape; ok is false when there is no such tensor.
func (g *GGUF) Shape(name string) ([]int, bool) {
	t, ok := g.tensors[name]
	return slices.Clone(t.shape), ok
}

// Type gives a tensor's type by ggml's name, such as Q4_1; ok is false when there is no such tensor.
func (g *GGUF) Type(name string) (string, bool) {
	t, ok := g.tensors[name]
	return t.kind.name, ok
}

// Read dequantises a tensor to float32; see [Source]. The arithmetic is that of
// ggml's reference, in float32 with every operation rounded.
func (g *GGUF) Read(name string, dst []float32) error {
	t, ok := g.tensors[name]
	if !ok {
		return noTensor(g.path, name)
	}
	if t.kind.decode == nil {
		return badFile(g.path, "tensor %q: type %s is not supported, expected one of %s", name, t.kind.name, readableTypes())
	}
	if len(dst) != t.elements {
		return wrongLength(g.path, name, t.shape, len(dst))
	}
	if err := readBlocks(g.r, t.offset, t.kind.size, t.kind.elems, dst, t.kind.decode); err != nil {
		return tensorError(g.path, name, err)
	}
	return nil
}

// ReadQ8 gives the bytes of a tensor of type Q8_0: blocks of a float16 scale and 32 int8, row by row. ok is false for
// a tensor of another type.
func (g *GGUF) ReadQ8(name string) (raw []byte, ok bool, err error) {
	t, ok := g.tensors[name]
	if !ok {
		return nil, false, noTensor(g.path, name)
	}
	if t.kind.name != "Q8_0" {
		return nil, false, nil
	}
	raw = make([]byte, t.size)
	if err := readFull(g.r, raw, t.offset); err != nil {
		return nil, false, tensorError(g.path, name, err)
	}
	return raw, true, nil
}

// Close closes the file. The metadata stays readable.
func (g *GGUF) Close() error {
	if g.closer == nil {
		return nil
	}
	return fileError("close", g.path, g.closer.Close())
}
