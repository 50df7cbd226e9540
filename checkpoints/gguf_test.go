package checkpoints

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"slices"
	"strings"
	"testing"

	"instruct/model/kernel/float16"
)

func openReference(t *testing.T) *GGUF {
	g, err := OpenGGUF("testdata/quants.gguf")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	return g
}

// TestReferenceQuants holds every type against gguf.quants.dequantize, bit for bit.
func TestReferenceQuants(t *testing.T) {
	g := openReference(t)
	for _, kind := range []string{"F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q4_K", "Q5_K", "Q6_K"} {
		t.Run(kind, func(t *testing.T) {
			if got := g.tensors[kind].kind.name; got != kind {
				t.Errorf("type %q", got)
			}
			if shape, _ := g.Shape(kind); !slices.Equal(shape, []int{2, 256}) {
				t.Errorf("shape %v, want [2 256]", shape)
			}
			sameBits(t, kind, read(t, g, kind), read(t, g, kind+".expected"))
		})
	}
	if shape, _ := g.Shape("axes"); !slices.Equal(shape, []int{2, 3, 4}) {
		t.Errorf("axes: shape %v, want the row-major [2 3 4]", shape)
	}
	for i, v := range read(t, g, "axes") {
		if v != float32(i) {
			t.Fatalf("axes: element %d is %g", i, v)
		}
	}
}

// TestParallelRead reads a tensor of many chunks and compares it with its blocks read one by one.
func TestParallelRead(t *testing.T) {
	const blocks = 4*chunkBytes/210 + 3
	b := newGGUFBuilder(3, 1, 0).tensor("w", 14, 0, 256, blocks)
	file := b.data(blocks * 210)
	for i := range blocks { // halves that are finite
		binary.LittleEndian.PutUint16(file[len(file)-210*i-2:], uint16(i%0x7c00))
	}
	g, err := openGGUFBytes(file)
	if err != nil {
		t.Fatal(err)
	}
	want := make([]float32, 256*blocks)
	for i := range blocks {
		decodeQ6_K(want[i*256:i*256+256], file[len(file)-210*(blocks-i):len(file)-210*(blocks-i-1)])
	}
	sameBits(t, "w", read(t, g, "w"), want)
}

func TestMetadata(t *testing.T) {
	g := openReference(t)
	integers := map[string]uint64{"t.uint8": 200, "t.uint16": 60000, "t.uint32": 4e9, "t.uint64": 18e18}
	for key, want := range integers {
		if got, ok := g.Uint(key); !ok || got != want {
			t.Errorf("%s: got %d %v, want %d", key, got, ok, want)
		}
	}
	floats := map[string]float64{
		"t.int8": -100, "t.int16": -30000, "t.int32": -2e9, "t.int64": -9e18, "t.float32": float64(float32(0.1)),
		"t.float64": 0.1, "t.uint8": 200, "t.uint64": 18e18,
	}
	for key, want := range floats {
		if got, ok := g.Float(key); !ok || got != want {
			t.Errorf("%s: got %g %v, want %g", key, got, ok, want)
		}
	}
	for key, want := range map[string]bool{"t.true": true, "t.false": false} {
		if got, ok := g.Bool(key); !ok || got != want {
			t.Errorf("%s: got %v %v", key, got, ok)
		}
	}
	if got, ok := g.String("t.string"); !ok || got != "héllo\nworld" {
		t.Errorf("t.string: %q %v", got, ok)
	}
	if got, ok := g.Strings("t.strings"); !ok || !slices.Equal(got, []string{"a", "", "ü"}) {
		t.Errorf("t.strings: %q %v", got, ok)
	}
	if got, ok := g.Ints("t.ints"); !ok || !slices.Equal(got, []int64{1, -2, 3}) {
		t.Errorf("t.ints: %v %v", got, ok)
	}
	if got, ok := g.Floats("t.floats"); !ok || !slices.Equal(got, []float32{0.5, -1.25}) {
		t.Errorf("t.floats: %v %v", got, ok)
	}
	for _, key := range []string{"none", "t.int8", "t.float32", "t.true", "t.string", "t.ints"} {
		if v, ok := g.Uint(key); ok {
			t.Errorf("Uint(%s) gave %d", key, v)
		}
	}
	for _, key := range []string{"none", "t.int8", "t.floats", "t.strings", "t.bools"} {
		if v, ok := g.Ints(key); ok {
			t.Errorf("Ints(%s) gave %d", key, v)
		}
	}
	for _, key := range []string{"none", "t.true", "t.string", "t.floats"} {
		if v, ok := g.Float(key); ok {
			t.Errorf("Float(%s) gave %g", key, v)
		}
		if v, ok := g.Floats("t.ints"); ok {
			t.Errorf("Floats(t.ints) gave %g", v)
		}
		if v, ok := g.Strings(key); ok {
			t.Errorf("Strings(%s) gave %q", key, v)
		}
	}
	if v, ok := g.String("t.strings"); ok {
		t.Errorf("String(t.strings) gave %q", v)
	}
	if v, ok := g.Bool("t.uint8"); ok {
		t.Errorf("Bool(t.uint8) gave %v", v)
	}
	if _, ok := g.meta["t.bools"]; !ok {
		t.Error("no t.bools")
	}
}

