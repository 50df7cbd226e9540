package checkpoints

import (
	"bytes"
	"math"
	"testing"
)

// TestReferenceDTypes holds reading and rounding against values made by torch.
func TestReferenceDTypes(t *testing.T) {
	s, err := OpenSafetensors("testdata/dtypes.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, d := range []DType{F32, F16, BF16, F64} {
		sameBits(t, string(d), read(t, s, string(d)), read(t, s, string(d)+".expected"))
	}
	values := read(t, s, "round")
	for _, d := range []DType{F16, BF16} {
		want := rawBytes(t, &s.tensorFile, "round."+string(d))
		got := make([]byte, 2*len(values))
		if err := d.encoder()(got, values); err != nil {
			t.Fatal(err)
		}
		for i := range values {
			if !bytes.Equal(got[2*i:2*i+2], want[2*i:2*i+2]) {
				t.Fatalf("%s of %g: got %x, want %x", d, values[i], got[2*i:2*i+2], want[2*i:2*i+2])
			}
		}
	}
	if got := read(t, s, "scalar"); len(got) != 1 || got[0] != 7 {
		t.Errorf("scalar: got %v, want [7]", got)
	}
	if shape, _ := s.Shape("empty"); len(shape) != 2 || shape[0] != 0 || shape[1] != 3 {
		t.Errorf("empty: shape %v, want [0 3]", shape)
	}
	read(t, s, "empty")
	if got := rawBytes(t, &s.tensorFile, "BOOL"); !bytes.Equal(got, []byte{1, 0}) {
		t.Errorf("BOOL: got %v, want [1 0]", got)
	}
	wantError(t, s.Read("I64", make([]float32, 3)), `"I64"`, "dtype I64", "F32, F16, BF16 or F64")
	if got := s.metadata["made by"]; got != "make.py" {
		t.Errorf("metadata: got %q", got)
	}
}

// TestOverflow: a finite value never becomes infinite in silence.
func TestOverflow(t *testing.T) {
	for _, c := range []struct {
		name  string
		dtype DType
		value float32
		ok    bool
	}{
		{"largest half", F16, 65504, true},
		{"rounds down to the largest half", F16, math.Nextafter32(65520, 0), true},
		{"too large for half", F16, -65520, false},
		{"infinity stays", F16, float32(math.Inf(-1)), true},
		{"largest bfloat16", BF16, math.Float32frombits(0x7f7f0000), true},
		{"too large for bfloat16", BF16, math.MaxFloat32, false},
		{"float32 takes all", F32, math.MaxFloat32, true},
	} {
		err := c.dtype.encoder()(make([]byte, 4), []float32{c.value})
		if (err == nil) != c.ok {
			t.Errorf("%s: got error %v", c.name, err)
		}
	}
	if err := decodeF64(make([]float32, 1), []byte{0, 0, 0, 0, 0, 0, 0xe0, 0x7f}); err == nil {
		t.Error("a float64 beyond float32 was taken")
	}
}
