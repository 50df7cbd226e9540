package kernel

import "math"

// halfToFloat is the value of an IEEE 754 half; exact.
func halfToFloat(h uint16) float32 {
	sign, rest := uint32(h&0x8000)<<16, uint32(h&0x7fff)<<13
	if rest >= 0x7c00<<13 { // infinite or NaN
		return math.Float32frombits(sign | rest | 0x7f800000)
	}
	return math.Float32frombits(sign | math.Float32bits(math.Float32frombits(rest)*0x1p112))
}

// floatToHalf rounds a float32 from 0 up to 65504 to the nearest half, ties to even.
func floatToHalf(f float32) uint16 {
	if f < 0x1p-14 { // subnormal: a multiple of 2^-24, which adding 1/2 rounds to
		return uint16(math.Float32bits(f+0.5) - math.Float32bits(0.5))
	}
	u := math.Float32bits(f) - 112<<23
	return uint16((u + 0xfff + u>>13&1) >> 13)
}
