package kernel

import (
	"fmt"
	"unsafe"
)

// Memory is a block of float32 values outside Go's heap: weights, gradients, moments, a graph's activations. They are
// most of what a run holds and have no pointers; counted as heap, they would let garbage grow to their size before it
// is collected. On Linux a block is anonymous memory, whose pages take none until they are written. Elsewhere it is a
// Go slice.
//
// A block belongs to whoever made it, and lives until its Close.
type Memory struct {
	size   int // bytes
	pages  []byte
	values []float32 // not yet taken
}

const lineFloats = 16 // float32 values in a cache line

// Lines rounds n up to whole cache lines, which is what n values take in a block.
func Lines(n int) int { return (n + lineFloats - 1) &^ (lineFloats - 1) }

// NewMemory makes a block of n zeros; what is taken in parts needs [Lines] of each. It fails when the system gives no
// such block.
func NewMemory(n int) (*Memory, error) {
	m := &Memory{size: 4 * (n + lineFloats)}
	pages, err := allocate(m.size)
	if err != nil {
		return nil, fmt.Errorf("kernel: allocate %d MB of memory: %w", m.size>>20, err)
	}
	m.pages = pages
	at := -uintptr(unsafe.Pointer(&pages[0])) % (4 * lineFloats)
	m.values = unsafe.Slice((*float32)(unsafe.Pointer(&pages[at])), n)
	return m, nil
}

// Take gives the next n values of the block, from a cache line on. It panics when there are not so many left.
func (m *Memory) Take(n int) []float32 {
	part := m.values[:n:n]
	m.values = m.values[min(Lines(n), len(m.values)):]
	return part
}

// Bytes is the size of the block.
func (m *Memory) Bytes() int {
	if m == nil {
		return 0
	}
	return m.size
}

// Close gives the block back; no slice of it may be used afterwards. A second Close, or that of a nil block, does
// nothing.
func (m *Memory) Close() {
	if m == nil || m.pages == nil {
		return
	}
	release(m.pages)
	m.pages, m.values = nil, nil
}
