package checkpoints

// Dequantisation of ggml's super-blocks of 256 (the k-quants), after dequantize_row_*_K of ggml-quants.c. A super-block
// has eight groups of 32 (Q4_K, Q5_K) or sixteen of 16 (Q6_K), each with a small integer scale of its own.

// scaleMin gives scale and minimum of group j of a block that begins with d, dmin and twelve bytes of 6-bit factors.
func scaleMin(block []byte, j int) (scale, minimum float32) {
	p := block[4:16]
	var s, m byte
	if j < 4 {
		s, m = p[j]&63, p[j+4]&63
	} else {
		s, m = p[j+4]&15|p[j-4]>>6<<4, p[j+4]>>4|p[j]>>6<<4
	}
	return float32(half(block) * float32(s)), float32(half(block[2:]) * float32(m))
}

// bigBlocks gives the decoder of Q4_K and Q5_K: d, dmin, 12 bytes of scales, 32 bytes of fifth bits where there are
// some, 128 bytes of q; x = (d scale) q - dmin minimum. Each 32 bytes of q hold two groups: low nibbles, then high
// ones. Bit g of the fifth bits belongs to group g.
func bigBlocks(fifth bool) decodeFunc {
	return func(dst []float32, src []byte) error {
		high, begin := make([]byte, 32), 16
		if fifth {
			begin = 48
		}
		for ; len(src) > 0; src = src[begin+128:] {
			if fifth {
				high = src[16:48]
			}
			for g := range 8 {
				s, m := scaleMin(src, g)
				for i, q := range src[begin+g/2*32 : begin+32+g/2*32] {
					dst[i] = float32(s*float32(q>>(g%2*4)&15|high[i]>>g&1<<4)) - m
				}
				dst = dst[32:]
			}
		}
		return nil
	}
}

// decodeQ6_K: 128 bytes of low nibbles, 64 of upper bit pairs, 16 signed scales, d;
// x = (d scale) (q-32). Each half of 128 elements has four runs of 32.
func decodeQ6_K(dst []float32, src []byte) error {
	for ; len(src) > 0; dst, src = dst[256:], src[210:] {
		d := half(src[208:])
		for h := range 2 {
			low, high := src[h*64:h*64+64], src[128+h*32:128+h*32+32]
			scales := src[192+h*8 : 192+h*8+8]
			for run := range 4 {
				out := dst[h*128+run*32 : h*128+run*32+32]
				nibbles := low[run%2*32 : run%2*32+32]
				for i := range out {
					q := nibbles[i]>>(run/2*4)&15 | high[i]>>(run*2)&3<<4
					s := d * float32(int8(scales[run*2+i/16]))
					out[i] = s * float32(int(q)-32)
				}
			}
		}
	}
	return nil
}
