package data

import (
	"bytes"
	"encoding/binary"
	"io"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	pages "github.com/parquet-go/parquet-go/format"
	"github.com/pierrec/lz4/v4"
)

// The library that reads Parquet unpacks a block into twice as much memory again and again until it fits, which a
// damaged one of LZ4 never does, and believes the length that a block of Snappy or Zstandard begins with. So they are
// looked at before.

// wholeBlocks tell, for each codec, whether a block unpacks to at most so many bytes.
var wholeBlocks = map[pages.CompressionCodec]func(block []byte, most int64) bool{
	pages.Lz4Raw: wholeLZ4,
	pages.Snappy: wholeSnappy,
	pages.Gzip:   wholeGzip,
	pages.Zstd:   wholeZstd,
	pages.Brotli: wholeBrotli,
}

func wholeLZ4(block []byte, most int64) bool {
	_, err := lz4.UncompressBlock(block, make([]byte, most))
	return err == nil
}

func wholeSnappy(block []byte, most int64) bool {
	n, size := binary.Uvarint(block)
	return size > 0 && n <= uint64(most)
}

func wholeGzip(block []byte, most int64) bool {
	r, err := gzip.NewReader(bytes.NewReader(block))
	return err == nil && endsWithin(r, most)
}

// mostZstdWindow is the memory that the decoder of a block may ask for; writers of Parquet stay below 8 MB.
const mostZstdWindow = 32 << 20

func wholeZstd(block []byte, most int64) bool {
	r, err := zstd.NewReader(bytes.NewReader(block), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(mostZstdWindow))
	if err != nil {
		return false
	}
	defer r.Close()
	return endsWithin(r, most)
}

func wholeBrotli(block []byte, most int64) bool {
	return endsWithin(brotli.NewReader(bytes.NewReader(block)), most)
}

// endsWithin tells whether a reader ends, without an error, after at most so many bytes.
func endsWithin(r io.Reader, most int64) bool {
	n, err := io.Copy(io.Discard, io.LimitReader(r, most+1))
	return err == nil && n <= most
}
