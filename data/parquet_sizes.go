package data

import (
	"bytes"
	"io"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	pages "github.com/parquet-go/parquet-go/format"
)

// What a page of a Parquet file can hold: packers make text at most so many times smaller, and a byte holds so many
// values. A page may have so much in any case.
const (
	parquetPacked     = 1100
	parquetPage       = 64 << 20 // bytes
	parquetValues     = 64
	parquetPageValues = 4 << 20
	parquetHeader     = 64 << 10 // bytes of the header of a page
)

// checkParquet holds the sizes that a Parquet file claims, of its rows and of each of its pages, against those that it
// can have: the library takes memory for what is claimed before it looks at what is there.
func checkParquet(in *input, file *parquet.File) error {
	meta := file.Metadata()
	damaged := func(what string, n int64) error {
		return mistake("data: read %s: the Parquet file is damaged, or made to harm: %s of %d cannot be in a file of "+
			"%d bytes", in.path, what, n, in.size)
	}
	if n := meta.NumRows; n < 0 || n > parquetPageValues+parquetValues*in.size {
		return damaged("a number of rows", n)
	}
	for _, group := range meta.RowGroups {
		for _, c := range group.Columns {
			at, size := c.MetaData.DataPageOffset, c.MetaData.TotalCompressedSize
			if d := c.MetaData.DictionaryPageOffset; d > 0 && d < at {
				at = d
			}
			if at < 0 || size < 0 || at > in.size || size > in.size-at {
				return damaged("a column", size)
			}
			if n := c.MetaData.NumValues; n < 0 || n > parquetPageValues+parquetValues*in.size {
				return damaged("a number of values", n)
			}
			for end := at + size; at < end; {
				h, n, err := parquetPageHeader(in.file, at, end)
				if err != nil {
					return mistake("data: read %s: the Parquet file is damaged: the header of the page at byte %d: %w",
						in.path, at, err)
				}
				packed, plain := int64(h.CompressedPageSize), int64(h.UncompressedPageSize)
				values := max(h.DataPageHeader.V.NumValues, h.DataPageHeaderV2.V.NumValues, h.DictionaryPageHeader.V.NumValues)
				switch {
				case packed < 0 || packed > end-at-n:
					return damaged("a packed page", packed)
				case plain < 0 || plain > parquetPage+parquetPacked*packed:
					return damaged("a page", plain)
				case values < 0 || int64(values) > parquetPageValues+parquetValues*plain:
					return damaged("a number of values", int64(values))
				}
				if wrong, err := wrongBlock(in.file, c.MetaData.Codec, &h, at+n); err != nil || wrong {
					if err != nil {
						return in.fail(err)
					}
					return damaged("a packed page", packed)
				}
				at += n + packed
			}
		}
	}
	return nil
}

// wrongBlock tells whether a page that begins at a byte is packed as something that is not as long as it says.
func wrongBlock(r io.ReaderAt, codec pages.CompressionCodec, h *pages.PageHeader, at int64) (bool, error) {
	whole := map[pages.CompressionCodec]func([]byte, int64) bool{pages.Lz4Raw: wholeLZ4, pages.Snappy: wholeSnappy}[codec]
	v2 := &h.DataPageHeaderV2.V
	// Of pages of version 2 the levels are not packed.
	levels := int64(v2.RepetitionLevelsByteLength) + int64(v2.DefinitionLevelsByteLength)
	plain := h.DataPageHeaderV2.Valid && v2.IsCompressed.Valid && !v2.IsCompressed.V
	if whole == nil || plain {
		return false, nil
	}
	if levels < 0 || levels > int64(min(h.CompressedPageSize, h.UncompressedPageSize)) {
		return true, nil
	}
	block := make([]byte, int64(h.CompressedPageSize)-levels)
	if _, err := r.ReadAt(block, at+levels); err != nil {
		return false, err
	}
	if len(block) == 0 {
		return false, nil
	}
	return !whole(block, int64(h.UncompressedPageSize)-levels), nil
}

// parquetPageHeader reads the header of a page that begins at a byte and ends before another, and how long it is.
func parquetPageHeader(r io.ReaderAt, at, end int64) (h pages.PageHeader, n int64, err error) {
	text := make([]byte, min(parquetHeader, end-at))
	if _, err := r.ReadAt(text, at); err != nil && err != io.EOF {
		return h, 0, err
	}
	compact := thrift.CompactProtocol{}
	if err := thrift.NewDecoder(compact.NewReaderFromBytes(text)).Decode(&h); err != nil { // lengths are held against text
		return h, 0, err
	}
	left := bytes.NewReader(text)
	h = pages.PageHeader{}
	if err := thrift.NewDecoder(compact.NewReader(left)).Decode(&h); err != nil {
		return h, 0, err
	}
	return h, int64(len(text) - left.Len()), nil
}
