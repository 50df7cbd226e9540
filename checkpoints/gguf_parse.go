package checkpoints

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
)

// metaType is the type number of a metadata value.
type metaType uint32

const (
	metaUint8 metaType = iota
	metaInt8
	metaUint16
	metaInt16
	metaUint32
	metaInt32
	metaFloat32
	metaBool
	metaString
	metaArray
	metaUint64
	metaInt64
	metaFloat64
	metaTypes // how many there are
)

var metaNames = [metaTypes]string{
	"uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "bool", "string", "array",
	"uint64", "int64", "float64",
}

// size is the number of bytes of a scalar; 0 for a string or an array.
func (t metaType) size() int {
	return [metaTypes]int{1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8}[t]
}

// metaValue is one metadata value: a scalar in bits, text in text, or an array.
type metaValue struct {
	kind metaType
	bits uint64 // the scalar's bytes, zero-extended
	text string

	elem metaType // of an array
	raw  []byte   // its scalars, little-endian
	list []string // its strings
}

// String shows the value in an error message.
func (v metaValue) String() string {
	switch v.kind {
	case metaString:
		return fmt.Sprintf("%q", v.text)
	case metaArray:
		return "an array of " + metaNames[v.elem]
	}
	if n, ok := v.uint(); ok {
		return fmt.Sprintf("%d (%s)", n, metaNames[v.kind])
	}
	return "a " + metaNames[v.kind]
}

// maxHead bounds metadata and tensor table together, in bytes; real ones take a few
// megabytes, so a damaged length in a big file is noticed before memory is taken for it.
const maxHead = 256 << 20

// maxStrings bounds the strings in arrays, each of which takes more memory than it takes bytes of the file: tokens and
// merges of the largest vocabularies are fewer than a million.
const maxStrings = 4 << 20

// ggufParser walks the head of a file and keeps the first error, after which all that it reads is zero.
// It never takes more memory than there are bytes left.
type ggufParser struct {
	path string
	r    *bufio.Reader
	at   int64 // bytes consumed
	size int64 // of the file
	err  error

	strings uint64 // in arrays so far
}

func newGGUFParser(path string, r io.ReaderAt, size int64) *ggufParser {
	return &ggufParser{path: path, r: bufio.NewReaderSize(io.NewSectionReader(r, 0, size), 64<<10), size: size}
}

func (p *ggufParser) fail(format string, args ...any) {
	if p.err == nil {
		p.err = badFile(p.path, format, args...)
	}
}

// left is how many bytes the head may still take.
func (p *ggufParser) left() uint64 {
	return uint64(min(p.size, maxHead) - p.at)
}

// take reads n bytes; what names them in the error.
func (p *ggufParser) take(what string, n uint64) []byte {
	if left := p.left(); n > left {
		p.fail("truncated or damaged: %s takes %d bytes at byte %d, but only %d are left", what, n, p.at, left)
	}
	if p.err != nil {
		return nil
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(p.r, b); err != nil {
		p.err = fileError("read", p.path, err)
		return nil
	}
	p.at += int64(n)
	return b
}

// number reads a scalar of 1 to 8 bytes, zero-extended.
func (p *ggufParser) number(what string, size int) uint64 {
	var wide [8]byte
	copy(wide[:], p.take(what, uint64(size)))
	return binary.LittleEndian.Uint64(wide[:])
}

// count reads a number of things that take at least smallest bytes each.
func (p *ggufParser) count(what string, smallest int) uint64 {
	n := p.number("number of "+what, 8)
	if left := p.left(); n > left/uint64(smallest) {
		p.fail("truncated or damaged: %d %s at byte %d, but only %d bytes are left", n, what, p.at, left)
		return 0
	}
	return n
}

func (p *ggufParser) string(what string) string {
	return string(p.take(what, p.number("length of "+what, 8)))
}

// value reads a type and the value of metadata key.
func (p *ggufParser) value(key string) metaValue {
	what := "metadata " + strconv.Quote(key)
	v := metaValue{kind: p.metaType(what)}
	switch v.kind {
	case metaString:
		v.text = p.string(what)
	case metaArray:
		p.array(what, &v)
	default:
		v.bits = p.number(what, v.kind.size())
	}
	return v
}

// array reads the element type, the count and the elements of an array; what names it.
func (p *ggufParser) array(what string, v *metaValue) {
	v.elem = p.metaType(what)
	smallest := v.elem.size()
	switch v.elem {
	case metaArray:
		p.fail("%s: an array of arrays is not supported", what)
		return
	case metaString:
		smallest = 8
	}
	n := p.count("elements of "+what, smallest)
	if v.elem != metaString {
		v.raw = p.take(what, n*uint64(smallest))
		return
	}
	if p.strings += n; p.strings > maxStrings {
		p.fail("%s: more than %d strings in arrays", what, maxStrings)
		return
	}
	v.list = []string{}
	for ; n > 0 && p.err == nil; n-- { // appended one by one: n is not to be trusted before that
		v.list = append(v.list, p.string(what))
	}
}

func (p *ggufParser) metaType(what string) metaType {
	t := p.number("type of "+what, 4)
	if t >= uint64(metaTypes) {
		p.fail("%s: unknown type number %d", what, t)
		return 0
	}
	return metaType(t)
}
