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
	if len(c.Fixed) != 1 || c.Fixed[0] != 2 || len(c.Lost) != 1 || c.Lost[0] != 1 || c.P != 1 ||
		c.Pass.Mean != 0 || c.Pass.Low >= 0 || c.Pass.High <= 0 {
		t.Errorf("%+v", c)
	}
}

// TestBootstrap holds the interval against the normal one, which it is near to with a hundred tests.
func TestBootstrap(t *testing.T) {
	changes := make([]float64, 100) // 30 are better, 10 worse: the mean is 0.2, its standard error 0.06
	for i := range changes {
		switch {
		case i < 30:
			changes[i] = 1
		case i < 40:
			changes[i] = -1
		}
	}
	d := bootstrap(changes)
	if math.Abs(d.Mean-0.2) > 1e-12 || math.Abs(d.Low-0.0824) > 0.011 || math.Abs(d.High-0.3176) > 0.011 {
		t.Errorf("%+v", d)
	}
	if again := bootstrap(changes); again != d {
		t.Errorf("%+v, and again %+v", d, again)
	}
	for _, c := range []struct {
		differences []float64
		want        Difference
	}{{nil, Difference{}}, {[]float64{0.5}, Difference{0.5, 0.5, 0.5}}, {[]float64{0, 0, 0}, Difference{}}} {
		if got := bootstrap(c.differences); got != c.want {
			t.Errorf("%v: %+v, want %+v", c.differences, got, c.want)
		}
	}
}

// The quantiles are numpy's.
func TestQuantile(t *testing.T) {
	for _, c := range []struct{ q, want float64 }{{0, 1}, {0.25, 1.75}, {0.5, 3}, {1, 10}} {
		if got := quantile([]float64{1, 2, 4, 10}, c.q); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%v: %v, want %v", c.q, got, c.want)
		}
	}
}
