package checkpoints

import (
	"bytes"
	"math"
	"testing"
)

// TestHalves takes every half to float32 and back.
func TestHalves(t *testing.T) {
	for bits := range 1 << 16 {
		h := uint16(bits)
		f := halfToFloat(h)
		exp, mant := int(h>>10&31), float64(h&0x3ff)
		want := math.Ldexp(1+mant/1024, exp-15)
		switch exp {
		case 0:
			want = math.Ldexp(mant/1024, -14)
		case 31:
			want = math.Inf(1)
		}
		if h>>15 == 1 {
			want = -want
		}
		if exp == 31 && mant != 0 {
			if f == f {
				t.Fatalf("half %04x is NaN, got %g", h, f)
			}
			if got := floatToHalf(f); got != h|0x200 {
				t.Fatalf("NaN %04x came back as %04x, want the quiet NaN", h, got)
			}
			continue
		}
		if float64(f) != want || math.Signbit(float64(f)) != (h>>15 == 1) {
			t.Fatalf("half %04x: got %g, want %g", h, f, want)
		}
		if got := floatToHalf(f); got != h {
			t.Fatalf("half %04x came back as %04x", h, got)
		}
	}
}

// TestHalfMidpoints rounds the middle of each two neighbouring halves, and the
// float32 next to it on both sides.
func TestHalfMidpoints(t *testing.T) {
	for h := range uint16(0x7bff) {
		mid := (halfToFloat(h) + halfToFloat(h+1)) / 2 // exact in float32
		even := h + h&1
		for _, c := range []struct {
			f    float32
			want uint16
		}{{math.Nextafter32(mid, 0), h}, {mid, even}, {math.Nextafter32(mid, 1e9), h + 1}} {
			if got := floatToHalf(c.f); got != c.want {
				t.Fatalf("%g: got half %04x, want %04x", c.f, got, c.want)
			}
			if got := floatToHalf(-c.f); got != c.want|0x8000 {
				t.Fatalf("%g: got half %04x, want %04x", -c.f, got, c.want|0x8000)
			}
		}
	}
}

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
		want, err := s.ReadBytes("round." + string(d))
		if err != nil {
			t.Fatal(err)
		}
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
	if got, err := s.ReadBytes("BOOL"); err != nil || !bytes.Equal(got, []byte{1, 0}) {
		t.Errorf("BOOL: got %v %v, want [1 0]", got, err)
	}
	wantError(t, s.Read("I64", make([]float32, 3)), `"I64"`, "dtype I64", "F32, F16, BF16 or F64")
	if got := s.Metadata()["made by"]; got != "make.py" {
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
	if got := floatToBF16(math.Float32frombits(0x7f800001)); got != 0x7fc0 {
		t.Errorf("bfloat16 of a NaN: %04x, want 7fc0", got)
	}
}
