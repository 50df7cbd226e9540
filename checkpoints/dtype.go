package checkpoints

import (
	"encoding/binary"
	"fmt"
	"math"

	"instruct/model/kernel/float16"
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

// decoders convert little-endian elements to float32: len(src) = len(dst)*Size.
var decoders = map[DType]decodeFunc{F32: decodeF32, F16: decodeF16, BF16: decodeBF16, F64: decodeF64}

// blockType is d as a type of tensors in a file.
func (d DType) blockType() blockType {
	return blockType{string(d), 1, d.Size(), decoders[d], d.encoder()}
}

func decodeF32(dst []float32, src []byte) error {
	for i := range dst {
		dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(src[4*i:]))
	}
	return nil
}

func decodeF16(dst []float32, src []byte) error {
	for i := range dst {
		dst[i] = float16.FromHalf(binary.LittleEndian.Uint16(src[2*i:]))
	}
	return nil
}

func decodeBF16(dst []float32, src []byte) error {
	for i := range dst {
		dst[i] = float16.FromBF16(binary.LittleEndian.Uint16(src[2*i:]))
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
func (d DType) encoder() encodeFunc {
	switch d {
	case F32:
		return encodeF32
	case F16:
		return encode16(F16, float16.ToHalf, 0x7c00)
	case BF16:
		return encode16(BF16, float16.ToBF16, 0x7f80)
	}
	return nil
}

func encodeF32(dst []byte, src []float32) error {
	for i, v := range src {
		binary.LittleEndian.PutUint32(dst[4*i:], math.Float32bits(v))
	}
	return nil
}

func encode16(d DType, round func(float32) uint16, inf uint16) encodeFunc {
	return func(dst []byte, src []float32) error {
		for i, v := range src {
			h := round(v)
			if h&0x7fff == inf && !math.IsInf(float64(v), 0) {
				return fmt.Errorf("value %g does not fit in %s; save as F32", v, d)
			}
			binary.LittleEndian.PutUint16(dst[2*i:], h)
		}
		return nil
	}
}
