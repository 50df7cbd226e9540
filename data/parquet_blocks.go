package data

import (
	"encoding/binary"

	"github.com/pierrec/lz4/v4"
)

// The library that reads Parquet unpacks a block of LZ4 into twice as much memory again and again until it fits,
// which a damaged one never does, and believes the length that a block of Snappy begins with. So both are looked at
// before.

// wholeLZ4 tells whether a block of LZ4 unpacks to at most so many bytes.
func wholeLZ4(block []byte, most int64) bool {
	_, err := lz4.UncompressBlock(block, make([]byte, most))
	return err == nil
}

// wholeSnappy tells whether a block of Snappy says that it unpacks to at most so many bytes.
func wholeSnappy(block []byte, most int64) bool {
	n, size := binary.Uvarint(block)
	return size > 0 && n <= uint64(most)
}
