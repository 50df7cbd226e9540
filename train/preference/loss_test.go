package preference

import (
	"math"
	"testing"
)

// someAnswers are pairs that a loss meets: near, far apart, certain, of one token.
func someAnswers() [][2]Answer {
	return [][2]Answer{
		{{-12.5, -13.1, 7}, {-30.25, -28.5, 12}},
		{{-30.25, -28.5, 12}, {-12.5, -13.1, 7}},
		{{-0.5, -0.25, 1}, {-0.5, -0.25, 1}},
		{{-900, -100, 40}, {-50, -850, 3}},
		{{-50, -850, 3}, {-900, -100, 40}},
		{{-1e-3, -2, 5}, {-80, -80, 90}},
	}
}

// slope is the central difference of f at x.
func slope(f func(x float64) float64, x float64) float64 {
	h := 1e-5 * math.Max(1, math.Abs(x))
	return (f(x+h) - f(x-h)) / (2 * h)
}

// TestDerivatives compares every loss's derivatives with differences.
func TestDerivatives(t *testing.T) {
	near := func(a, b float64) bool { return math.Abs(a-b) <= 1e-6*math.Max(1, math.Abs(b)) }
	for _, k := range kinds {
		for _, smoothing := range []float64{0, 0.2} {
			s := &Settings{Beta: 0.3, LabelSmoothing: smoothing, SimPOGamma: 0.7, Desirable: 1.5, Undesirable: 0.5}
			for i, pair := range someAnswers() {
				if k.Labelled {
					for _, good := range []bool{true, false} {
						a := pair[0]
						_, d := s.Labelled(a, good, 0.4)
						want := slope(func(x float64) float64 {
							loss, _ := s.Labelled(Answer{x, a.Reference, a.Tokens}, good, 0.4)
							return loss
						}, a.LogP)
						if !near(d, want) {
							t.Errorf("%s, answer %d, good %v: derivative %v, want %v", k.Name, i, good, d, want)
						}
					}
					continue
				}
				loss, better, worse := k.Pair(s, pair[0], pair[1])
				for side, d := range []float64{better, worse} {
					want := slope(func(x float64) float64 {
						p := pair
						p[side].LogP = x
						loss, _, _ := k.Pair(s, p[0], p[1])
						return loss
					}, pair[side].LogP)
					if !near(d, want) || math.IsNaN(loss) || math.IsInf(loss, 0) {
						t.Errorf("%s, smoothing %v, pair %d: loss %v; derivative %d is %v, want %v", k.Name, smoothing, i, loss,
							side, d, want)
					}
				}
			}
		}
	}
}

// TestValues are losses that are known without computing much.
func TestValues(t *testing.T) {
	even := Answer{-10, -10, 5}
	for _, x := range []struct {
		name string
		want float64
	}{{"sigmoid", math.Ln2}, {"ipo", 25}, {"orpo", 0.1 * math.Ln2}, {"simpo", math.Log1p(math.Exp(0.5))}} {
		k, ok := Find(x.name)
		s := &Settings{Beta: 0.1, SimPOGamma: 0.5}
		if loss, _, _ := k.Pair(s, even, even); !ok || math.Abs(loss-x.want) > 1e-12*x.want {
			t.Errorf("%s of even answers is %v, want %v", x.name, loss, x.want)
		}
	}
	s := &Settings{Beta: 0.1, Desirable: 2, Undesirable: 3}
	good, _ := s.Labelled(even, true, 0)
	bad, _ := s.Labelled(even, false, 0)
	if good != 1 || bad != 1.5 {
		t.Errorf("kto of even answers is %v and %v, want 1 and 1.5", good, bad)
	}
	if kl := KL([]Answer{{-3, -1, 1}, {-4, -3, 1}}); kl != 0 {
		t.Errorf("KL is %v, want 0", kl)
	}
	if _, ok := Find("dpo"); ok {
		t.Error("dpo is no loss's name")
	}
}

// TestCertainAnswer: an answer of probability 1, whose odds are infinite, has a loss and a derivative.
func TestCertainAnswer(t *testing.T) {
	k, _ := Find("orpo")
	loss, better, worse := k.Pair(&Settings{Beta: 0.1}, Answer{0, 0, 3}, Answer{-5, 0, 3})
	for _, x := range []float64{loss, better, worse} {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			t.Errorf("loss %v, derivatives %v and %v", loss, better, worse)
		}
	}
}
