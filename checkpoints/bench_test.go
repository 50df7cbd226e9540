package checkpoints

import (
	"bytes"
	"testing"
)

// BenchmarkRead dequantises a tensor of 4 Mi elements that lies in memory.
func BenchmarkRead(b *testing.B) {
	const n = 4 << 20
	for _, kind := range []uint32{0, 1, 30, 2, 3, 8, 12, 13, 14} {
		t := ggmlTypes[kind]
		b.Run("type="+t.name, func(b *testing.B) {
			src, dst := bytes.NewReader(make([]byte, n/t.elems*t.size)), make([]float32, n)
			b.SetBytes(4 * n)
			for b.Loop() {
				if err := readBlocks(src, 0, t.size, t.elems, dst, t.decode); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
