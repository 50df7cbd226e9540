// Package rng makes random numbers from counters, so that a number depends on what it is for and never on who asked
// first.
//
// The generator is Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
package rng

import (
	"math"
	"math/bits"

	"instruct/model/kernel/exact"
)

// Rand is one stream, keyed by seed, purpose and two numbers. Copying a Rand copies its place in the stream.
type Rand struct {
	key     [2]uint32
	counter [4]uint32 // words 0 and 1 count blocks, 2 and 3 are the stream's
	block   [4]uint32
	left    int // unused words of block
	spare   float64
	spared  bool
}

// NewRand gives the stream of (seed, purpose, a, b), at its start. For one seed and purpose different (a, b) give
// unrelated streams.
func NewRand(seed uint64, purpose string, a, b uint64) Rand {
	h := uint64(14695981039346656037) // FNV-1a
	for i := 0; i < len(purpose); i++ {
		h = (h ^ uint64(purpose[i])) * 1099511628211
	}
	k := mix(mix(seed) + h)
	s := mix(mix(a) + b)
	return Rand{key: [2]uint32{uint32(k), uint32(k >> 32)}, counter: [4]uint32{2: uint32(s), 3: uint32(s >> 32)}}
}

// mix is the finalizer of SplitMix64, a bijection.
func mix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// philox is Philox4x32 with ten rounds.
func philox(c [4]uint32, k [2]uint32) [4]uint32 {
	for range 10 {
		h0, l0 := bits.Mul32(0xD2511F53, c[0])
		h1, l1 := bits.Mul32(0xCD9E8D57, c[2])
		c = [4]uint32{h1 ^ c[1] ^ k[0], l1, h0 ^ c[3] ^ k[1], l0}
		k[0] += 0x9E3779B9
		k[1] += 0xBB67AE85
	}
	return c
}

// Uint32 gives 32 random bits.
func (r *Rand) Uint32() uint32 {
	if r.left == 0 {
		r.block = philox(r.counter, r.key)
		r.left = 4
		r.counter[0]++
		if r.counter[0] == 0 {
			r.counter[1]++
		}
	}
	r.left--
	return r.block[3-r.left]
}

// Uint64 gives 64 random bits.
func (r *Rand) Uint64() uint64 {
	lo := uint64(r.Uint32())
	return uint64(r.Uint32())<<32 | lo
}

// Float64 gives a number in [0, 1) with 53 random bits.
func (r *Rand) Float64() float64 { return float64(float64(r.Uint64()>>11) / (1 << 53)) }

// Normal gives a standard normal number (Box and Muller, on logarithm and cosine of our own, so that the bits do not
// depend on the CPU).
func (r *Rand) Normal() float64 {
	if r.spared {
		r.spared = false
		return r.spare
	}
	u := 1 - r.Float64() // (0, 1]
	v := r.Float64()
	sin, cos := exact.SinCos(float64(2 * math.Pi * v))
	m := math.Sqrt(float64(-2 * exact.Log(u)))
	r.spare, r.spared = float64(m*sin), true
	return float64(m * cos)
}

// Intn gives a number in [0, n), without bias. It panics when n <= 0.
func (r *Rand) Intn(n int) int {
	if n <= 0 {
		panic("rng: Intn needs n > 0")
	}
	m := uint64(n)
	hi, lo := bits.Mul64(r.Uint64(), m)
	if lo < m {
		low := -m % m
		for lo < low {
			hi, lo = bits.Mul64(r.Uint64(), m)
		}
	}
	return int(hi)
}

// Perm gives a random order of 0 .. n-1.
func (r *Rand) Perm(n int) []int {
	p := make([]int, n)
	for i := range p {
		p[i] = i
	}
	r.Shuffle(n, func(i, j int) { p[i], p[j] = p[j], p[i] })
	return p
}

// Shuffle puts n things into a random order (Fisher and Yates).
func (r *Rand) Shuffle(n int, swap func(i, j int)) {
	for i := n - 1; i > 0; i-- {
		swap(i, r.Intn(i+1))
	}
}
