package kernel

import (
	"math"
	"slices"
	"testing"

	"instruct/model/kernel/rng"
)

// TestDoRAKernels: norms of the outputs of weights in every format and form, with a product added, agree with float64;
// columns are scaled and summed; and all of it has the same bits on every path, for any number of threads.
func TestDoRAKernels(t *testing.T) {
	const out, in, rank, from, rows, n = 70, 65, 3, 5, 50, 37
	r := rng.NewRand(1, "dora", 0, 0)
	values, high, low := normals(&r, out*in), normals(&r, rows*rank), normals(&r, rank*in)
	x, y, gains := normals(&r, n*out), normals(&r, n*out), normals(&r, out)
	run := func(threads int, d DType, f Form) (*Weights, []float32) {
		p := NewPool(threads)
		defer p.Close()
		w := NewWeights(d, f, out, in, onHeap)
		if f == NN {
			w = NewWeights(d, f, in, out, onHeap)
		}
		if err := w.Set(p, 0, values); err != nil {
			t.Fatal(err)
		}
		got := make([]float32, rows+2*n*out+out)
		p.RowNorms(got, &w, from, rows, Low{High: high, Low: low, Rank: rank, Scale: 0.5})
		scaled, onto := got[rows:][:n*out], got[rows+n*out:][:n*out]
		copy(scaled, x)
		copy(onto, y)
		p.ScaleColumns(onto, scaled, gains, n, out, true)
		p.ColumnDot(got[rows+2*n*out:], x, y, n, out)
		return &w, got
	}
	want := map[string][]float32{}
	forPaths(t, func(t *testing.T) {
		for _, d := range []DType{F32, BF16, Q8_0, Q4_0, Q4_1} {
			for _, f := range []Form{NT, NN} {
				w, got := run(1, d, f)
				name := d.String() + " " + f.String()
				if want[name] == nil {
					want[name] = got
					checkNorms(t, w, got[:rows], high, low, rank, from)
					checkColumns(t, got[rows:], x, y, gains, n, out)
				}
				if _, three := run(3, d, f); !slices.Equal(got, want[name]) || !slices.Equal(three, got) {
					t.Errorf("%s: other bits", name)
				}
			}
		}
	})
}

// checkNorms compares norms with those of the float32 values that w stands for.
func checkNorms(t *testing.T, w *Weights, norms, high, low []float32, rank, from int) {
	t.Helper()
	in := w.Cols
	if w.Form == NN {
		in = w.Rows
	}
	row := make([]float32, in)
	for o, norm := range norms {
		w.outputs(row, from+o, 1)
		sum := 0.0
		for i, v := range row {
			x := float64(v)
			for k := range rank {
				x += 0.5 * float64(high[o*rank+k]) * float64(low[k*in+i])
			}
			sum += x * x
		}
		if want := math.Sqrt(sum); math.Abs(float64(norm)-want) > 1e-5*want {
			t.Errorf("%s %s: norm of output %d is %v, want %v", w.DType, w.Form, o, norm, want)
		}
	}
}

// checkColumns compares x*gains, y + x*gains and the column sums of x*y.
func checkColumns(t *testing.T, got, x, y, gains []float32, n, c int) {
	t.Helper()
	for j := range c {
		sum := 0.0
		for i := range n {
			at := i*c + j
			sum += float64(x[at]) * float64(y[at])
			if p := float32(x[at] * gains[j]); got[at] != p || got[n*c+at] != y[at]+p {
				t.Fatalf("element %d, %d: %v and %v", i, j, got[at], got[n*c+at])
			}
		}
		if math.Abs(float64(got[2*n*c+j])-sum) > 1e-4 {
			t.Errorf("sum of column %d is %v, want %v", j, got[2*n*c+j], sum)
		}
	}
}
