package checkpoints

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestWriteGGUF: what is written is read back, metadata and tensors of every type.
func TestWriteGGUF(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.gguf")
	var meta Metadata
	meta.SetString("general.architecture", "other")
	meta.SetString("general.architecture", "test")
	meta.SetUint32("count", 7)
	meta.SetFloat32("eps", 1e-5)
	meta.SetBool("yes", true)
	meta.SetBool("no", false)
	meta.SetStrings("texts", []string{"", "a b", "ü"})
	meta.SetInt32s("ids", []int32{-1, 2})
	meta.SetFloat32s("scores", []float32{0, -3})
	values := make([]float32, 3*64)
	for i := range values {
		values[i] = float32(math.Sin(float64(i)*0.7)) * float32(1+i/32)
	}
	clear(values[32:64]) // a block of zeros
	types := GGUFTypes()
	var tensors []GGUFTensor
	for _, kind := range types {
		tensors = append(tensors, GGUFTensor{"t." + kind, []int{3, 64}, kind, func(dst []float32) { copy(dst, values) }})
	}
	tensors = append(tensors, GGUFTensor{"odd", []int{3}, "F16", func(dst []float32) { copy(dst, values) }})
	if err := WriteGGUF(path, &meta, tensors); err != nil {
		t.Fatal(err)
	}
	g, err := OpenGGUF(path)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	if arch, _ := g.String("general.architecture"); arch != "test" || !slices.Equal(g.Keys(), meta.Keys()) {
		t.Errorf("architecture %q, keys %q, written %q", arch, g.Keys(), meta.Keys())
	}
	n, _ := g.Uint("count")
	eps, _ := g.Float("eps")
	yes, _ := g.Bool("yes")
	no, known := g.Bool("no")
	texts, _ := g.Strings("texts")
	ids, _ := g.Ints("ids")
	scores, _ := g.Floats("scores")
	if n != 7 || float32(eps) != 1e-5 || !yes || no || !known || !slices.Equal(texts, []string{"", "a b", "ü"}) ||
		!slices.Equal(ids, []int64{-1, 2}) || !slices.Equal(scores, []float32{0, -3}) {
		t.Errorf("read back: %v %v %v %v %q %v %v", n, eps, yes, no, texts, ids, scores)
	}
	// The largest error of a block over its largest magnitude.
	allowed := map[string]float64{"F32": 0, "F16": 0x1p-11, "BF16": 0x1p-8, "Q8_0": 0.0041, "Q4_0": 0.13}
	for _, kind := range types {
		got := make([]float32, len(values))
		if err := g.Read("t."+kind, got); err != nil {
			t.Fatal(err)
		}
		for at := 0; at < len(values); at += 32 {
			worst, most := 0.0, 0.0
			for i, v := range values[at : at+32] {
				worst = max(worst, math.Abs(float64(v-got[at+i])))
				most = max(most, math.Abs(float64(v)))
			}
			if !(worst <= allowed[kind]*most) {
				t.Errorf("%s: block at %d: largest error %g of %g, allowed %g of it", kind, at, worst, most, allowed[kind])
			}
		}
	}
}

// TestQuantised holds blocks against bytes that ggml's quantize_row_q8_0_ref and quantize_row_q4_0_ref give.
func TestQuantised(t *testing.T) {
	x := make([]float32, 32)
	for i := range x {
		x[i] = float32(i-16) / 16 // -1 ... 0.9375
	}
	q8, q4 := make([]byte, 34), make([]byte, 18)
	if err := encodeQ8_0(q8, x); err != nil {
		t.Fatal(err)
	}
	if err := encodeQ4_0(q4, x); err != nil {
		t.Fatal(err)
	}
	// d = 1/127 is 0x2008 as a half; -1 is -127, -0.9375 is round(-119.06).
	if q8[0] != 0x08 || q8[1] != 0x20 || int8(q8[2]) != -127 || int8(q8[3]) != -119 || int8(q8[33]) != 119 {
		t.Errorf("Q8_0: % x", q8)
	}
	// d = 1/8 is 0x3000; element 0 is 0 and element 16 is 8, element 15 is trunc(-0.5+8.5) and element 31 15.
	if q4[0] != 0 || q4[1] != 0x30 || q4[2] != 0x80 || q4[17] != 0xf8 {
		t.Errorf("Q4_0: % x", q4)
	}
}

func TestWriteGGUFRefuses(t *testing.T) {
	fill := func(v float32) func([]float32) {
		return func(dst []float32) {
			for i := range dst {
				dst[i] = v
			}
		}
	}
	nan := float32(math.NaN())
	for _, c := range []struct {
		name, want string
		tensors    []GGUFTensor
	}{
		{"too large for a half", `tensor "a": value 70000 does not fit in F16`,
			[]GGUFTensor{{"a", []int{2}, "F16", fill(70000)}}},
		{"a scale too large", "a half cannot hold", []GGUFTensor{{"a", []int{32}, "Q8_0", fill(1e8)}}},
		{"no number", "a half cannot hold", []GGUFTensor{{"a", []int{32}, "Q4_0", fill(nan)}}},
		{"rows", "rows of 33 values, but Q8_0 packs 32", []GGUFTensor{{"a", []int{33}, "Q8_0", fill(0)}}},
		{"type", "cannot be written, expected one of F32 F16 Q4_0 Q8_0 BF16",
			[]GGUFTensor{{"a", []int{256}, "Q4_K", fill(0)}}},
		{"twice", "there twice", []GGUFTensor{{"a", []int{1}, "F32", fill(0)}, {"a", []int{1}, "F32", fill(0)}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a.gguf")
			err := WriteGGUF(path, &Metadata{}, c.tensors)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if left, _ := os.ReadDir(filepath.Dir(path)); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}
