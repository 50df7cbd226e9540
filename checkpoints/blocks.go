package checkpoints

import (
	"cmp"
	"io"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
)

// chunkBytes is how much of a tensor is read and converted at a time.
const chunkBytes = 256 << 10

// decodeFunc converts whole blocks: src holds them, dst takes their elements.
type decodeFunc func(dst []float32, src []byte) error

// encodeFunc converts to whole blocks: src are their elements, dst takes them.
type encodeFunc func(dst []byte, src []float32) error

// readBlocks converts len(dst)/elems blocks of size bytes that start at off of r.
// Chunks go to all cores; they are independent, so the result is always the same.
func readBlocks(r io.ReaderAt, off int64, size, elems int, dst []float32, decode decodeFunc) error {
	blocks := len(dst) / elems
	step := max(1, chunkBytes/size) // blocks in a chunk
	chunks := (blocks + step - 1) / step
	workers := min(runtime.GOMAXPROCS(0), chunks)
	var next atomic.Int64
	errs := make([]error, workers)
	work := func() error {
		buf := make([]byte, min(step, blocks)*size)
		for {
			first := (int(next.Add(1)) - 1) * step
			if first >= blocks {
				return nil
			}
			n := min(step, blocks-first)
			src := buf[:n*size]
			err := readFull(r, src, off+int64(first)*int64(size))
			if err == nil {
				err = decode(dst[first*elems:(first+n)*elems], src)
			}
			if err != nil {
				next.Store(int64(chunks)) // the others stop too
				return err
			}
		}
	}
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() { errs[w] = work() })
	}
	wg.Wait()
	return cmp.Or(errs...)
}

// readFull reads all of p at off; a short file is io.ErrUnexpectedEOF.
func readFull(r io.ReaderAt, p []byte, off int64) error {
	n, err := r.ReadAt(p, off)
	if n == len(p) {
		return nil
	}
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// mulShape is the number of elements of a shape. ok is false for a negative dimension or when even the product of the
// non-zero dimensions is too large for that many elements of size bytes to have a place in memory.
func mulShape(shape []int, size int) (n int, ok bool) {
	n, product := 1, 1
	for _, d := range shape {
		if d < 0 {
			return 0, false
		}
		n *= min(d, 1)
		if d > 0 {
			if product > math.MaxInt/size/d {
				return 0, false
			}
			product *= d
		}
	}
	return n * product, true
}
