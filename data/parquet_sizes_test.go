package data

import (
	"bytes"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
)

// TestParquetDamaged changes bytes of small packed files, one at a time: each file is read or refused, and none takes
// memory for what is not there.
func TestParquetDamaged(t *testing.T) {
	type row struct {
		Instruction string `parquet:"instruction"`
		Output      string `parquet:"output"`
	}
	var rows []row
	for range 6 {
		rows = append(rows, row{"say something that is said again", "something that is said again"})
	}
	for _, codec := range []compress.Codec{&parquet.Lz4Raw, &parquet.Snappy, &parquet.Zstd, &parquet.Gzip} {
		var file bytes.Buffer
		if err := parquet.Write(&file, rows, parquet.Compression(codec)); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "r.parquet")
		read := func(text []byte) (err error) {
			if err := os.WriteFile(path, text, 0o644); err != nil {
				t.Fatal(err)
			}
			_, err = Load(t.Context(), []string{path}, "")
			return err
		}
		if err := read(file.Bytes()); err != nil {
			t.Fatal(codec, err)
		}
		every := 5
		if testing.Short() {
			every = 23
		}
		for at := 0; at < file.Len(); at += every {
			for _, to := range []byte{0xff, 0x7f} {
				text := bytes.Clone(file.Bytes())
				text[at] = to
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				_ = read(text)
				runtime.ReadMemStats(&after)
				if took := (after.TotalAlloc - before.TotalAlloc) >> 20; took > 300 {
					t.Errorf("%v: byte %d of %d is %x: %d MB were taken", codec, at, file.Len(), to, took)
				}
			}
		}
	}
}

// took is how many megabytes were taken in all while do ran.
func took(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return (after.TotalAlloc - before.TotalAlloc) >> 20
}

// TestParquetBombs writes small files of large pages, and of a dictionary's text that many rows have: refused, and less
// than 100 MB are taken. A file that says a word again and again, and one that says it to every row, are read.
func TestParquetBombs(t *testing.T) {
	type plain struct {
		Text string `parquet:"text"`
	}
	type dictionary struct {
		Text string `parquet:"text,dict"`
	}
	for _, codec := range []compress.Codec{&parquet.Gzip, &parquet.Zstd, &parquet.Brotli, &parquet.Snappy} {
		options := []parquet.WriterOption{parquet.Compression(codec), parquet.PageBufferSize(64 << 20)}
		some := slices.Repeat([]plain{{strings.Repeat("words ", 100)}}, 5000) // 3 MB in one page
		many := slices.Repeat([]dictionary{{strings.Repeat("words ", 300)}}, 20_000)
		few := slices.Repeat([]dictionary{{strings.Repeat("words ", 300)}}, 5000)
		for _, x := range []struct {
			name  string
			write func(w *bytes.Buffer) error
			want  string
		}{
			{"a page of 24 MB", func(w *bytes.Buffer) error {
				return parquet.Write(w, slices.Repeat(some, 8), options...)
			}, "a page of "},
			{"36 MB in rows of one text", func(w *bytes.Buffer) error {
				return parquet.Write(w, many, options...)
			}, "more text than a file"},
			{"a page of 3 MB", func(w *bytes.Buffer) error { return parquet.Write(w, some, options...) }, ""},
			{"one word in many rows", func(w *bytes.Buffer) error { return parquet.Write(w, few, options...) }, ""},
		} {
			name := codec.String() + ": " + x.name
			var file bytes.Buffer
			if err := x.write(&file); err != nil {
				t.Fatal(err)
			}
			if x.want == "a page of " && codec == compress.Codec(&parquet.Snappy) {
				continue // which makes it a twentieth only
			}
			path := filepath.Join(t.TempDir(), "r.parquet")
			if err := os.WriteFile(path, file.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
			var err error
			n := took(func() {
				for _, e := range Rows(t.Context(), []string{path}, Options{}) {
					err = e
				}
			})
			if n > 100 || x.want == "" != (err == nil) || err != nil && !strings.Contains(err.Error(), x.want) {
				t.Errorf("%s: %d bytes of file, %d MB were taken, error %v", name, file.Len(), n, err)
			}
		}
	}
}

// TestBlocksThatGrow packs 256 MB in blocks that are said to be one megabyte.
func TestBlocksThatGrow(t *testing.T) {
	zeros := make([]byte, 1<<20)
	pack := func(w io.WriteCloser) {
		for range 1 << 8 {
			if _, err := w.Write(zeros); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	var gz, zst, br bytes.Buffer
	pack(gzip.NewWriter(&gz))
	w, err := zstd.NewWriter(&zst)
	if err != nil {
		t.Fatal(err)
	}
	pack(w)
	pack(brotli.NewWriterLevel(&br, 3))
	for name, x := range map[string]struct {
		block []byte
		whole func([]byte, int64) bool
	}{"gzip": {gz.Bytes(), wholeGzip}, "zstd": {zst.Bytes(), wholeZstd}, "brotli": {br.Bytes(), wholeBrotli}} {
		n := took(func() {
			if x.whole(x.block, 1<<20) || x.whole(x.block, 10<<20) {
				t.Errorf("%s: %d bytes that unpack to 256 MB pass", name, len(x.block))
			}
		})
		if n > 100 {
			t.Errorf("%s: %d MB were taken", name, n)
		}
	}
}

// TestLZ4SavesLittle: the library would read zeros where a block of LZ4 is less than three times as long unpacked.
func TestLZ4SavesLittle(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	type row struct {
		Text string `parquet:"text"`
	}
	var rows []row
	for range 100 {
		text := make([]byte, 60)
		for i := range text {
			text[i] = byte('a' + r.IntN(26))
		}
		rows = append(rows, row{string(text)})
	}
	var file bytes.Buffer
	if err := parquet.Write(&file, rows, parquet.Compression(&parquet.Lz4Raw)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "r.parquet")
	if err := os.WriteFile(path, file.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := Load(t.Context(), []string{path}, "")
	if err == nil || !strings.Contains(err.Error(), "unpacks LZ4 wrongly") {
		t.Errorf("error is %v", err)
	}
}

// TestDamagedBlocks: a block of LZ4 that is said to be whole is unpacked by the library, which would take all memory
// for one that is not.
func TestDamagedBlocks(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	refused := 0
	for range 200 {
		text := bytes.Repeat([]byte("some words that come again, "), 1+r.IntN(40))
		text = append(text, bytes.Repeat([]byte{'x'}, r.IntN(600))...)
		for _, x := range []struct {
			codec compress.Codec
			whole func([]byte, int64) bool
		}{{&parquet.Lz4Raw, wholeLZ4}, {&parquet.Snappy, wholeSnappy}, {&parquet.Gzip, wholeGzip},
			{&parquet.Zstd, wholeZstd}, {&parquet.Brotli, wholeBrotli}} {
			block, err := x.codec.Encode(nil, text)
			if err != nil {
				t.Fatal(err)
			}
			if !x.whole(block, int64(len(text))) || x.whole(block, int64(len(text))-1) {
				t.Fatalf("%v: %d bytes are not told from one less", x.codec, len(text))
			}
			block[r.IntN(len(block))] = byte(r.IntN(256))
			if !x.whole(block, 1<<16) {
				refused++
			} else if plain, err := x.codec.Decode(nil, block); err == nil && len(plain) > 1<<16 {
				t.Errorf("%v: %d bytes", x.codec, len(plain))
			}
		}
	}
	if refused < 20 {
		t.Errorf("only %d damaged blocks were refused", refused)
	}
}
