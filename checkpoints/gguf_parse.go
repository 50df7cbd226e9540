package checkpoints

import (
	"bufio"
	"encoding/binary"
	"errors"
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

// errReading says that the file could not be read, for the reason in ggufParser.err.
var errReading = errors.New("reading failed")

// maxHead bounds metadata and tensor table together, in bytes; real ones take a few
// megabytes, so a damaged length in a big file is noticed before memory is taken for it.
const maxHead = 256 << 20

// ggufParser walks the head of a file. It never takes more memory than there are bytes left.
type ggufParser struct {
	r    *bufio.Reader
	at   int64 // bytes consumed
	size int64 // of the file
	err  error
}

func newGGUFParser(r io.ReaderAt, size int64) *ggufParser {
	return &ggufParser{r: bufio.NewReaderSize(io.NewSectionReader(r, 0, size), 64<<10), size: size}
}

// left is how many bytes the head may still take.
func (p *ggufParser) left() uint64 {
	return uint64(min(p.size, maxHead) - p.at)
}

// take reads n bytes; what names them in the error.
func (p *ggufParser) take(what string, n uint64) ([]byte, error) {
	if left := p.left(); n > left {
		return nil, fmt.Errorf("truncated or damaged: %s takes %d bytes at byte %d, but only %d are left",
			what, n, p.at, left)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(p.r, b); err != nil {
		p.err = err
		return nil, errReading
	}
	p.at += int64(n)
	return b, nil
}

func (p *ggufParser) uint32(what string) (uint32, error) {
	b, err := p.take(what, 4)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint32(b), nil
}

func (p *ggufParser) uint64(what string) (uint64, error) {
	b, err := p.take(what, 8)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint64(b), nil
}

// count reads a number of things that take at least smallest bytes each.
func (p *ggufParser) count(what string, smallest int) (uint64, error) {
	n, err := p.uint64("number of " + what)
	if err != nil {
		return 0, err
	}
	if left := p.left(); n > left/uint64(smallest) {
		return 0, fmt.Errorf("truncated or damaged: %d %s at byte %d, but only %d bytes are left", n, what, p.at, left)
	}
	return n, nil
}

func (p *ggufParser) string(what string) (string, error) {
	n, err := p.uint64("length of " + what)
	if err != nil {
		return "", err
	}
	b, err := p.take(what, n)
	return string(b), err
}

// value reads a type and the value of metadata key.
func (p *ggufParser) value(key string) (v metaValue, err error) {
	what := "metadata " + strconv.Quote(key)
	if v.kind, err = p.metaType(what); err != nil {
		return v, err
	}
	switch v.kind {
	case metaString:
		v.text, err = p.string(what)
		return v, err
	case metaArray:
		return p.array(what)
	}
	b, err := p.take(what, uint64(v.kind.size()))
	if err != nil {
		return v, err
	}
	var wide [8]byte
	copy(wide[:], b)
	v.bits = binary.LittleEndian.Uint64(wide[:])
	return v, nil
}

// array reads the element type, the count and the elements of an array; what names it.
func (p *ggufParser) array(what string) (v metaValue, err error) {
	v.kind = metaArray
	if v.elem, err = p.metaType(what); err != nil {
		return v, err
	}
	if v.elem == metaArray {
		return v, fmt.Errorf("%s: an array of arrays is not supported", what)
	}
	smallest := v.elem.size()
	if v.elem == metaString {
		smallest = 8
	}
	n, err := p.count("elements of "+what, smallest)
	if err != nil {
		return v, err
	}
	if v.elem != metaString {
		v.raw, err = p.take(what, n*uint64(smallest))
		return v, err
	}
	v.list = []string{}
	for range n { // appended one by one: n is not to be trusted before that
		s, err := p.string(what)
		if err != nil {
			return v, err
		}
		v.list = append(v.list, s)
	}
	return v, nil
}

func (p *ggufParser) metaType(what string) (metaType, error) {
	t, err := p.uint32("type of " + what)
	if err == nil && t >= uint32(metaTypes) {
		err = fmt.Errorf("%s: unknown type number %d", what, t)
	}
	return metaType(t), err
}
