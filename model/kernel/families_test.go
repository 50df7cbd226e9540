package kernel

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"
)

// familyBits is storedBits of the kernels that not every family needs: GeGLU, the additions to the residual stream, and
// attention with a window.
const familyBits = "0693dae716689670b4685e0020970ce14a69b96e36404508990217773a5fa101"

// TestFamilyBits holds those kernels to the same bits on every path and with any number of threads.
func TestFamilyBits(t *testing.T) {
	was := path
	defer func() { path = was }()
	for _, path = range paths() {
		for _, threads := range []int{1, 2, 3} {
			p := NewPool(threads)
			h, k := sha256.New(), newKernels()
			n, c := k.n, k.c
			p.GeGLU(k.out, k.gu, n, c)
			bitsOf(h, k.out)
			p.GeGLUBackward(k.dgu, k.x, k.gu, n, c)
			bitsOf(h, k.dgu)
			p.RMSNormAdd(k.out, k.x, k.y, k.ids, k.w, k.inv, n, c, 1e-5)
			bitsOf(h, k.out)
			p.AddResidual(k.out, k.z, nil, 0.22, n, c)
			bitsOf(h, k.out)

			const heads, kv, d = 4, 1, 24 // 6 heads of 24 are the 144 columns of x
			a := &Attention{Heads: heads, KVHeads: kv, D: d, Scale: 0.2, Window: 37}
			segs := []Segment{{Start: 0, End: 50}, {PrefixEnd: 50, Start: 50, End: 120}, {Start: 120, End: n}}
			out, lse := make([]float32, n*heads*d), make([]float32, n*heads)
			a.Forward(p, out, k.x, lse, segs)
			a.Backward(p, k.dx, k.y[:len(out)], out, k.x, lse, segs)
			for _, x := range [][]float32{out, lse, k.dx} {
				bitsOf(h, x)
			}
			p.Close()
			if got := hex.EncodeToString(h.Sum(nil)); got != familyBits {
				t.Errorf("%s, %d threads: the bits have changed: hash %s, want %s", Path(), threads, got, familyBits)
			}
		}
	}
}
