package kernel

import "golang.org/x/sys/unix"

// hugeFrom is the size from which a block asks for huge pages; a smaller one would mostly be rounded up.
const hugeFrom = 8 << 20

func allocate(size int) ([]byte, error) {
	b, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err == nil && size >= hugeFrom {
		_ = unix.Madvise(b, unix.MADV_HUGEPAGE) // a kernel without them gives small pages
	}
	return b, err
}

func release(b []byte) { _ = unix.Munmap(b) }
