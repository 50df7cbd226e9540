package data

import (
	"bytes"
	"io"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	pages "github.com/parquet-go/parquet-go/format"
)

// What a Parquet file can hold. A page may have parquetPage bytes in any case, and parquetPacked times as many as it is
// packed in: packers make text of people ten times smaller, and one that is said again and again, of which the writers
// begin a page after a megabyte, a thousand times. Rows may have parquetRows bytes, and parquetRowsPacked times as many
// as the file: a dictionary has a text once that many rows have. A byte holds so many values.
const (
	parquetPage       = 4 << 20
	parquetPacked     = 100
	parquetRows       = 16 << 20
	parquetRowsPacked = 200
	parquetValues     = 64
	parquetPageValues = 4 << 20
	parquetHeader     = 64 << 10 // bytes of the header of a page
)

// checkParquet holds the sizes that a Parquet file claims, of its rows and of each of its pages, against those that it
// can have: the library takes memory for what is claimed before it looks at what is there.
//
// dictionaries is how many bytes a row can have that its columns' dictionaries hold.
func checkParquet(in *input, file *parquet.File) (dictionaries int64, err error) {
	meta := file.Metadata()
	damaged := func(what string, n int64) (int64, error) {
		return 0, mistake("data: read %s: the Parquet file is damaged, or made to harm: %s of %d cannot be in a file of "+
			"%d bytes", in.path, what, n, in.size)
	}
	if n := meta.NumRows; n < 0 || n > parquetPageValues+parquetValues*in.size {
		return damaged("a number of rows", n)
	}
	all := int64(0) // bytes of the columns, which have no byte in common
	for _, group := range meta.RowGroups {
		inGroup := int64(0)
		for _, c := range group.Columns {
			at, size := c.MetaData.DataPageOffset, c.MetaData.TotalCompressedSize
			if d := c.MetaData.DictionaryPageOffset; d > 0 && d < at {
				at = d
			}
			if at < 0 || size < 0 || at > in.size || size > in.size-at {
				return damaged("a column", size)
			}
			if all += size; all > in.size {
				return damaged("columns", all)
			}
			if n := c.MetaData.NumValues; n < 0 || n > parquetPageValues+parquetValues*in.size {
				return damaged("a number of values", n)
			}
			for end := at + size; at < end; {
				h, n, err := parquetPageHeader(in.file, at, end)
				if err != nil {
					return 0, mistake("data: read %s: the Parquet file is damaged: the header of the page at byte %d: %w",
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
				if h.DictionaryPageHeader.Valid {
					inGroup += plain
				}
				if levels := levelBytes(&h); c.MetaData.Codec == pages.Lz4Raw && plain-levels < zeroLZ4*(packed-levels) {
					return 0, mistake("data: read %s: the library that reads Parquet unpacks LZ4 wrongly where it saves "+
						"little, as at byte %d; write the file with Zstandard or Snappy", in.path, at)
				}
				if wrong, err := wrongBlock(in.file, c.MetaData.Codec, &h, at+n); err != nil || wrong {
					if err != nil {
						return 0, in.fail(err)
					}
					return damaged("a packed page", packed)
				}
				at += n + packed
			}
		}
		dictionaries = max(dictionaries, inGroup)
	}
	return dictionaries, nil
}

// zeroLZ4: where a block of LZ4 is less than so many times as long as it is packed, the library (v0.32.0) unpacks it
// into memory of its own and then gives zeros of the length that was asked for.
const zeroLZ4 = 3

// wrongBlock tells whether a page that begins at a byte is packed as something that is not as long as it says.
func wrongBlock(r io.ReaderAt, codec pages.CompressionCodec, h *pages.PageHeader, at int64) (bool, error) {
	whole := wholeBlocks[codec]
	v2 := &h.DataPageHeaderV2.V
	levels := levelBytes(h)
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

// levelBytes is how many bytes of a page hold levels that are not packed, which those of version 2 have.
func levelBytes(h *pages.PageHeader) int64 {
	v2 := &h.DataPageHeaderV2.V
	return int64(v2.RepetitionLevelsByteLength) + int64(v2.DefinitionLevelsByteLength)
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
