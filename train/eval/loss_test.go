package eval

import (
	"math"
	"testing"
)

// TestLossRow compares with a mean and an interval worked out by hand.
func TestLossRow(t *testing.T) {
	s := &Suite{Name: "s", Tests: make([]Test, 4)}
	r := s.lossRow([]Sample{{Loss: Loss{3, 2}}, {}, {Loss: Loss{9, 4}}, {Loss: Loss{4, 2}}})
	// mean 16/8 = 2; residuals 3-4, 9-8, 4-4; 1.96 * sqrt(2 * 3/2) / 8
	half := 1.959963984540054 * math.Sqrt(3) / 8
	if r.N != 3 || r.Mean != 2 || math.Abs(r.High-2-half) > 1e-15 || math.Abs(r.Low-2+half) > 1e-15 {
		t.Errorf("%+v", r)
	}
	if mean, interval := r.Show(); mean != "2.0000" || interval != "1.5757 to 2.4243 nats a token" {
		t.Errorf("%s, %s", mean, interval)
	}
	one := s.lossRow([]Sample{{Loss: Loss{3, 2}}})
	if mean, interval := one.Show(); mean != "1.5000" || interval != "nats a token" || one.Low != 1.5 {
		t.Errorf("%s, %s, %+v", mean, interval, one)
	}
	if r := s.lossRow(make([]Sample, 4)); r.N != 0 {
		t.Errorf("of nothing: %+v", r)
	}
	share := Row{Mean: 0.5, Low: 0.25, High: 0.75}
	if mean, interval := share.Show(); mean != "50.0%" || interval != "25.0 to 75.0 %" {
		t.Errorf("%s, %s", mean, interval)
	}
}
