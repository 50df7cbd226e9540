package kernel

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"math"
	"slices"
	"testing"

	"instruct/model/kernel/exact"
	"instruct/model/kernel/rng"
)

// bitsOf adds the bits of x to h.
func bitsOf(h hash.Hash, x []float32) {
	for _, v := range x {
		h.Write(binary.LittleEndian.AppendUint32(nil, math.Float32bits(v)))
	}
}

// storedBits are the hashes of what the kernels gave on amd64 when they were stored. Every path of every architecture
// is held to them.
const storedBits = "ae4498aee19dae4a57c67359d06413848bb2ad5945ac42eb468ac80b9cf6bf55"

// TestStoredBits hashes what every kernel writes: those of newKernels in their order, then products of all forms,
// attention, logarithm and hyperbolic tangent.
func TestStoredBits(t *testing.T) {
	was := path
	defer func() { path = was }()
	p := NewPool(2)
	defer p.Close()
	for _, path = range paths() {
		h := sha256.New()
		k := newKernels()
		k.run(p, func(_ string, x []float32) { bitsOf(h, x) })
		r := rng.NewRand(11, "stored bits", 0, 0)
		for _, f := range []Form{NT, NN, TN} {
			const m, n, k = 37, 53, 601
			a, b, c := normals(&r, m*k), normals(&r, n*k), normals(&r, m*n)
			lda, ldb := k, k
			if f == TN {
				lda = m
			}
			if f != NT {
				ldb = n
			}
			p.Gemm(f, m, n, k, a, lda, b, ldb, c, n, true)
			bitsOf(h, c)
		}
		const n, heads, kv, d = 70, 4, 2, 24
		a := &Attention{Heads: heads, KVHeads: kv, D: d, Scale: 0.2}
		qkv, out, lse := normals(&r, n*(heads+2*kv)*d), make([]float32, n*heads*d), make([]float32, n*heads)
		segs := []Segment{{Start: 0, End: 9}, {PrefixStart: 0, PrefixEnd: 9, Start: 9, End: 40}, {Start: 40, End: 70}}
		a.Forward(p, out, qkv, lse, segs)
		dout, dqkv := normals(&r, len(out)), make([]float32, len(qkv))
		a.Backward(p, dqkv, dout, out, qkv, lse, segs)
		bitsOf(h, slices.Concat(out, lse, dqkv))
		for _, x := range k.x {
			bitsOf(h, []float32{Tanh(x), float32(exact.Log(float64(x * x)))})
		}
		if got := hex.EncodeToString(h.Sum(nil)); got != storedBits {
			t.Errorf("%s: the bits of the kernels have changed: hash %s, want %s", Path(), got, storedBits)
		}
	}
}
