package checkpoints

import (
	"encoding/binary"
	"math"

	"instruct/model/kernel/float16"
)

// Dequantisation of ggml's blocks of 32, after dequantize_row_* of ggml-quants.c. d and m are halves, q the small
// integers; every product and sum is rounded to float32 on its own, so the bits are the same on every CPU.

func half(p []byte) float32 { return float16.FromHalf(binary.LittleEndian.Uint16(p)) }

// smallBlocks gives the decoder of blocks of 4 or 5 bits: d, m where there is one, 32 fifth bits where there are some,
// 16 bytes of q; x = q d + m or, without m, (q-zero) d. Low nibbles are elements 0-15, high ones 16-31.
func smallBlocks(zero float32, minimum, fifth bool) decodeFunc {
	return func(dst []float32, src []byte) error {
		for len(src) > 0 {
			d := half(src)
			m := float32(math.Copysign(0, -1)) // adding it changes no bit of anything
			src = src[2:]
			if minimum {
				m = half(src)
				src = src[2:]
			}
			var high uint32
			if fifth {
				high = binary.LittleEndian.Uint32(src)
				src = src[4:]
			}
			for i, q := range src[:16] {
				dst[i] = float32((float32(uint32(q&15)|high>>i&1<<4)-zero)*d) + m
				dst[i+16] = float32((float32(uint32(q>>4)|high>>(i+16)&1<<4)-zero)*d) + m
			}
			dst = dst[32:]
			src = src[16:]
		}
		return nil
	}
}

// decodeQ8_0: d, 32 signed bytes of q; x = q d.
func decodeQ8_0(dst []float32, src []byte) error {
	for ; len(src) > 0; dst, src = dst[32:], src[34:] {
		d := half(src)
		for i, q := range src[2:34] {
			dst[i] = float32(int8(q)) * d
		}
	}
	return nil
}
