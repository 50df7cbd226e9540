package kernel

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"testing"

	"instruct/model/kernel/float16"
	"instruct/model/kernel/rng"
)

// forPaths runs f on every path of this machine.
func forPaths(t *testing.T, f func(t *testing.T)) {
	old := path
	defer func() { path = old }()
	for _, p := range paths() {
		path = p
		t.Run("path="+p.String(), f)
	}
}

func onHeap(n int) []float32 { return make([]float32, n) }

func TestBF16Bits(t *testing.T) {
	values := []float32{0, float32(math.Copysign(0, -1)), 1, 1.00390625, 1.01171875, -1.00390625, 1e-45, math.MaxFloat32,
		float32(math.Inf(1)), float32(math.Inf(-1)),
		math.Float32frombits(0x7f800001), math.Float32frombits(0xffc12345), math.Float32frombits(0x7fffffff),
		math.Float32frombits(0xffffffff)}
	want := []uint16{0, 0x8000, 0x3f80, 0x3f80, 0x3f82, 0xbf80, 0, 0x7f80, 0x7f80, 0xff80, 0x7fc0, 0xffc1, 0x7fff, 0xffff}
	forPaths(t, func(t *testing.T) {
		r := rng.NewRand(3, "bf16", 0, 0)
		for n := range 70 {
			src := newGuarded(n, r.Intn(4))
			for i := range src.x {
				src.x[i] = values[r.Intn(len(values))]
				if r.Intn(2) == 0 {
					src.x[i] = math.Float32frombits(uint32(r.Intn(1 << 32)))
				}
			}
			got, spec := make([]uint16, n+32), make([]uint16, n+32)
			roundBF16(got[16:16+n], src.x)
			roundBF16Generic(spec[16:16+n], src.x)
			if !slices.Equal(got, spec) {
				t.Fatalf("n=%d: rounding differs: %x, want %x", n, got, spec)
			}
			out, back := newGuarded(n, r.Intn(4)), make([]float32, n)
			expandBF16(out.x, got[16:])
			expandBF16Generic(back, got[16:])
			if i := firstDifference(out.x, back); i >= 0 || !out.intact() {
				t.Fatalf("n=%d: expansion differs at %d, or writes outside", n, i)
			}
		}
		got := make([]uint16, len(values))
		roundBF16(got, values)
		if !slices.Equal(got, want) {
			t.Errorf("rounded %x, want %x", got, want)
		}
	})
}

// TestGemmDequantized: in both forms and for any number of rows and threads, the product has the bits of the float32
// product with the values that the weights stand for.
func TestGemmDequantized(t *testing.T) {
	pools := []*Pool{NewPool(1), NewPool(2), NewPool(3)}
	for _, p := range pools {
		defer p.Close()
	}
	shapes := [][3]int{{1, 1, 1}, {1, 33, 600}, {1, 200, 64}, {1, 40, 13}, {2, 16, 32}, {5, 100, 37}, {17, 250, 530},
		{40, 33, 1100}, {19, 1100, 33}, {130, 100, 300}, {1100, 9, 17}, {60, 70, 5}, {3, 0, 5}, {3, 5, 0}, {0, 5, 7}}
	kinds := []Weights{{DType: F32, Form: NT}, {DType: BF16, Form: NT}}
	for _, d := range inBlocks {
		kinds = append(kinds, Weights{DType: d, Form: NT}, Weights{DType: d, Form: NN})
	}
	forPaths(t, func(t *testing.T) {
		r := rng.NewRand(5, "dequantized", 0, 0)
		shapes := slices.Clone(shapes)
		for range 12 {
			shapes = append(shapes, [3]int{1 + r.Intn(30), 1 + r.Intn(120), 1 + r.Intn(80)})
		}
		if raced {
			shapes = shapes[5:9]
		}
		for _, s := range shapes {
			for _, kind := range kinds {
				w := NewWeights(kind.DType, kind.Form, s[1], s[2], onHeap)
				if err := w.Set(pools[1], 0, matrix(&r, w.Rows, w.Cols, w.Cols, 0).x); err != nil {
					t.Fatal(err)
				}
				if w.q.codes != nil {
					w.q.codes[r.Intn(len(w.q.codes))] = 0 // of Q8_0 -128, which a file may hold
				}
				for _, f := range []Form{NT, NN} {
					testGemmDequantized(t, &r, pools, f, s[0], &w)
				}
			}
		}
	})
}

