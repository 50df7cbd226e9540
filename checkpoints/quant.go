package checkpoints

import (
	"encoding/binary"
	"math"

	"instruct/model/kernel/float16"
)

// Quantisation to ggml's blocks of 32, after quantize_row_*_ref of ggml-quants.c: the scale is rounded to a half where
// it is written, the integers come of the one that is not, as there.

// encodeQ8_0: d, the largest magnitude over 127, then 32 signed bytes x/d, halves away from zero.
func encodeQ8_0(dst []byte, src []float32) error {
	for ; len(src) > 0; dst, src = dst[34:], src[32:] {
		var most float32
		for _, v := range src[:32] {
			most = max(most, float32(math.Abs(float64(v))))
		}
		d := most / 127
		if err := putScale(dst, d); err != nil {
			return err
		}
		by := inverse(d)
		for i, v := range src[:32] {
			dst[2+i] = byte(int8(math.Round(float64(float32(v * by)))))
		}
	}
	return nil
}

// encodeQ4_0: d, the value of the largest magnitude over -8, then 32 nibbles x/d + 8, of which the low ones are the
// elements 0-15.
func encodeQ4_0(dst []byte, src []float32) error {
	for ; len(src) > 0; dst, src = dst[18:], src[32:] {
		var most float32
		for _, v := range src[:32] {
			if !(math.Abs(float64(v)) <= math.Abs(float64(most))) { // what is no number too
				most = v
			}
		}
		d := most / -8
		if err := putScale(dst, d); err != nil {
			return err
		}
		by := inverse(d)
		nibble := func(v float32) byte { return byte(min(15, int8(float32(v*by)+8.5))) }
		for i := range 16 {
			dst[2+i] = nibble(src[i]) | nibble(src[16+i])<<4
		}
	}
	return nil
}

// putScale writes the scale of a block, which a half must hold.
func putScale(dst []byte, d float32) error {
	h := float16.ToHalf(d)
	if h&0x7c00 == 0x7c00 {
		return mistake("the scale of a block is %g, which a half cannot hold; export as f16 or bf16", d)
	}
	binary.LittleEndian.PutUint16(dst, h)
	return nil
}

// inverse is 1/d, 0 of a block of zeros.
func inverse(d float32) float32 {
	if d == 0 {
		return 0
	}
	return 1 / d
}
