package exact

import (
	"math"
	"testing"
)

func TestNormal(t *testing.T) {
	for x := -12.0; x <= 12; x += 0.01 {
		cdf, density := Normal(x)
		if want := 0.5 * math.Erfc(-x/math.Sqrt2); math.Abs(cdf-want) > 1e-12*want {
			t.Errorf("Φ(%g) is %g, want %g", x, cdf, want)
		}
		if want := math.Exp(-x*x/2) / math.Sqrt(2*math.Pi); math.Abs(density-want) > 1e-14*want {
			t.Errorf("the density at %g is %g, want %g", x, density, want)
		}
	}
}
