package checkpoints

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"instruct/model/kernel/float16"
)

// randomTensors holds every class of float32 bits, in sizes around the chunk size.
func randomTensors() []Tensor {
	r := rand.New(rand.NewPCG(1, 2))
	var list []Tensor
	for i, shape := range [][]int{{7}, {}, {3, 0}, {2, 3, 5}, {chunkBytes/4 + 1}, {3, chunkBytes / 4}} {
		n, _ := mulShape(shape, 4)
		t := Tensor{Name: "layer/" + string(rune('z'-i)) + ` "é`, Shape: shape, Data: make([]float32, n)}
		for j := range t.Data {
			t.Data[j] = math.Float32frombits(r.Uint32()) // NaNs with payloads, infinities, subnormals
		}
		list = append(list, t)
	}
	return list
}

func TestRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.safetensors")
	tensors := randomTensors()
	if err := WriteSafetensors(path, tensors, map[string]string{"step": "3"}, F32); err != nil {
		t.Fatal(err)
	}
	s, err := OpenSafetensors(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if m := s.metadata; m["format"] != "pt" || m["step"] != "3" {
		t.Errorf("metadata %v", m)
	}
	if s.data%8 != 0 {
		t.Errorf("data begins at %d, not a multiple of 8", s.data)
	}
	var wg sync.WaitGroup
	for i, want := range tensors {
		if got := s.Names()[i]; got != want.Name {
			t.Errorf("tensor %d is %q, want %q", i, got, want.Name)
		}
		if shape, _ := s.Shape(want.Name); !slices.Equal(shape, want.Shape) {
			t.Errorf("%s: shape %v, want %v", want.Name, shape, want.Shape)
		}
		wg.Go(func() { // a Source may be read from several goroutines
			got := make([]float32, len(want.Data))
			if err := s.Read(want.Name, got); err != nil {
				t.Error(err)
			}
			for j := range got {
				if math.Float32bits(got[j]) != math.Float32bits(want.Data[j]) {
					t.Errorf("%s: element %d differs", want.Name, j)
					return
				}
			}
		})
	}
	wg.Wait()

	again := filepath.Join(t.TempDir(), "y.safetensors")
	if err := WriteSafetensors(again, tensors, map[string]string{"step": "3"}, F32); err != nil {
		t.Fatal(err)
	}
	a, _ := os.ReadFile(path)
	b, _ := os.ReadFile(again)
	if string(a) != string(b) {
		t.Error("the same tensors gave two different files")
	}
}

func TestRoundTrip16(t *testing.T) {
	for _, d := range []DType{F16, BF16} {
		path := filepath.Join(t.TempDir(), "x.safetensors")
		data := make([]float32, 1<<16)
		for i := range data {
			if d == F16 {
				data[i] = float16.FromHalf(uint16(i))
			} else {
				data[i] = math.Float32frombits(uint32(i) << 16)
			}
			if data[i] != data[i] { // NaNs become quiet; see TestHalves
				data[i] = 0
			}
		}
		if err := WriteSafetensors(path, []Tensor{{"x", []int{1 << 16}, data}}, nil, d); err != nil {
			t.Fatal(err)
		}
		s, err := OpenSafetensors(path)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if got := s.tensors["x"].kind.name; got != string(d) {
			t.Errorf("dtype %s, want %s", got, d)
		}
		sameBits(t, string(d), read(t, s, "x"), data)
	}
}

