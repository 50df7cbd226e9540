// Package float16 converts between float32 and the two formats of 16 bits: the half of IEEE 754 (GGUF's scales, F16
// tensors) and bfloat16.
package float16

import "math"

// FromHalf is the value of a half; exact. A NaN keeps its sign and payload.
func FromHalf(h uint16) float32 {
	sign, rest := uint32(h&0x8000)<<16, uint32(h&0x7fff)<<13
	if rest >= 0x7c00<<13 { // infinite or NaN
		return math.Float32frombits(sign | rest | 0x7f800000)
	}
	return math.Float32frombits(sign | math.Float32bits(math.Float32frombits(rest)*0x1p112))
}

// ToHalf rounds to the nearest half, ties to even; from 65520 up the result is infinite; a NaN stays a quiet NaN.
func ToHalf(f float32) uint16 {
	sign := uint16(math.Float32bits(f)>>16) & 0x8000
	abs := math.Float32bits(f) & 0x7fffffff
	switch {
	case abs > 0x7f800000:
		return sign | 0x7e00 | uint16(abs>>13)&0x3ff
	case abs >= 0x477ff000: // 65520
		return sign | 0x7c00
	case abs < 0x38800000: // below 2^-14 it is a multiple of 2^-24, which adding 1/2 rounds to
		return sign | uint16(math.Float32bits(math.Float32frombits(abs)+0.5)-math.Float32bits(0.5))
	}
	abs -= 112 << 23
	return sign | uint16((abs+0xfff+abs>>13&1)>>13)
}

// FromBF16 is the value of a bfloat16, the upper half of a float32; exact.
func FromBF16(u uint16) float32 { return math.Float32frombits(uint32(u) << 16) }

// ToBF16 rounds to the nearest bfloat16, ties to even; a NaN stays a quiet NaN.
func ToBF16(f float32) uint16 {
	u := math.Float32bits(f)
	if u&0x7fffffff > 0x7f800000 {
		return uint16(u>>16) | 0x40
	}
	return uint16((u + 0x7fff + u>>16&1) >> 16)
}
