package checkpoints

import (
	"cmp"
	"math"
	"slices"
	"strconv"
)

// GGUF is one open GGUF file, version 2 or 3, little-endian. It implements [Source];
// its metadata is read with the typed getters, also when it is closed.
//
// Tensor names are the file's own (blk.0.attn_q.weight). Shapes are row-major,
// the reverse of ggml's dimensions: a linear layer is [out, in].
type GGUF struct {
	tensorFile
	Metadata
}

// OpenGGUF opens a file and checks all of it but the tensors' values: every count, length and offset lies inside the
// file, types are known, tensors do not overlap. Tensors of F32, F16, BF16, F64, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K,
// Q5_K and Q6_K can be Read; another type is named in the error of Read.
func OpenGGUF(path string) (*GGUF, error) { return openTensors(path, newGGUF) }

// Smallest possible sizes in bytes, to hold counts against the file's size.
const (
	minKeyValue   = 8 + 4 + 1     // empty key, type, one byte
	minTensorInfo = 8 + 4 + 4 + 8 // empty name, no dimensions, type, offset
)

func newGGUF(f tensorFile, size int64) (*GGUF, error) {
	f.tensors = map[string]stored{}
	f.refusal = "type %s is not supported, expected one of " + readableTypes()
	g := &GGUF{tensorFile: f}
	p := newGGUFParser(f.path, f.r, size)
	g.parse(p)
	if p.err != nil {
		return nil, p.err
	}
	return g, nil
}

func (g *GGUF) parse(p *ggufParser) {
	if magic := p.take("magic", min(4, p.left())); string(magic) != "GGUF" {
		p.fail("not a GGUF file: it begins with %q, expected \"GGUF\"", magic)
	}
	version := p.number("version", 4)
	if version != 0 && version&0xffff == 0 {
		p.fail("GGUF in big-endian byte order, expected little-endian")
	}
	if version != 2 && version != 3 {
		p.fail("GGUF version %d, expected 2 or 3", version)
	}
	tensors := p.count("tensors", minTensorInfo)
	pairs := p.count("metadata entries", minKeyValue)
	for ; pairs > 0 && p.err == nil; pairs-- {
		key := p.string("metadata key")
		if _, dup := g.meta[key]; dup {
			p.fail("metadata has key %q twice", key)
		}
		g.set(key, p.value(key))
	}
	for ; tensors > 0 && p.err == nil; tensors-- {
		g.parseTensor(p)
	}
	if p.err == nil {
		g.place(p)
	}
}

func (g *GGUF) parseTensor(p *ggufParser) {
	name := p.string("tensor name")
	if _, dup := g.tensors[name]; dup {
		p.fail("tensor %q stands there twice", name)
	}
	dims := p.number("dimensions of "+strconv.Quote(name), 4)
	if dims > 4 {
		p.fail("tensor %q: %d dimensions, GGUF allows 4", name, dims)
		return
	}
	t := stored{shape: make([]int, dims)}
	row := 1
	for i := range t.shape {
		d := p.number("dimensions of "+strconv.Quote(name), 8)
		if d > math.MaxInt {
			p.fail("tensor %q: dimension of %d is too large", name, d)
		}
		t.shape[len(t.shape)-1-i] = int(d)
		row = t.shape[len(t.shape)-1]
	}
	kind := p.number("type of "+strconv.Quote(name), 4)
	offset := p.number("offset of "+strconv.Quote(name), 8)
	var known bool
	if t.kind, known = ggmlTypes[uint32(kind)]; !known {
		p.fail("tensor %q: unknown type number %d", name, kind)
	}
	elements, fits := mulShape(t.shape, 8)
	if !fits {
		p.fail("tensor %q: shape %v is too large", name, t.shape)
	}
	if p.err != nil {
		return
	}
	if row%t.kind.elems != 0 {
		p.fail("tensor %q: rows of %d elements, but %s packs %d at a time", name, row, t.kind.name, t.kind.elems)
	}
	t.size = int64(elements/t.kind.elems) * int64(t.kind.size)
	if offset > uint64(p.size) {
		p.fail("tensor %q: offset %d lies beyond the end of the file, which has %d bytes", name, offset, p.size)
	}
	t.begin = int64(offset)
	g.names = append(g.names, name)
	g.tensors[name] = t
}

// place turns offsets in the tensor data into offsets in the file and holds them against its size.
func (g *GGUF) place(p *ggufParser) {
	align := uint64(32)
	if v, ok := g.meta["general.alignment"]; ok {
		if v.kind != metaUint32 || v.bits == 0 || v.bits&(v.bits-1) != 0 {
			p.fail("general.alignment is %v, expected a power of two as uint32", v)
			return
		}
		align = v.bits
	}
	start := (p.at + int64(align) - 1) &^ (int64(align) - 1)
	for name, t := range g.tensors {
		if uint64(t.begin)%align != 0 {
			p.fail("tensor %q: offset %d is not a multiple of the alignment, %d", name, t.begin, align)
		}
		t.begin += start
		g.tensors[name] = t
	}
	order := slices.Clone(g.names)
	slices.SortStableFunc(order, func(a, b string) int { return cmp.Compare(g.tensors[a].begin, g.tensors[b].begin) })
	var last int64
	for i, name := range order {
		t := g.tensors[name]
		end := t.begin + t.size
		if t.begin < last {
			p.fail("tensor %q overlaps tensor %q", name, order[i-1])
		}
		if t.size > p.size-t.begin {
			p.fail("truncated: tensor %q ends at byte %d, the file has %d; copy or download it again", name, end, p.size)
		}
		last = end
	}
}

// BlockType is the name of the type of a tensor, as Q8_0; "" where there is no such tensor.
func (g *GGUF) BlockType(name string) string { return g.tensors[name].kind.name }

// ReadBlocks gives the bytes of a tensor as they are stored, row by row: of Q8_0 blocks of a float16 scale and 32 int8.
func (g *GGUF) ReadBlocks(name string) ([]byte, error) {
	t, ok := g.tensors[name]
	if !ok {
		return nil, g.missing(name)
	}
	raw := make([]byte, t.size)
	if err := readFull(g.r, raw, t.begin); err != nil {
		return nil, g.failure(name, err)
	}
	return raw, nil
}
