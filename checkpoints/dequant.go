package checkpoints

import (
	"encoding/binary"

	"instruct/model/kernel/float16"
)

// Dequantisation of ggml's blocks of 32, after dequantize_row_* of ggml-quants.c.
// d and m are halves, q the small integers; every product and sum is rounded to
// float32 on its own, so the bits are the same on every CPU.

func half(p []byte) float32 { return float16.FromHalf(binary.LittleEndian.Uint16(p)) }

// decodeQ4_0: d, 16 bytes of q; x = (q-8) d. Low nibbles are elements 0-15, high ones 16-31.
func decodeQ4_0(dst []float32, src []byte) error {
	for ; len(src) > 0; dst, src = dst[32:], src[18:] {
		d := half(src)
		for i, q := range src[2:18] {
			dst[i] = float32(int(q&15)-8) * d
			dst[i+16] = float32(int(q>>4)-8) * d
		}
	}
	return nil
}

// decodeQ4_1: d, m, 16 bytes of q; x = q d + m.
func decodeQ4_1(dst []float32, src []byte) error {
	for ; len(src) > 0; dst, src = dst[32:], src[20:] {
		d, m := half(src), half(src[2:])
		for i, q := range src[4:20] {
			dst[i] = float32(float32(q&15)*d) + m
			dst[i+16] = float32(float32(q>>4)*d) + m
		}
	}
	return nil
}

// decodeQ5_0: d, 32 fifth bits, 16 bytes of q; x = (q-16) d.
func decodeQ5_0(dst []float32, src []byte) error {
	for ; len(src) > 0; dst, src = dst[32:], src[22:] {
		d, high := half(src), binary.LittleEndian.Uint32(src[2:])
		for i, q := range src[6:22] {
			dst[i] = float32(int(uint32(q&15)|high>>i&1<<4)-16) * d
			dst[i+16] = float32(int(uint32(q>>4)|high>>(i+16)&1<<4)-16) * d
		}
	}
	return nil
}

// decodeQ5_1: d, m, 32 fifth bits, 16 bytes of q; x = q d + m.
func decodeQ5_1(dst []float32, src []byte) error {
	for ; len(src) > 0; dst, src = dst[32:], src[24:] {
		d, m, high := half(src), half(src[2:]), binary.LittleEndian.Uint32(src[4:])
		for i, q := range src[8:24] {
			dst[i] = float32(float32(uint32(q&15)|high>>i&1<<4)*d) + m
			dst[i+16] = float32(float32(uint32(q>>4)|high>>(i+16)&1<<4)*d) + m
		}
	}
	return nil
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
