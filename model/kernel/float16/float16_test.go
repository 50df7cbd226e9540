package float16

import (
	"math"
	"testing"
)

// TestHalves takes every half to float32 and back.
func TestHalves(t *testing.T) {
	for bits := range 1 << 16 {
		h := uint16(bits)
		f := FromHalf(h)
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
			if got := ToHalf(f); got != h|0x200 {
				t.Fatalf("NaN %04x came back as %04x, want the quiet NaN", h, got)
			}
			continue
		}
		if float64(f) != want || math.Signbit(float64(f)) != (h>>15 == 1) {
			t.Fatalf("half %04x: got %g, want %g", h, f, want)
		}
		if got := ToHalf(f); got != h {
			t.Fatalf("half %04x came back as %04x", h, got)
		}
	}
}

// TestHalfMidpoints rounds the middle of each two neighbouring halves, and the
// float32 next to it on both sides.
func TestHalfMidpoints(t *testing.T) {
	for h := range uint16(0x7bff) {
		mid := (FromHalf(h) + FromHalf(h+1)) / 2 // exact in float32
		even := h + h&1
		for _, c := range []struct {
			f    float32
			want uint16
		}{{math.Nextafter32(mid, 0), h}, {mid, even}, {math.Nextafter32(mid, 1e9), h + 1}} {
			if got := ToHalf(c.f); got != c.want {
				t.Fatalf("%g: got half %04x, want %04x", c.f, got, c.want)
			}
			if got := ToHalf(-c.f); got != c.want|0x8000 {
				t.Fatalf("%g: got half %04x, want %04x", -c.f, got, c.want|0x8000)
			}
		}
	}
}

// TestBF16 takes every bfloat16 to float32 and back, and what lies between two.
func TestBF16(t *testing.T) {
	for bits := range 1 << 16 {
		u := uint16(bits)
		f := FromBF16(u)
		if f != f {
			if got := ToBF16(f); got != u|0x40 {
				t.Fatalf("NaN %04x came back as %04x, want the quiet NaN", u, got)
			}
			continue
		}
		if got := ToBF16(f); got != u {
			t.Fatalf("bfloat16 %04x came back as %04x", u, got)
		}
		if u&0x7fff == 0x7f80 {
			continue // nothing lies beyond infinity
		}
		for low, want := range map[uint32]uint16{0x7fff: u, 0x8000: u + u&1, 0x8001: u + 1} {
			if got := ToBF16(math.Float32frombits(uint32(u)<<16 | low)); got != want {
				t.Fatalf("%04x%04x: got bfloat16 %04x, want %04x", u, low, got, want)
			}
		}
	}
	if got := ToBF16(math.Float32frombits(0x7f800001)); got != 0x7fc0 {
		t.Errorf("bfloat16 of a NaN: %04x, want 7fc0", got)
	}
}
