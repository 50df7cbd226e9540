package data

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"testing"

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
		}{{&parquet.Lz4Raw, wholeLZ4}, {&parquet.Snappy, wholeSnappy}} {
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
