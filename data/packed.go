package data

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"io"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// packing is a way to compress a file: what its name ends in, and the bytes that it begins with.
type packing struct {
	extension, name, magic string
	open                   func(r io.Reader) (text io.Reader, done func(), err error)
}

// packings is the table of the ways.
func packings() []packing {
	return []packing{
		{".gz", "gzip", "\x1f\x8b", func(r io.Reader) (io.Reader, func(), error) {
			z, err := gzip.NewReader(r)
			return z, func() {}, err
		}},
		{".zst", "zstd", "\x28\xb5\x2f\xfd", func(r io.Reader) (io.Reader, func(), error) {
			z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1))
			return z, z.Close, err
		}},
		{".xz", "xz", "\xfd7zXZ\x00", func(r io.Reader) (io.Reader, func(), error) {
			z, err := xz.NewReader(r)
			return z, func() {}, err
		}},
	}
}

// unpackedName is a file's name without the extension of a packing.
func unpackedName(path string) string {
	for _, p := range packings() {
		if n := len(path) - len(p.extension); n > 0 && strings.EqualFold(path[n:], p.extension) {
			return path[:n]
		}
	}
	return path
}

// unpacked is the text of a file that may be compressed; what it begins with decides, not its name.
func (in *input) unpacked(r *bufio.Reader) (*bufio.Reader, error) {
	start, _ := r.Peek(6)
	for _, p := range packings() {
		if !bytes.HasPrefix(start, []byte(p.magic)) {
			continue
		}
		text, done, err := p.open(r)
		if err != nil {
			return nil, mistake("data: read %s: no %s file, or a damaged one: %w", in.path, p.name, err)
		}
		in.closers = append(in.closers, done)
		return bufio.NewReaderSize(text, readBuffer), nil
	}
	return r, nil
}