func testGemmDequantized(t *testing.T, r *rng.Rand, pools []*Pool, f Form, m int, w *Weights) {
	n, k := w.Rows, w.Cols
	if f == NN {
		n, k = k, n
	}
	lda, ldc := k+r.Intn(3), n+r.Intn(3)
	a, c := matrix(r, m, k, lda, r.Intn(8)), matrix(r, m, n, ldc, r.Intn(8))
	start, values := slices.Clone(c.x), w.values()
	for _, acc := range []bool{false, true} {
		want := slices.Clone(start)
		pools[0].Gemm(f, m, n, k, a.x, lda, values, w.Cols, want, ldc, acc)
		for _, p := range pools {
			copy(c.x, start)
			p.GemmDequantized(f, m, a.x, lda, w, c.x, ldc, acc)
			if i := firstDifference(c.x, want); i >= 0 || !a.intact() || !c.intact() {
				t.Fatalf("%v (made for %v) %v m=%d n=%d k=%d accumulate=%v threads=%d: element %d is %g, want %g",
					w.DType, w.Form, f, m, n, k, acc, p.Threads(), i, c.x[max(i, 0)], want[max(i, 0)])
			}
		}
	}
}

// values gives the matrix (Rows, Cols) that the weights stand for, one value at a time.
func (w *Weights) values() []float32 {
	x := make([]float32, w.Rows*w.Cols)
	for i := range x {
		switch w.DType {
		case F32:
			x[i] = w.f32[i]
		case BF16:
			x[i] = float16.FromBF16(w.bf16[i])
		default:
			out, in := i/w.Cols, i%w.Cols
			if w.Form == NN {
				out, in = in, out
			}
			code, scale, low := w.q.code(out, in)
			x[i] = scale * code
			if w.DType == Q4_1 {
				x[i] += low
			}
		}
	}
	return x
}

// inBlocks are the formats whose weights are a quantized matrix.
var inBlocks = []DType{Q8_0, Q4_0, Q4_1}

// code gives an input of an output, the scale of its block and the minimum.
func (q *quantized) code(out, in int) (code, scale, low float32) {
	panel, lane := out/16*((q.in+31)/32)+in/32, out%16
	in %= 32
	if q.kind == Q8_0 {
		return float32(q.codes[panel*512+in/4*64+lane*4+in%4]) - 128, float16.FromHalf(q.scales[panel*16+lane]), 0
	}
	code = float32(q.codes[panel*256+in%16/4*64+lane*4+in%4] >> (in / 16 * 4) & 15)
	if q.kind == Q4_0 {
		return code - 8, float16.FromHalf(q.scales[panel*16+lane]), 0
	}
	return code, float16.FromHalf(q.scales[panel*32+lane]), float16.FromHalf(q.scales[panel*32+16+lane])
}

func TestExpandBlocks(t *testing.T) {
	forPaths(t, func(t *testing.T) {
		r := rng.NewRand(17, "expand", 0, 0)
		for i := range 600 {
			d := inBlocks[i%3]
			codes, scales := make([]byte, q8Panel*d.codeBytes()), make([]uint16, q8Panel*d.numbers())
			for j := range codes {
				codes[j] = byte(r.Intn(256))
			}
			for j := range scales {
				scales[j] = uint16(r.Intn(1 << 16)) // infinities and NaNs too, which a file may hold
			}
			rows, n := 1+r.Intn(q8Panel), 1+r.Intn(q8Block)
			if i/3%2 == 0 {
				rows, n = q8Panel, q8Block
			}
			ld := n + r.Intn(9)
			got, want := newGuarded((rows-1)*ld+n, r.Intn(8)), newGuarded((rows-1)*ld+n, 0)
			expandBlocks(d, got.x, ld, rows, n, codes, scales)
			expandBlocksGeneric(d, want.x, ld, rows, n, codes, scales)
			if at := firstDifference(got.x, want.x); at >= 0 || !got.intact() {
				t.Fatalf("%v rows=%d n=%d ld=%d: element %d is %g, want %g", d, rows, n, ld, at, got.x[max(at, 0)],
					want.x[max(at, 0)])
			}
		}
	})
}

