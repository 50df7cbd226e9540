package kernel

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"

	"instruct/model/kernel/rng"
)

// TestLossTermsReference compares loss and gradients with those of transformers' LabelSmoother and of autograd.
func TestLossTermsReference(t *testing.T) {
	var stored struct {
		Logits  []float32
		Targets []int32
		Cases   []struct {
			Smoothing, Z, Loss float64
			Grad               []float64
		}
	}
	text, err := os.ReadFile("testdata/cross_entropy.json")
	if err == nil {
		err = json.Unmarshal(text, &stored)
	}
	if err != nil {
		t.Fatal(err)
	}
	p := NewPool(2)
	defer p.Close()
	n := len(stored.Targets)
	for _, c := range stored.Cases {
		x, losses, added := slices.Clone(stored.Logits), make([]float64, n), make([]float64, n)
		p.CrossEntropyWith(LossTerms{c.Smoothing, c.Z}, added, x, stored.Targets, []float32{1, 1, 1, 1}, losses, n,
			len(x)/n, true)
		sum := 0.0
		for i := range losses {
			sum += losses[i] + added[i]
		}
		if math.Abs(sum-c.Loss) > 1e-5*c.Loss {
			t.Errorf("smoothing %g, z %g: loss %g, want %g", c.Smoothing, c.Z, sum, c.Loss)
		}
		near(t, "gradient", x, c.Grad, 2e-6)
	}
}

// TestLossTerms checks gradients numerically and that losses without their terms keep their bits.
func TestLossTerms(t *testing.T) {
	const n, v = 4, 37
	r := rng.NewRand(2, "ce", 0, 0)
	p := NewPool(2)
	defer p.Close()
	logits, targets, weights := normals(&r, n*v), []int32{3, -1, 36, 0}, []float32{1, 1, 0.5, -2}
	wide := widen(logits)
	for _, terms := range []LossTerms{{Smoothing: 0.2}, {Z: 0.01}, {0.1, 0.02}} {
		each := func() []float64 {
			l := make([]float64, n)
			for i, y := range targets {
				if y < 0 {
					continue
				}
				sum, mean := 0.0, 0.0
				for _, x := range wide[i*v : i*v+v] {
					sum += math.Exp(x)
					mean += x / v
				}
				lse, target := math.Log(sum), wide[i*v+int(y)]
				l[i] = lse - target + terms.Smoothing*(target-mean) + terms.Z*lse*lse
			}
			return l
		}
		plain, want := make([]float64, n), each()
		p.CrossEntropy(slices.Clone(logits), targets, weights, plain, n, v, false)
		for _, grad := range []bool{false, true} {
			x, losses, added := slices.Clone(logits), make([]float64, n), make([]float64, n)
			p.CrossEntropyWith(terms, added, x, targets, weights, losses, n, v, grad)
			for i := range want {
				if losses[i] != plain[i] || math.Abs(losses[i]+added[i]-want[i]) > 1e-6*max(1, want[i]) {
					t.Errorf("%+v, grad=%v: loss %d is %g and %g, want %g", terms, grad, i, losses[i], added[i], want[i])
				}
			}
			if grad {
				near(t, "gradient", x, numeric(wide, func() float64 { return weigh(each(), weights) }), 1e-6)
			} else if firstDifference(x, logits) >= 0 {
				t.Error("logits changed without grad")
			}
		}
	}
}
