package checkpoints

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"
)

// Metadata is the metadata of a GGUF file: values of known types by key, in the order of the file. What is read from a
// file is asked with String, Float and so on, what is to be written is said with SetString, SetFloat32 and so on.
type Metadata struct {
	keys []string
	meta map[string]metaValue
}

// value gives what key has; metaTypes is the kind of what is absent.
func (g *Metadata) value(key string) metaValue {
	if v, ok := g.meta[key]; ok {
		return v
	}
	return metaValue{kind: metaTypes}
}

// String gives a string value; ok is false when key is absent or of another type, as it is for all the getters.
func (g *Metadata) String(key string) (value string, ok bool) {
	v := g.value(key)
	return v.text, v.kind == metaString
}

// Uint gives an integer of any width that is not negative.
func (g *Metadata) Uint(key string) (value uint64, ok bool) { return g.value(key).uint() }

// Float gives a float32 or float64, or an integer as a float.
func (g *Metadata) Float(key string) (value float64, ok bool) {
	v := g.value(key)
	switch v.kind {
	case metaFloat32:
		return float64(math.Float32frombits(uint32(v.bits))), true
	case metaFloat64:
		return math.Float64frombits(v.bits), true
	case metaUint64:
		return float64(v.bits), true
	}
	n, ok := v.int()
	return float64(n), ok
}

// Bool gives a bool.
func (g *Metadata) Bool(key string) (value, ok bool) {
	v := g.value(key)
	return v.bits != 0, v.kind == metaBool
}

// Strings gives an array of strings.
func (g *Metadata) Strings(key string) (values []string, ok bool) {
	v := g.value(key)
	return slices.Clone(v.list), v.kind == metaArray && v.elem == metaString
}

// Ints gives an array of integers of any width that all fit in int64.
func (g *Metadata) Ints(key string) (values []int64, ok bool) {
	v := g.value(key)
	values = []int64{}
	for e := range v.scalars() {
		n, ok := e.int()
		if !ok {
			return nil, false
		}
		values = append(values, n)
	}
	return values, v.kind == metaArray && strings.Contains(metaNames[v.elem], "int")
}

// Floats gives an array of float32, or of float64 rounded to float32.
func (g *Metadata) Floats(key string) (values []float32, ok bool) {
	v := g.value(key)
	for e := range v.scalars() {
		if v.elem == metaFloat32 {
			values = append(values, math.Float32frombits(uint32(e.bits)))
		} else {
			values = append(values, float32(math.Float64frombits(e.bits)))
		}
	}
	return values, v.kind == metaArray && (v.elem == metaFloat32 || v.elem == metaFloat64)
}

// scalars walks an array of numbers or bools; there is nothing to walk in one of strings.
func (v metaValue) scalars() func(yield func(metaValue) bool) {
	return func(yield func(metaValue) bool) {
		for at := 0; at < len(v.raw); at += v.elem.size() {
			var wide [8]byte
			copy(wide[:], v.raw[at:at+v.elem.size()])
			if !yield(metaValue{kind: v.elem, bits: binary.LittleEndian.Uint64(wide[:])}) {
				return
			}
		}
	}
}

// uint gives an integer that is not negative.
func (v metaValue) uint() (uint64, bool) {
	if v.kind == metaUint64 {
		return v.bits, true
	}
	n, ok := v.int()
	return uint64(n), ok && n >= 0
}

// int gives an integer that fits in int64.
func (v metaValue) int() (int64, bool) {
	switch v.kind {
	case metaUint8, metaUint16, metaUint32:
		return int64(v.bits), true
	case metaUint64:
		return int64(v.bits), v.bits <= math.MaxInt64
	case metaInt8, metaInt16, metaInt32, metaInt64:
		above := 64 - 8*v.kind.size()
		return int64(v.bits<<above) >> above, true
	}
	return 0, false
}