func TestQuantizeRow(t *testing.T) {
	forPaths(t, func(t *testing.T) {
		r := rng.NewRand(9, "q8", 0, 0)
		for trial := range 400 {
			n := 32 * r.Intn(5)
			x := newGuarded(n, r.Intn(8))
			scale := math.Pow(10, float64(r.Intn(76)-38))
			for i := range x.x {
				x.x[i] = float32(r.Normal() * scale)
				switch special := r.Intn(200); {
				case special < 20:
					x.x[i] = 0
				case special == 21 && trial%4 == 0:
					x.x[i] = float32(math.Inf(-1))
				case special == 22 && trial%4 == 0:
					x.x[i] = float32(math.NaN())
				}
			}
			size := n / q8Block * q8RowSize
			got, want := make([]byte, size+128), make([]byte, size+128)
			quantizeRow(got[64:64+size], x.x)
			quantizeRowGeneric(want[64:64+size], x.x, dotPath() == avx512)
			if !slices.Equal(got, want) {
				t.Fatalf("%v gives\n%v, want\n%v", x.x, got, want)
			}
		}
	})
}

// TestBlocksGemm: every path, number of threads and number of rows gives the bits of the specification, which itself is
// that of the codes and scales; and Q4_0 those of Q8_0 weights with the same codes and scales.
func TestBlocksGemm(t *testing.T) {
	r := rng.NewRand(11, "q8", 0, 0)
	shapes := [][3]int{{1, 1, 1}, {1, 16, 32}, {1, 200, 576}, {3, 33, 70}, {8, 64, 256}, {23, 50, 100}, {9, 17, 1536}}
	for range 10 {
		shapes = append(shapes, [3]int{1 + r.Intn(20), 1 + r.Intn(90), 1 + r.Intn(200)})
	}
	for _, s := range shapes {
		for _, d := range inBlocks {
			for _, f := range []Form{NT, NN} {
				testBlocksGemm(t, &r, d, f, s, r.Intn(2) == 0)
			}
		}
	}
}

func testBlocksGemm(t *testing.T, r *rng.Rand, d DType, f Form, s [3]int, acc bool) {
	m, n, k := s[0], s[1], s[2]
	rows, cols := n, k
	if f == NN {
		rows, cols = k, n
	}
	lda, ldc := k+r.Intn(3), n+r.Intn(3)
	a, c := matrix(r, m, k, lda, r.Intn(8)), matrix(r, m, n, ldc, r.Intn(8))
	if r.Intn(8) == 0 {
		a.x[r.Intn(k)] = float32(math.NaN())
	}
	start := slices.Clone(c.x)
	w := NewWeights(d, f, rows, cols, onHeap)
	one := NewPool(1)
	defer one.Close()
	if err := w.Set(one, 0, matrix(r, rows, cols, cols, 0).x); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		w.q.codes[r.Intn(len(w.q.codes))] = byte(r.Intn(256))
	}
	w.q.codes[r.Intn(len(w.q.codes))] = 0 // of Q8_0 -128, which a file may hold
	w.q.scales[r.Intn(len(w.q.scales))] = uint16(r.Intn(1 << 16))
	want := blocksReference(m, a.x, lda, &w.q, start, ldc, acc)
	if d == Q4_0 {
		eight := NewWeights(Q8_0, f, rows, cols, onHeap)
		copy(eight.q.scales, w.q.scales)
		for o := range n {
			for i := range k {
				code, _, _ := w.q.code(o, i)
				at, _ := eight.q.at(o, i/q8Block)
				eight.q.codes[at+i%q8Block/4*64+i%4] = byte(int(code) + 128)
			}
		}
		same := slices.Clone(start)
		one.GemmWeights(f, m, a.x, lda, &eight, same, ldc, acc)
		if i := firstDifference(same, want); i >= 0 {
			t.Fatalf("%v %v accumulate=%v: element %d is %g, as q8_0 %g", f, s, acc, i, want[i], same[i])
		}
	}
	forPaths(t, func(t *testing.T) {
		for _, threads := range []int{1, 3} {
			p := NewPool(threads)
			defer p.Close()
			copy(c.x, start)
			p.GemmWeights(f, m, a.x, lda, &w, c.x, ldc, acc)
			if i := firstDifference(c.x, want); i >= 0 || !c.intact() {
				t.Fatalf("%v %v %v accumulate=%v threads=%d: element %d is %g, want %g", d, f, s, acc, threads, i,
					c.x[max(i, 0)], want[max(i, 0)])
			}
		}
	})
}

