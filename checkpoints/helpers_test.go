package checkpoints

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fixture gives the path of a file of the shared fixtures, or skips the test.
func fixture(t *testing.T, path string) string {
	t.Helper()
	root := os.Getenv("INSTRUCT_FIXTURES")
	if root == "" {
		dir, err := os.Getwd()
		if err != nil {
			t.Fatal(err)
		}
		for !exists(filepath.Join(dir, "go.mod")) {
			dir = filepath.Dir(dir)
		}
		root = filepath.Join(dir, "..", "shared", "fixtures")
	}
	path = filepath.Join(root, path)
	if !exists(path) {
		t.Skipf("no fixture at %s (set INSTRUCT_FIXTURES)", path)
	}
	return path
}

// wantError requires a user's error that contains all of want.
func wantError(t *testing.T, err error, want ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", want)
	}
	var user interface{ UserError() bool }
	if !errors.As(err, &user) || !user.UserError() {
		t.Errorf("not a user's error: %v", err)
	}
	for _, w := range want {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error %q does not contain %q", err, w)
		}
	}
}

func writeTemp(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// read gives all of a tensor.
func read(t *testing.T, s Source, name string) []float32 {
	t.Helper()
	shape, ok := s.Shape(name)
	if !ok {
		t.Fatalf("no tensor %q", name)
	}
	n, _ := mulShape(shape, 4)
	dst := make([]float32, n)
	if err := s.Read(name, dst); err != nil {
		t.Fatal(err)
	}
	return dst
}

// sameBits fails at the first element that differs.
func sameBits(t *testing.T, name string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d elements, want %d", name, len(got), len(want))
	}
	for i := range got {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
			t.Fatalf("%s: element %d is %g (%08x), want %g (%08x)", name, i,
				got[i], math.Float32bits(got[i]), want[i], math.Float32bits(want[i]))
		}
	}
}

// safetensorsBytes is a file of the given header and data.
func safetensorsBytes(header string, data int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, data)...)
}

// openBytes opens a safetensors file held in memory.
func openBytes(file []byte) (*Safetensors, error) {
	return newSafetensors(tensorFile{path: "test.safetensors", r: bytes.NewReader(file)}, int64(len(file)))
}

// openGGUFBytes opens a GGUF file held in memory.
func openGGUFBytes(file []byte) (*GGUF, error) {
	return newGGUF(tensorFile{path: "test.gguf", r: bytes.NewReader(file)}, int64(len(file)))
}

// ggufBuilder writes the pieces of a GGUF file one after the other.
type ggufBuilder struct{ bytes.Buffer }

// newGGUFBuilder begins a file with its counts.
func newGGUFBuilder(version uint32, tensors, pairs uint64) *ggufBuilder {
	b := &ggufBuilder{}
	b.WriteString("GGUF")
	return b.u32(version).u64(tensors).u64(pairs)
}

func (b *ggufBuilder) u32(v uint32) *ggufBuilder {
	b.Write(binary.LittleEndian.AppendUint32(nil, v))
	return b
}

func (b *ggufBuilder) u64(v uint64) *ggufBuilder {
	b.Write(binary.LittleEndian.AppendUint64(nil, v))
	return b
}

func (b *ggufBuilder) str(s string) *ggufBuilder {
	b.u64(uint64(len(s))).WriteString(s)
	return b
}

// key begins a metadata pair.
func (b *ggufBuilder) key(name string, kind metaType) *ggufBuilder {
	return b.str(name).u32(uint32(kind))
}

// tensor adds an entry of the tensor table; dims in ggml's order.
func (b *ggufBuilder) tensor(name string, kind uint32, offset uint64, dims ...uint64) *ggufBuilder {
	b.str(name).u32(uint32(len(dims)))
	for _, d := range dims {
		b.u64(d)
	}
	return b.u32(kind).u64(offset)
}

// data pads to 32 and adds n bytes: 1, 2, 3 ...
func (b *ggufBuilder) data(n int) []byte {
	for b.Len()%32 != 0 {
		b.WriteByte(0)
	}
	for i := range n {
		b.WriteByte(byte(i + 1))
	}
	return b.Bytes()
}

// smallGGUF is a valid file with each kind of thing in it.
func smallGGUF() []byte {
	b := newGGUFBuilder(3, 3, 5)
	b.key("general.architecture", metaString).str("llama")
	b.key("llama.block_count", metaUint32).u32(2)
	b.key("general.alignment", metaUint32).u32(32)
	b.key("tokens", metaArray).u32(uint32(metaString)).u64(3).str("a").str("").str("bc")
	b.key("types", metaArray).u32(uint32(metaInt32)).u64(2).u32(1).u32(0xffffffff)
	b.tensor("a", 0, 0, 4, 2).tensor("b", 3, 32, 32).tensor("c", 14, 64, 256)
	return b.data(64 + 210)
}

// smallSafetensors is a valid file of three dtypes.
func smallSafetensors() []byte {
	return safetensorsBytes(`{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},`+
		`"b":{"dtype":"BF16","shape":[4],"data_offsets":[24,32]},"c":{"dtype":"I64","shape":[],"data_offsets":[32,40]}}`, 40)
}

// rawBytes gives a tensor's little-endian bytes as stored, whatever its dtype.
func rawBytes(t *testing.T, f *tensorFile, name string) []byte {
	t.Helper()
	p := make([]byte, f.tensors[name].size)
	if err := readFull(f.r, p, f.tensors[name].begin); err != nil {
		t.Fatal(err)
	}
	return p
}