// TestArrays covers the element types that gguf's writer does not write, and version 2.
func TestArrays(t *testing.T) {
	b := newGGUFBuilder(2, 0, 4)
	b.key("u64", metaArray).u32(uint32(metaUint64)).u64(2).u64(1).u64(math.MaxUint64)
	b.key("f64", metaArray).u32(uint32(metaFloat64)).u64(1).u64(math.Float64bits(0.5))
	b.key("empty", metaArray).u32(uint32(metaInt32)).u64(0)
	b.key("i8", metaArray).u32(uint32(metaInt8)).u64(2).Write([]byte{1, 0xff})
	g, err := openGGUFBytes(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if v, ok := g.Ints("u64"); ok {
		t.Errorf("Ints took 2^64-1: %v", v)
	}
	if v, ok := g.Floats("f64"); !ok || !slices.Equal(v, []float32{0.5}) {
		t.Errorf("f64: %v %v", v, ok)
	}
	if v, ok := g.Ints("empty"); !ok || len(v) != 0 {
		t.Errorf("empty: %v %v", v, ok)
	}
	if v, ok := g.Ints("i8"); !ok || !slices.Equal(v, []int64{1, -1}) {
		t.Errorf("i8: %v %v", v, ok)
	}
}

func TestGGUFRejects(t *testing.T) {
	head := func(tensors, pairs uint64) *ggufBuilder { return newGGUFBuilder(3, tensors, pairs) }
	const huge = 1 << 62
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"empty", nil, `not a GGUF file: it begins with ""`},
		{"other magic", []byte("GGML....................."), `it begins with "GGML"`},
		{"version 1", newGGUFBuilder(1, 0, 0).Bytes(), "GGUF version 1, expected 2 or 3"},
		{"big-endian", newGGUFBuilder(3<<24, 0, 0).Bytes(), "big-endian"},
		{"only a magic", []byte("GGUF"), "version takes 4 bytes at byte 4, but only 0 are left"},
		{"huge tensor count", head(huge, 0).Bytes(), "4611686018427387904 tensors"},
		{"huge metadata count", head(0, huge).Bytes(), "4611686018427387904 metadata entries"},
		{"missing metadata", append(head(0, 1).Bytes(), make([]byte, 12)...),
			"1 metadata entries at byte 24, but only 12 bytes are left"},
		{"huge key", head(0, 1).u64(huge).u64(0).Bytes(), "metadata key takes 4611686018427387904 bytes"},
		{"huge string", head(0, 1).key("k", metaString).u64(huge).Bytes(), `metadata "k" takes 4611686018427387904 bytes`},
		{"huge array", head(0, 1).key("k", metaArray).u32(uint32(metaUint64)).u64(huge).Bytes(),
			`4611686018427387904 elements of metadata "k"`},
		{"huge string array", head(0, 1).key("k", metaArray).u32(uint32(metaString)).u64(huge).Bytes(),
			`4611686018427387904 elements of metadata "k"`},
		{"bad string in array", head(0, 1).key("k", metaArray).u32(uint32(metaString)).u64(1).u64(9).Bytes(),
			`metadata "k" takes 9 bytes`},
		{"array of arrays", head(0, 1).key("k", metaArray).u32(uint32(metaArray)).u64(0).Bytes(), "an array of arrays"},
		{"unknown metadata type", head(0, 1).key("k", 13).u64(0).Bytes(), `metadata "k": unknown type number 13`},
		{"unknown element type", head(0, 1).key("k", metaArray).u32(99).u64(0).Bytes(), "unknown type number 99"},
		{"key twice", head(0, 2).key("k", metaUint32).u32(1).key("k", metaUint32).u32(1).Bytes(), `"k" twice`},
		{"alignment of 3", head(0, 1).key("general.alignment", metaUint32).u32(3).Bytes(),
			"general.alignment is 3 (uint32), expected a power of two"},
		{"alignment of 0", head(0, 1).key("general.alignment", metaUint32).u32(0).Bytes(), "expected a power of two"},
		{"alignment is text", head(0, 1).key("general.alignment", metaString).str("32").Bytes(), `general.alignment is "32"`},
		{"tensor twice", head(2, 0).tensor("t", 0, 0, 1).tensor("t", 0, 32, 1).data(64), `"t" stands there twice`},
		{"five dimensions", head(1, 0).tensor("t", 0, 0, 1, 1, 1, 1, 1).data(4), "5 dimensions"},
		{"huge dimension", head(1, 0).tensor("t", 0, 0, 1<<63).data(4), "dimension of 9223372036854775808"},
		{"shape overflows", head(1, 0).tensor("t", 0, 0, 1<<32, 1<<32).data(4), "shape [4294967296 4294967296] is too large"},
		{"overflow hidden by zero", head(1, 0).tensor("t", 0, 0, 1<<32, 1<<32, 0).data(4), "too large"},
		{"unknown type", head(1, 0).tensor("t", 77, 0, 1).data(4), `tensor "t": unknown type number 77`},
		{"half a block", head(1, 0).tensor("t", 3, 0, 48).data(40), "rows of 48 elements, but Q4_1 packs 32"},
		{"offset not aligned", head(1, 0).tensor("t", 0, 8, 1).data(64), "offset 8 is not a multiple of the alignment, 32"},
		{"offset beyond the end", head(1, 0).tensor("t", 0, huge, 1).data(64), "beyond the end"},
		{"data beyond the end", head(1, 0).tensor("t", 0, 32, 8).data(63),
			`truncated: tensor "t" ends at byte 128, the file has 127`},
		{"bigger than the file", head(1, 0).tensor("t", 0, 0, 1<<40).data(64), "truncated"},
		{"overlap", head(2, 0).tensor("a", 0, 0, 9).tensor("b", 0, 32, 1).data(64), `tensor "b" overlaps tensor "a"`},
		{"table cut short", smallGGUF()[:300], "truncated or damaged"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := openGGUFBytes(c.file)
			wantError(t, err, "test.gguf", c.want)
		})
	}
}

