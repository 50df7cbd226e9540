package checkpoints

import (
	"hash"
	"io"
	"os"
	"sync"
	"time"
	"unsafe"
)

// blockWriter gathers what is written into large blocks and takes the sum of each while the disk takes it. Whole blocks
// of a regular file go around the system's cache of pages (Linux, O_DIRECT): filling pages for what nobody reads soon
// costs more processor time than all else of a checkpoint but its sums. What cannot go that way goes through the cache,
// and the file has the same bytes: on other systems, on a file system without it, after any error, on a slow disk, and
// the end of a file, which is no whole block. After the last Write comes flush; syncing is the caller's.
type blockWriter struct {
	w      io.Writer
	sum    hash.Hash // nil: none is taken
	block  []byte    // a multiple of directAlign, at one
	n      int       // bytes gathered in it
	direct *os.File  // w while blocks go around the cache, else nil
	slow   time.Duration
}

const (
	blockBytes  = 8 << 20
	directAlign = 4096 // of memory, offset and size; no disk asks for more

	// Whoever saves waits for a disk that no cache stands before. A slow one is left to the cache, once it has taken
	// slowAfter longer than a disk of slowRate bytes a second would have.
	slowRate  = 250e6
	slowAfter = time.Second / 2
)

// newBlockWriter begins a file of about size bytes, which sizes the block.
func newBlockWriter(w io.Writer, size int64, sum hash.Hash) *blockWriter {
	n := int(min(blockBytes, max(1, size)+directAlign-1)) &^ (directAlign - 1)
	room := make([]byte, n+directAlign)
	at := int(-uintptr(unsafe.Pointer(&room[0])) % directAlign)
	b := &blockWriter{w: w, sum: sum, block: room[at : at+n]}
	if f, ok := w.(*os.File); ok && setDirect(f, true) {
		b.direct = f
	}
	return b
}

func (b *blockWriter) Write(p []byte) (int, error) {
	done := 0
	for done < len(p) {
		n := copy(b.block[b.n:], p[done:])
		b.n += n
		if b.n == len(b.block) {
			if err := b.put(); err != nil {
				return done, err
			}
		}
		done += n
	}
	return done, nil
}

// flush writes what is left.
func (b *blockWriter) flush() error {
	b.cached()
	return b.put()
}

// put writes the bytes that were gathered.
func (b *blockWriter) put() error {
	p := b.block[:b.n]
	b.n = 0
	if b.sum != nil {
		var taken sync.WaitGroup
		taken.Go(func() { b.sum.Write(p) })
		defer taken.Wait()
	}
	if b.direct == nil {
		_, err := b.w.Write(p)
		return err
	}
	began := time.Now()
	n, err := b.w.Write(p)
	b.slow += time.Since(began) - time.Duration(float64(n)/slowRate*float64(time.Second))
	if err != nil {
		b.cached()
		_, err = b.w.Write(p[n:])
	} else if b.slow > slowAfter {
		b.cached()
	}
	return err
}

// cached lets what follows go through the cache.
func (b *blockWriter) cached() {
	if b.direct != nil {
		setDirect(b.direct, false)
		b.direct = nil
	}
}
