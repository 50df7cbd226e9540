package eval

import (
	"math"
	"testing"

	"instruct/data/checks"
)

// The intervals are those of statsmodels' proportion_confint(method="wilson").
func TestWilson(t *testing.T) {
	for _, c := range []struct {
		p         float64
		n         int
		low, high float64
	}{{0, 10, 0, 0.27753279}, {0.5, 10, 0.23659309, 0.76340691}, {1, 3, 0.43850308, 1}, {0.9, 500, 0.87062, 0.92334}} {
		low, high := wilson(c.p, c.n)
		if math.Abs(low-c.low) > 1e-4 || math.Abs(high-c.high) > 1e-4 {
			t.Errorf("%v of %d: %.6f to %.6f, want %.6f to %.6f", c.p, c.n, low, high, c.low, c.high)
		}
	}
	if low, high := wilson(0, 0); low != 0 || high != 1 {
		t.Errorf("of nothing: %v to %v", low, high)
	}
}

// The probabilities are sums of binomial coefficients over a power of two.
func TestMcNemar(t *testing.T) {
	for _, c := range []struct {
		a, b int
		want float64
	}{{0, 0, 1}, {1, 1, 1}, {0, 5, 2. / 32}, {5, 0, 2. / 32}, {1, 7, 18. / 256}, {10, 10, 1}} {
		if got := mcNemar(c.a, c.b); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%d against %d: %v, want %v", c.a, c.b, got, c.want)
		}
	}
}

func TestCompare(t *testing.T) {
	samples := func(pass ...bool) []Sample {
		out := make([]Sample, len(pass))
		for i, p := range pass {
			out[i].Result = checks.Result{Verdict: checks.Verdict{Pass: p}}
		}
		return out
	}
	c := Compare(samples(true, true, false, false), samples(true, false, true, false))
	if len(c.Fixed) != 1 || c.Fixed[0] != 2 || len(c.Lost) != 1 || c.Lost[0] != 1 || c.P != 1 {
		t.Errorf("%+v", c)
	}
}
