package checkpoints

import (
	"encoding/binary"
	"math"
	"slices"
)

// String gives a string value; ok is false when key is absent or of another type,
// as it is for all the getters.
func (g *GGUF) String(key string) (value string, ok bool) {
	v, ok := g.meta[key]
	return v.text, ok && v.kind == metaString
}

// Uint gives an integer of any width that is not negative.
func (g *GGUF) Uint(key string) (value uint64, ok bool) {
	if v, found := g.meta[key]; found {
		return v.uint()
	}
	return 0, false
}

// Float gives a float32 or float64, or an integer as a float.
func (g *GGUF) Float(key string) (value float64, ok bool) {
	v, ok := g.meta[key]
	if !ok {
		return 0, false
	}
	switch v.kind {
	case metaFloat32:
		return float64(math.Float32frombits(uint32(v.bits))), true
	case metaFloat64:
		return math.Float64frombits(v.bits), true
	}
	if n, ok := v.uint(); ok {
		return float64(n), true
	}
	n, ok := v.int()
	return float64(n), ok
}

// Bool gives a bool.
func (g *GGUF) Bool(key string) (value, ok bool) {
	v, ok := g.meta[key]
	return v.bits != 0, ok && v.kind == metaBool
}

// Strings gives an array of strings.
func (g *GGUF) Strings(key string) (values []string, ok bool) {
	v, ok := g.meta[key]
	if !ok || v.kind != metaArray || v.elem != metaString {
		return nil, false
	}
	return slices.Clone(v.list), true
}

// Ints gives an array of integers of any width that all fit in int64.
func (g *GGUF) Ints(key string) (values []int64, ok bool) {
	v, ok := g.meta[key]
	if !ok || v.kind != metaArray {
		return nil, false
	}
	values = []int64{}
	for e := range v.scalars() {
		n, ok := e.int()
		if !ok {
			return nil, false
		}
		values = append(values, n)
	}
	return values, v.elem.integer()
}

// Floats gives an array of float32, or of float64 rounded to float32.
func (g *GGUF) Floats(key string) (values []float32, ok bool) {
	v, ok := g.meta[key]
	if !ok || v.kind != metaArray || v.elem != metaFloat32 && v.elem != metaFloat64 {
		return nil, false
	}
	values = make([]float32, 0, len(v.raw)/v.elem.size())
	for e := range v.scalars() {
		if v.elem == metaFloat32 {
			values = append(values, math.Float32frombits(uint32(e.bits)))
		} else {
			values = append(values, float32(math.Float64frombits(e.bits)))
		}
	}
	return values, true
}

// scalars walks an array of numbers or bools; there is nothing to walk in one of strings.
func (v metaValue) scalars() func(yield func(metaValue) bool) {
	return func(yield func(metaValue) bool) {
		if v.elem == metaString {
			return
		}
		for part := range slices.Chunk(v.raw, v.elem.size()) {
			var wide [8]byte
			copy(wide[:], part)
			if !yield(metaValue{kind: v.elem, bits: binary.LittleEndian.Uint64(wide[:])}) {
				return
			}
		}
	}
}

func (t metaType) integer() bool {
	switch t {
	case metaFloat32, metaFloat64, metaBool, metaString, metaArray:
		return false
	}
	return true
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
	case metaUint8, metaUint16, metaUint32, metaInt64:
		return int64(v.bits), true
	case metaUint64:
		return int64(v.bits), v.bits <= math.MaxInt64
	case metaInt8:
		return int64(int8(v.bits)), true
	case metaInt16:
		return int64(int16(v.bits)), true
	case metaInt32:
		return int64(int32(v.bits)), true
	}
	return 0, false
}
