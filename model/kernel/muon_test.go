package kernel

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"instruct/model/kernel/rng"
)

// Muon's steps are those of testdata/muon.py.
func TestMuon(t *testing.T) {
	var want struct {
		LR       float32 `json:"lr"`
		Momentum float32 `json:"momentum"`
		Decay    float32 `json:"weight_decay"`
		Scale    float32 `json:"grad_scale"`
		Cases    []struct {
			Rows, Cols int
			Start, End []float32
			Grads      [][]float32
		}
	}
	text, err := os.ReadFile("testdata/muon.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	p := NewPool(2)
	defer p.Close()
	var list []MuonMatrix
	for _, c := range want.Cases {
		list = append(list, MuonMatrix{c.Start, make([]float32, len(c.Start)), make([]float32, len(c.Start)), c.Rows, c.Cols})
	}
	m := NewMuon(p.Threads(), list)
	for step := range want.Cases[0].Grads {
		for i, c := range want.Cases {
			copy(list[i].Grad, c.Grads[step])
		}
		m.Step(p, MuonArgs{LR: want.LR, Momentum: want.Momentum, WeightDecay: want.Decay, GradScale: want.Scale, Steps: 5})
	}
	for i, c := range want.Cases {
		for j, v := range c.End {
			if got := list[i].Value[j]; math.Abs(float64(got-v)) > 2e-6 {
				t.Errorf("(%d, %d): element %d is %g, want %g", c.Rows, c.Cols, j, got, v)
			}
			if list[i].Grad[j] != 0 {
				t.Errorf("(%d, %d): the gradient was not cleared", c.Rows, c.Cols)
			}
		}
	}
}

// The iteration brings all singular values of any matrix near one: X·Xᵀ is near the identity.
func TestOrthogonal(t *testing.T) {
	p := NewPool(1)
	defer p.Close()
	r := rng.NewRand(3, "orthogonal", 0, 0)
	const rows, cols = 12, 40
	x := orthogonal(p, 0, normals(&r, rows*cols), make([]float32, rows*cols+2*rows*rows), rows, cols, 5)
	for i := range rows {
		if n := dot(x[i*cols:(i+1)*cols], x[i*cols:(i+1)*cols]); n < 0.4 || n > 1.6 {
			t.Errorf("row %d has the squared length %g", i, n)
		}
	}
}

func BenchmarkMuon(b *testing.B) {
	p := NewPool(0)
	defer p.Close()
	onPaths(b, func(b *testing.B) {
		var list []MuonMatrix
		add := func(rows, cols int) {
			n := rows * cols
			list = append(list, MuonMatrix{make([]float32, n), make([]float32, n), make([]float32, n), rows, cols})
		}
		for range 4 { // the layers of the embedded recipe
			for range 4 {
				add(128, 128)
			}
			add(344, 128)
			add(344, 128)
			add(128, 344)
		}
		m := NewMuon(p.Threads(), list)
		for b.Loop() {
			m.Step(p, MuonArgs{LR: 1e-3, Momentum: 0.95, GradScale: 1, Steps: 5})
		}
	})
}
