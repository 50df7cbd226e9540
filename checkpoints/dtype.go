package checkpoints

import (
	"encoding/binary"
	"fmt"
	"math"
)

// DType is the element type of a tensor in a safetensors file, by its name there.
type DType string

// The element types that convert to and from float32. F64 is only read.
const (
	F32  DType = "F32"
	F16  DType = "F16"  // IEEE 754 half
	BF16 DType = "BF16" // the upper half of a float32
	F64  DType = "F64"
)

// Size is the number of bytes of one element, 0 when the type is not known.
func (d DType) Size() int {
	switch d {
	case "F64", "I64", "U64", "C64":
		return 8
	case "F32", "I32", "U32":
		return 4
	case "F16", "BF16", "I16", "U16":
		return 2
	case "BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ":
		return 1
	}
	return 0
}

// decoder gives the function that converts little-endian elements to float32,
// nil when d is not a float type of at least 16 bits. len(src) = len(dst)*Size.
func (d DType) decoder() func(dst []float32, src []byte) error {
	switch d {
	case F32:
		return decodeF32
	case F16:
		return decodeF16
	case BF16:
		return decodeBF16
	case F64:
		return decodeF64
	}
	return nil
}

func decodeF32(dst []float32, src []byte) error {
	for i := range dst {
		dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(src[4*i:]))
	}
	return nil
}

func decodeF16(dst []float32, src []byte) error {
	for i := range dst {
		dst[i] = halfToFloat(binary.LittleEndian.Uint16(src[2*i:]))
	}
	return nil
}

func decodeBF16(dst []float32, src []byte) error {
	for i := range dst {
		dst[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(src[2*i:])) << 16)
	}
	return nil
}

// decodeF64 rounds to the nearest float32 and refuses a finite value that would become infinite.
func decodeF64(dst []float32, src []byte) error {
	for i := range dst {
		v := math.Float64frombits(binary.LittleEndian.Uint64(src[8*i:]))
		dst[i] = float32(v)
		if math.IsInf(float64(dst[i]), 0) && !math.IsInf(v, 0) {
			return fmt.Errorf("value %g does not fit in float32", v)
		}
	}
	return nil
}

// encoder gives the function that rounds float32 to d, nearest even; nil when d cannot be written.
// A finite value that would become infinite is an error.
func (d DType) encoder() func(dst []byte, src []float32) error {
	switch d {
	case F32:
		return func(dst []byte, src []float32) error {
			for i, v := range src {
				binary.LittleEndian.PutUint32(dst[4*i:], math.Float32bits(v))
			}
			return nil
		}
	case F16:
		return func(dst []byte, src []float32) error {
			return encode16(dst, src, F16, floatToHalf, 0x7c00)
		}
	case BF16:
		return func(dst []byte, src []float32) error {
			return encode16(dst, src, BF16, floatToBF16, 0x7f80)
		}
	}
	return nil
}

func encode16(dst []byte, src []float32, d DType, round func(float32) uint16, inf uint16) error {
	for i, v := range src {
		h := round(v)
		if h&0x7fff == inf && !math.IsInf(float64(v), 0) {
			return fmt.Errorf("value %g does not fit in %s; save as F32", v, d)
		}
		binary.LittleEndian.PutUint16(dst[2*i:], h)
	}
	return nil
}

// halfToFloat is exact; a NaN keeps its sign and payload.
func halfToFloat(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	exp := uint32(h>>10) & 31
	mant := uint32(h & 0x3ff)
	switch exp {
	case 0: // zero and subnormals: mant * 2^-24
		v := math.Float32bits(float32(mant) * 0x1p-24)
		return math.Float32frombits(sign | v)
	case 31:
		return math.Float32frombits(sign | 0x7f800000 | mant<<13)
	}
	return math.Float32frombits(sign | (exp+112)<<23 | mant<<13)
}

// floatToHalf rounds to nearest even; from 65520 up the result is infinite; a NaN stays a quiet NaN.
func floatToHalf(f float32) uint16 {
	bits := math.Float32bits(f)
	sign := uint16(bits>>16) & 0x8000
	abs := bits & 0x7fffffff
	switch {
	case abs > 0x7f800000:
		return sign | 0x7e00 | uint16(abs>>13)&0x3ff
	case abs >= 0x477ff000: // 65520
		return sign | 0x7c00
	case abs >= 0x38800000: // 2^-14, the smallest normal
		abs += 0xfff + abs>>13&1
		return sign | uint16((abs-0x38000000)>>13)
	case abs <= 0x33000000: // 2^-25, half the smallest subnormal
		return sign
	}
	shift := 126 - abs>>23 // mantissa to units of 2^-24
	mant := abs&0x7fffff | 0x800000
	h, rest, half := mant>>shift, mant&(1<<shift-1), uint32(1)<<(shift-1)
	if rest > half || rest == half && h&1 == 1 {
		h++
	}
	return sign | uint16(h)
}

// floatToBF16 rounds to nearest even; a NaN stays a quiet NaN.
func floatToBF16(f float32) uint16 {
	bits := math.Float32bits(f)
	if bits&0x7fffffff > 0x7f800000 {
		return uint16(bits>>16) | 0x40
	}
	return uint16((bits + 0x7fff + bits>>16&1) >> 16)
}
