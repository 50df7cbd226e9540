package rng

import (
	"fmt"
	"math"
	"testing"
)

func ExampleNewRand() {
	a := NewRand(1, "init", 0, 7)
	b := NewRand(1, "init", 0, 7)
	c := NewRand(1, "init", 0, 8)
	x, y, z := a.Uint32(), b.Uint32(), c.Uint32()
	fmt.Println(x == y, x == z)
	// Output: true false
}

// The vectors come from the Random123 distribution (kat_vectors, philox4x32 10).
func TestPhilox(t *testing.T) {
	tests := []struct {
		name string
		c    [4]uint32
		k    [2]uint32
		want [4]uint32
	}{
		{"zeros", [4]uint32{}, [2]uint32{}, [4]uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{"ones", [4]uint32{^uint32(0), ^uint32(0), ^uint32(0), ^uint32(0)}, [2]uint32{^uint32(0), ^uint32(0)},
			[4]uint32{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
		{"pi", [4]uint32{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, [2]uint32{0xa4093822, 0x299f31d0},
			[4]uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
	}
	for _, tt := range tests {
		if got := philox(tt.c, tt.k); got != tt.want {
			t.Errorf("%s: %08x, want %08x", tt.name, got, tt.want)
		}
	}
}

func TestKeysMatter(t *testing.T) {
	first := func(seed uint64, purpose string, a, b uint64) uint64 {
		r := NewRand(seed, purpose, a, b)
		return r.Uint64()
	}
	seen := map[uint64]string{}
	for _, seed := range []uint64{0, 1, 1 << 40} {
		for _, purpose := range []string{"", "init", "order"} {
			for a := range uint64(20) {
				for b := range uint64(20) {
					name := fmt.Sprint(seed, purpose, a, b)
					x := first(seed, purpose, a, b)
					if other, ok := seen[x]; ok {
						t.Fatalf("%s and %s start alike", name, other)
					}
					seen[x] = name
				}
			}
		}
	}
}

func TestMoments(t *testing.T) {
	const n = 200000
	r := NewRand(42, "moments", 0, 0)
	var u, u2, g, g2, g4 float64
	for range n {
		x := r.Float64()
		if x < 0 || x >= 1 {
			t.Fatalf("Float64 gave %g", x)
		}
		u += x
		u2 += x * x
		z := r.Normal()
		g += z
		g2 += z * z
		g4 += z * z * z * z
	}
	for _, m := range []struct {
		name            string
		got, want, slop float64
	}{
		{"uniform mean", u / n, 0.5, 0.003}, {"uniform square", u2 / n, 1.0 / 3, 0.003},
		{"normal mean", g / n, 0, 0.01}, {"normal square", g2 / n, 1, 0.015}, {"normal fourth", g4 / n, 3, 0.12},
	} {
		if math.Abs(m.got-m.want) > m.slop {
			t.Errorf("%s: %g, want %g", m.name, m.got, m.want)
		}
	}
}

func TestIntnAndPerm(t *testing.T) {
	r := NewRand(3, "intn", 1, 2)
	var count [7]int
	for range 70000 {
		count[r.Intn(7)]++
	}
	for i, c := range count {
		if c < 9500 || c > 10500 {
			t.Errorf("Intn(7) gave %d %d times of 70000", i, c)
		}
	}
	seen := make([]bool, 1000)
	fixed := 0
	for i, p := range r.Perm(1000) {
		if seen[p] {
			t.Fatalf("%d stands twice", p)
		}
		seen[p] = true
		if i == p {
			fixed++
		}
	}
	if fixed > 10 {
		t.Errorf("%d of 1000 stayed in place", fixed)
	}
}
