package checkpoints

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"path/filepath"
	"slices"
	"unicode/utf8"
	"unsafe"
)

// Tensor is a named row-major array to be written. len(Data) is the product of Shape.
type Tensor struct {
	Name  string
	Shape []int
	Data  []float32
}

// WriteSafetensors writes tensors to path in the given order, converted to dtype (F32, BF16 or F16, rounded to nearest
// even; a finite value that would become infinite is an error). The file appears whole or not at all, like [WriteFile].
// Tensors are streamed, never copied whole: blocks of 8 MB go to the disk, on Linux around its cache of pages. The data
// begins at a multiple of 8 bytes; the format allows no gaps, so each tensor is aligned to its own dtype and, where
// sizes are multiples of 8 bytes, to 8. metadata goes to the header's __metadata__ with format "pt" added, which
// transformers requires.
func WriteSafetensors(path string, tensors []Tensor, metadata map[string]string, dtype DType) error {
	return Sums(nil).WriteSafetensors(path, tensors, metadata, dtype)
}

// WriteSafetensors is the function of that name, and takes the sum of the file while it is written.
func (s Sums) WriteSafetensors(path string, tensors []Tensor, metadata map[string]string, dtype DType) error {
	header, err := encodeHeader(tensors, metadata, dtype)
	if err != nil {
		return fmt.Errorf("checkpoints: write %s: %w", path, err)
	}
	size := int64(len(header))
	for _, t := range tensors {
		size += int64(len(t.Data)) * int64(dtype.Size())
	}
	var sum hash.Hash
	if s != nil {
		sum = sha256.New()
	}
	err = writeAtomic(path, func(w io.Writer) error {
		b := newBlockWriter(w, size, sum)
		if err := writeTensors(b, header, tensors, dtype); err != nil {
			return err
		}
		return b.flush()
	})
	if err == nil && s != nil {
		s[filepath.Base(path)] = hex.EncodeToString(sum.Sum(nil))
	}
	return err
}

// encodeHeader gives the file up to its data: 8 bytes of length, then JSON padded with spaces.
func encodeHeader(tensors []Tensor, metadata map[string]string, dtype DType) ([]byte, error) {
	if dtype.encoder() == nil {
		return nil, fmt.Errorf("dtype %q cannot be written, expected F32, BF16 or F16", dtype)
	}
	all := map[string]string{"format": "pt"}
	for k, v := range metadata {
		if !utf8.ValidString(k) || !utf8.ValidString(v) {
			return nil, fmt.Errorf("metadata %q is not UTF-8", k)
		}
		all[k] = v
	}
	var b bytes.Buffer
	b.Write(make([]byte, 8))
	b.WriteString(`{"__metadata__":`)
	writeJSON(&b, all)
	names := map[string]bool{"__metadata__": true}
	var at int64
	for _, t := range tensors {
		if names[t.Name] || !utf8.ValidString(t.Name) {
			return nil, fmt.Errorf("tensor name %q is taken, reserved or not UTF-8", t.Name)
		}
		names[t.Name] = true
		if n, ok := mulShape(t.Shape, dtype.Size()); !ok || n != len(t.Data) {
			return nil, fmt.Errorf("tensor %q has shape %v and %d elements", t.Name, t.Shape, len(t.Data))
		}
		end := at + int64(len(t.Data))*int64(dtype.Size())
		b.WriteByte(',')
		writeJSON(&b, t.Name)
		b.WriteByte(':')
		writeJSON(&b, struct {
			DType   DType    `json:"dtype"`
			Shape   []int    `json:"shape"`
			Offsets [2]int64 `json:"data_offsets"`
		}{dtype, append([]int{}, t.Shape...), [2]int64{at, end}})
		at = end
	}
	b.WriteByte('}')
	for b.Len()%8 != 0 {
		b.WriteByte(' ')
	}
	if b.Len()-8 > maxHeader {
		return nil, fmt.Errorf("header of %d bytes, the format allows %d", b.Len()-8, maxHeader)
	}
	binary.LittleEndian.PutUint64(b.Bytes(), uint64(b.Len()-8))
	return b.Bytes(), nil
}

// writeJSON adds v, which always encodes; keys of maps come sorted.
func writeJSON(b *bytes.Buffer, v any) {
	p, _ := json.Marshal(v)
	b.Write(p)
}

// writeTensors streams header and data to w in chunks.
func writeTensors(w io.Writer, header []byte, tensors []Tensor, dtype DType) error {
	if _, err := w.Write(header); err != nil {
		return err
	}
	encode, size := dtype.encoder(), dtype.Size()
	buf := make([]byte, chunkBytes)
	for _, t := range tensors {
		if p, ok := fileBytes(t.Data); ok && dtype == F32 {
			if _, err := w.Write(p); err != nil {
				return err
			}
			continue
		}
		for part := range slices.Chunk(t.Data, chunkBytes/size) {
			p := buf[:len(part)*size]
			if err := encode(p, part); err != nil {
				return fmt.Errorf("tensor %q: %w", t.Name, err)
			}
			if _, err := w.Write(p); err != nil {
				return err
			}
		}
	}
	return nil
}

// fileBytes gives the memory of float32 values where it has the bytes of a file: on little-endian machines.
func fileBytes(values []float32) ([]byte, bool) {
	little := binary.NativeEndian.Uint16([]byte{1, 0}) == 1
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(values))), 4*len(values)), little
}