// blocksReference is the product by definition: the codes of rows and weights, summed block by block.
func blocksReference(m int, a []float32, lda int, q *quantized, c []float32, ldc int, accumulate bool) []float32 {
	c = slices.Clone(c)
	for j := range q.out {
		for i := range m {
			var s float32
			if accumulate {
				s = c[i*ldc+j]
			}
			for b := 0; b < q.in; b += q8Block {
				end := min(q.in, b+q8Block)
				var x [q8Block]float32
				copy(x[:], a[i*lda+b:i*lda+end])
				var row [q8RowSize]byte
				quantizeRowGeneric(row[:], x[:], false)
				dx := math.Float32frombits(binary.LittleEndian.Uint32(row[64:]))
				sum, all := 0.0, 0.0
				for t := b; t < end; t++ {
					of := float64(int16(binary.LittleEndian.Uint16(row[2*(t-b):])))
					code, _, _ := q.code(j, t)
					sum += float64(code) * of
					all += of
				}
				_, dw, low := q.code(j, b)
				s = fma32(float32(sum), dw*dx, s)
				if q.kind == Q4_1 {
					s = fma32(float32(all), low*dx, s)
				}
			}
			c[i*ldc+j] = s
		}
	}
	return c
}

// rawBlocks quantises rows of whole blocks as ggml's quantize_row_*_ref does, one after the other, in float32.
func rawBlocks(d DType, values []float32) (raw []byte) {
	half := func(x float32) {
		h := float16.ToHalf(x)
		raw = append(raw, byte(h), byte(h>>8))
	}
	for b := 0; b < len(values); b += 32 {
		x := values[b : b+32]
		switch d {
		case Q8_0:
			most := max(slices.Max(x), -slices.Min(x))
			scale := most / 127
			half(scale)
			for _, v := range x {
				raw = append(raw, byte(int8(math.Round(float64(v*(1/scale))))))
			}
			continue
		case Q4_0:
			most := slices.Max(x)
			if -slices.Min(x) > most {
				most = slices.Min(x)
			}
			scale := most / -8
			half(scale)
			for i := range 16 {
				low, high := x[i]*(1/scale), x[i+16]*(1/scale)
				raw = append(raw, min(15, byte(low+8.5))|min(15, byte(high+8.5))<<4)
			}
		case Q4_1:
			least := slices.Min(x)
			scale := (slices.Max(x) - least) / 15
			half(scale)
			half(least)
			for i := range 16 {
				low, high := (x[i]-least)*(1/scale), (x[i+16]-least)*(1/scale)
				raw = append(raw, min(15, byte(low+0.5))|min(15, byte(high+0.5))<<4)
			}
		}
	}
	return raw
}