func TestGGUFRead(t *testing.T) {
	path := writeTemp(t, "x.gguf", newGGUFBuilder(3, 2, 0).tensor("iq", 22, 0, 256).tensor("f", 28, 96).data(96+8))
	g, err := OpenGGUF(path)
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, g.Read("iq", make([]float32, 256)), `"iq": type IQ2_S is not supported`,
		"F32 F16 Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 Q4_K Q5_K Q6_K F64 BF16")
	wantError(t, g.Read("none", nil), `no tensor "none"`)
	if err := g.Read("f", nil); err == nil || !strings.Contains(err.Error(), "room for 0") {
		t.Errorf("wrong length: %v", err)
	}
	if shape, ok := g.Shape("f"); !ok || len(shape) != 0 {
		t.Errorf("scalar: shape %v %v", shape, ok)
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
	if err := g.Read("f", make([]float32, 1)); err == nil {
		t.Error("a closed file was read")
	}
}

// TestFixtureGGUF reads a real model whole. The sum was made from the tensors as
// gguf.quants.dequantize gives them, in the order of the file (testdata/sum.py).
func TestFixtureGGUF(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: reads 134,515,008 elements")
	}
	g, err := OpenGGUF(fixture(t, "models/smollm2-135m-instruct-gguf/SmolLM2-135M-Instruct.Q4_1.gguf"))
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	if arch, _ := g.String("general.architecture"); arch != "llama" {
		t.Errorf("architecture %q", arch)
	}
	if tokens, _ := g.Strings("tokenizer.ggml.tokens"); len(tokens) != 49152 {
		t.Errorf("%d tokens", len(tokens))
	}
	if shape, _ := g.Shape("blk.0.ffn_down.weight"); !slices.Equal(shape, []int{576, 1536}) {
		t.Errorf("ffn_down: shape %v, want [576 1536]", shape)
	}
	sum := sha256.New()
	elements := 0
	for _, name := range g.Names() {
		values := read(t, g, name)
		elements += len(values)
		buf := make([]byte, 4*len(values))
		F32.encoder()(buf, values)
		sum.Write(buf)
	}
	if elements != 134515008 {
		t.Errorf("%d elements, want 134515008", elements)
	}
	const want = "1034100613c22abd3cc047d99b02ed7a8d419bc245f4cf54a4736c5f699ba569"
	if got := hex.EncodeToString(sum.Sum(nil)); got != want {
		t.Errorf("sum of all tensors %s, want %s", got, want)
	}
}