func TestWriteRejects(t *testing.T) {
	x := Tensor{"x", []int{2}, []float32{1, 2}}
	for name, c := range map[string]struct {
		tensors []Tensor
		dtype   DType
		want    string
	}{
		"same name twice": {[]Tensor{x, x}, F32, `"x" is taken`},
		"reserved name":   {[]Tensor{{"__metadata__", nil, []float32{1}}}, F32, "reserved"},
		"wrong shape":     {[]Tensor{{"x", []int{3}, x.Data}}, F32, "shape [3] and 2 elements"},
		"negative shape":  {[]Tensor{{"x", []int{-1, -2}, x.Data}}, F32, "shape"},
		"unknown dtype":   {[]Tensor{x}, "F8", `dtype "F8"`},
		"F64 is not ours": {[]Tensor{x}, F64, `dtype "F64"`},
		"does not fit": {[]Tensor{x, {"big", []int{1}, []float32{1e6}}}, F16,
			`tensor "big": value 1e+06 does not fit in F16`},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			err := WriteSafetensors(filepath.Join(dir, "x.safetensors"), c.tensors, nil, c.dtype)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
			if left, _ := os.ReadDir(dir); len(left) != 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

func TestHeaderRejects(t *testing.T) {
	tensor := func(dtype, shape, offsets string) string {
		return `{"t":{"dtype":"` + dtype + `","shape":` + shape + `,"data_offsets":` + offsets + `}}`
	}
	two := func(a, b string) string {
		return `{"a":{"dtype":"F32","shape":[2],"data_offsets":` + a + `},` +
			`"b":{"dtype":"F32","shape":[2],"data_offsets":` + b + `}}`
	}
	for _, c := range []struct {
		name, header string
		data         int
		want         string
	}{
		{"not JSON", "hello", 0, "JSON"},
		{"not an object", "[]", 0, "expected a JSON object"},
		{"JSON cut short", `{"t":{"dtype":"F32"`, 0, "JSON ends too early"},
		{"something behind it", `{} {}`, 0, "after its JSON object"},
		{"not UTF-8", "{\"\xff\":{}}", 0, "not UTF-8"},
		{"tensor twice", strings.Replace(two("[0,8]", "[8,16]"), `"b":`, `"a":`, 1), 16, `"a" twice`},
		{"key twice", `{"t":{"dtype":"F32","dtype":"F32","shape":[],"data_offsets":[0,4]}}`, 4, `"dtype" stands there twice`},
		{"metadata twice", `{"__metadata__":{},"__metadata__":{}}`, 0, `"__metadata__" twice`},
		{"metadata key twice", `{"__metadata__":{"a":"1","a":"2"}}`, 0, `"a" twice`},
		{"metadata not text", `{"__metadata__":{"a":1}}`, 0, `"a" is not a string`},
		{"unknown key", `{"t":{"dtype":"F32","shape":[],"offsets":[0,4]}}`, 4, `unknown key "offsets"`},
		{"no shape", `{"t":{"dtype":"F32","data_offsets":[0,4]}}`, 4, `"shape" is missing`},
		{"tensor is a number", `{"t":3}`, 0, "expected a JSON object"},
		{"unknown dtype", tensor("F7", "[1]", "[0,4]"), 4, `unknown dtype "F7"`},
		{"negative dimension", tensor("F32", "[-1]", "[0,4]"), 4, "shape holds -1"},
		{"fraction", tensor("F32", "[1.0]", "[0,4]"), 4, "shape holds 1.0"},
		{"dimension too large", tensor("F32", "[99999999999999999999]", "[0,4]"), 4, "shape holds 99999999999999999999"},
		{"product overflows", tensor("F32", "[4294967296,4294967296,4294967296]", "[0,0]"), 0, "too large"},
		{"bytes overflow", tensor("F64", "[2305843009213693952]", "[0,0]"), 0, "too large"},
		{"overflow hidden by zero", tensor("F32", "[4294967296,4294967296,0]", "[0,0]"), 0, "too large"},
		{"one offset", tensor("F32", "[1]", "[4]"), 4, "data_offsets has 1 numbers"},
		{"offsets too short", tensor("F32", "[2]", "[0,4]"), 4, "do not fit F32 [2], which takes 8 bytes"},
		{"offsets backwards", tensor("F32", "[1]", "[4,0]"), 4, "do not fit"},
		{"gap in front", tensor("F32", "[1]", "[4,8]"), 8, "gap after offset 0"},
		{"gap between", two("[0,8]", "[12,20]"), 20, `"b": begins at offset 12, leaving a gap after offset 8`},
		{"overlap", two("[0,8]", "[4,12]"), 12, `"b": begins at offset 4, inside`},
		{"same place", two("[0,8]", "[0,8]"), 8, "inside the tensor before it"},
		{"truncated", two("[8,16]", "[0,8]"), 15, "truncated: expected 132 bytes, found 131"},
		{"too long", two("[0,8]", "[8,16]"), 17, "does not account for the last 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := openBytes(safetensorsBytes(c.header, c.data))
			wantError(t, err, "test.safetensors", c.want)
		})
	}
}

func TestFileRejects(t *testing.T) {
	_, err := OpenSafetensors(filepath.Join(t.TempDir(), "none.safetensors"))
	wantError(t, err, "none.safetensors", "no such file")
	_, err = OpenSafetensors(t.TempDir())
	wantError(t, err, "it is a folder")
	_, err = openBytes([]byte("short"))
	wantError(t, err, "5 bytes, expected at least 8")
	_, err = openBytes(binary.LittleEndian.AppendUint64(nil, 1<<63))
	wantError(t, err, "the limit is 100000000")
	_, err = openBytes(binary.LittleEndian.AppendUint64(nil, 50))
	wantError(t, err, "truncated: the header takes bytes 8 to 58, the file has 8")
	for _, header := range []string{`{"` + strings.Repeat("x", 10000) + `":{"dtype":"F7"}}`, `{"t":"\u001b[31m"}`} {
		_, err = openBytes(safetensorsBytes(header, 0))
		wantError(t, err)
		if len(err.Error()) > 1000 || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("the message is not fit for a terminal: %q", err)
		}
	}

	s, err := openBytes(smallSafetensors())
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, s.Read("none", nil), `no tensor "none"`)
	if err := s.Read("a", make([]float32, 5)); err == nil || !strings.Contains(err.Error(), "room for 5") {
		t.Errorf("wrong length: got %v", err)
	}
	if _, ok := s.Shape("none"); ok {
		t.Error("a shape was found for no tensor")
	}
}

// TestShrunk reads a file that became shorter after it was opened.
func TestShrunk(t *testing.T) {
	path := writeTemp(t, "x.safetensors", smallSafetensors())
	s, err := OpenSafetensors(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := os.Truncate(path, int64(len(smallSafetensors())-30)); err != nil {
		t.Fatal(err)
	}
	wantError(t, s.Read("a", make([]float32, 6)), `"a"`, "became shorter")
}