// TestBlockWeights: what Set and SetBlocks store is what ggml's reference gives, and reading it back finds it.
func TestBlockWeights(t *testing.T) {
	p := NewPool(2)
	defer p.Close()
	const rows, cols = 19, 64
	for _, tt := range []struct {
		dtype DType
		near  float64 // how far a value may move
	}{{Q8_0, 0.02}, {Q4_0, 0.4}, {Q4_1, 0.25}} {
		values := make([]float32, rows*cols)
		r := rng.NewRand(13, "q8", 0, 0)
		for i := range values {
			values[i] = float32(r.Normal())
		}
		w := NewWeights(tt.dtype, NT, rows, cols, onHeap)
		if err := w.Set(p, 0, values); err != nil {
			t.Fatal(err)
		}
		raw := rawBlocks(tt.dtype, values)
		same, row := NewWeights(tt.dtype, NT, rows, cols, onHeap), len(raw)/rows
		same.SetBlocks(p, 0, raw[:7*row])
		same.SetBlocks(p, 7, raw[7*row:])
		if !slices.Equal(w.values(), same.values()) {
			t.Errorf("%v: Set and SetBlocks differ", tt.dtype)
		}
		if want := len(raw) * 32 / rows; w.Bytes() != want { // two panels of 16
			t.Errorf("%v takes %d bytes, want %d", tt.dtype, w.Bytes(), want)
		}
		ids, got, all := []int32{18, 0, 7}, make([]float32, 3*cols), w.values()
		p.GatherWeights(got, &w, ids, len(ids))
		for i, id := range ids {
			for j := range cols {
				at := int(id)*cols + j
				if got[i*cols+j] != all[at] || math.Abs(float64(all[at]-values[at])) > tt.near {
					t.Fatalf("%v: row %d column %d is %g, want %g, made from %g", tt.dtype, id, j, got[i*cols+j], all[at],
						values[at])
				}
			}
		}
		for _, bad := range []float32{float32(math.NaN()), float32(math.Inf(1)), 1e30} {
			values[5] = bad
			if err := w.Set(p, 0, values); err == nil {
				t.Errorf("%v: %g is taken", tt.dtype, bad)
			}
		}
		if err := w.Set(p, 1, values[cols:2*cols]); err != nil {
			t.Errorf("%v: after an error: %v", tt.dtype, err)
		}
		for i := range values {
			values[i] = 1e-44 // no float16 scale
		}
		if err := w.Set(p, 0, values); err != nil || slices.Max(w.values()) > 1e-7 {
			t.Errorf("%v: tiny values: %v, %v", tt.dtype, err, slices.Max(w.values()))
		}
	}
}

func TestParseDType(t *testing.T) {
	for i, name := range DTypes() {
		if d, err := ParseDType(name); err != nil || d != DType(i) || d.String() != name {
			t.Errorf("%s gives %v, %v", name, d, err)
		}
	}
	if _, err := ParseDType("fp8"); err == nil || err.Error() != `dtype is "fp8"; known: fp32, bf16, q8_0, q4_0` {
		t.Errorf("fp8 gives %v", err)
	}
}

func BenchmarkWeights(b *testing.B) {
	p := NewPool(0)
	defer p.Close()
	for _, s := range [][3]int{{1, 49152, 576}, {1, 3072, 576}, {1, 576, 1536}, {256, 3072, 576}, {256, 576, 1536}} {
		m, n, k := s[0], s[1], s[2]
		for _, d := range []DType{F32, BF16, Q8_0, Q4_0, Q4_1} {
			w := NewWeights(d, NT, n, k, onHeap)
			a, c := make([]float32, m*k), make([]float32, m*n)
			for i := range a {
				a[i] = float32(i%17) - 8
			}
			b.Run(fmt.Sprintf("dtype=%v/m=%d/n=%d/k=%d", d, m, n, k), func(b *testing.B) {
				cpu := cpuTime()
				b.SetBytes(int64(w.Bytes()))
				for b.Loop() {
					p.GemmWeights(NT, m, a, k, &w, c, n, false)
				}
				b.ReportMetric(float64(cpuTime()-cpu)/float64(b.N), "cpu-ns/op")
				b.ReportMetric(2*float64(m)*float64(n)*float64(k)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		}
	}
}

// BenchmarkGemmDequantized is training's use of weights: many rows, forward (nt) and backward (nn).
func BenchmarkGemmDequantized(b *testing.B) {
	p := NewPool(0)
	defer p.Close()
	for _, s := range [][3]int{{512, 1536, 576}, {512, 576, 1536}, {128, 576, 576}} {
		m, rows, cols := s[0], s[1], s[2]
		a, c := make([]float32, m*max(rows, cols)), make([]float32, m*max(rows, cols))
		for _, d := range []DType{F32, BF16, Q8_0, Q4_0} {
			w := NewWeights(d, NT, rows, cols, onHeap)
			for _, f := range []Form{NT, NN} {
				k, n := cols, rows
				if f == NN {
					k, n = rows, cols
				}
				b.Run(fmt.Sprintf("dtype=%v/form=%v/m=%d/n=%d/k=%d", d, f, m, n, k), func(b *testing.B) {
					for b.Loop() {
						p.GemmDequantized(f, m, a, k, &w, c, n, false)
					}
					b.ReportMetric(2*float64(m)*float64(n)*float64(k)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
				})
			}
		}
	}
}