// TestReadBlocks: the bytes of a Q8_0 tensor are blocks whose scale times code is what Read gives.
func TestReadBlocks(t *testing.T) {
	g := openReference(t)
	raw, err := g.ReadBlocks("Q8_0")
	if err != nil || len(raw) != 2*256/32*34 {
		t.Fatalf("%d bytes, %v", len(raw), err)
	}
	for i, want := range read(t, g, "Q8_0") {
		block := raw[i/32*34:]
		if got := float16.FromHalf(binary.LittleEndian.Uint16(block)) * float32(int8(block[2+i%32])); got != want {
			t.Fatalf("element %d is %g, want %g", i, got, want)
		}
	}
	if a, b := g.BlockType("Q4_1"), g.BlockType("none"); a != "Q4_1" || b != "" {
		t.Errorf("the types are %q and %q", a, b)
	}
	if _, err := g.ReadBlocks("none"); err == nil {
		t.Error("a tensor that is not there is read")
	}
}

// TestReadRows: rows read alone have the bits that they have in the whole tensor.
func TestReadRows(t *testing.T) {
	g := openReference(t)
	for _, kind := range []string{"F16", "Q4_0", "Q8_0", "Q6_K", "axes"} {
		whole := read(t, g, kind)
		half := make([]float32, len(whole)/2)
		for row := range 2 {
			if err := g.ReadRows(kind, row, half); err != nil {
				t.Fatal(err)
			}
			sameBits(t, kind, half, whole[row*len(half):][:len(half)])
		}
		if err := g.ReadRows(kind, 1, whole); err == nil {
			t.Errorf("%s: more rows than there are were read", kind)
		}
	}
	if err := g.ReadRows("Q6_K", 0, make([]float32, 100)); err == nil {
		t.Error("a part of a block was read")
	}
}
