package kernel

import (
	"testing"
	"unsafe"
)

// TestMemory takes parts of blocks of several sizes: zero, on cache lines, apart from each other, and no more than
// there is.
func TestMemory(t *testing.T) {
	for _, sizes := range [][]int{{0}, {1}, {16, 1, 17, 0, 5}, {1 << 20, 3, 2 << 20}} {
		total := 0
		for _, n := range sizes {
			total += Lines(n)
		}
		m, err := NewMemory(total)
		if err != nil {
			t.Fatal(err)
		}
		var parts [][]float32
		for i, n := range sizes {
			p := m.Take(n)
			if len(p) != n || cap(p) != n {
				t.Fatalf("took %d values, got %d of %d", n, len(p), cap(p))
			}
			if n > 0 && uintptr(unsafe.Pointer(&p[0]))%64 != 0 {
				t.Errorf("part %d is not on a cache line", i)
			}
			for j, v := range p {
				if v != 0 {
					t.Fatalf("part %d, value %d is %v", i, j, v)
				}
				p[j] = float32(i + 1)
			}
			parts = append(parts, p)
		}
		for i, p := range parts {
			for j, v := range p {
				if v != float32(i+1) {
					t.Fatalf("part %d, value %d was overwritten with %v", i, j, v)
				}
			}
		}
		func() {
			defer func() {
				if recover() == nil {
					t.Error("took more than the block has")
				}
			}()
			m.Take(1)
		}()
		m.Close()
		m.Close()
	}
}
