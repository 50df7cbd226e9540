package exact

import (
	"fmt"
	"math"
	"testing"
)

func ExampleLog() {
	fmt.Printf("%.6f\n", Log(10))
	// Output: 2.302585
}

func TestLog(t *testing.T) {
	for x := 1e-300; x < 1e300; x *= 1.7 {
		got, want := Log(x), math.Log(x)
		if math.Abs(got-want) > 3e-16*math.Max(1, math.Abs(want)) {
			t.Errorf("Log(%g) = %.17g, want %.17g", x, got, want)
		}
	}
	for x := 0.5; x < 2; x += 0.0013 {
		if got, want := Log(x), math.Log(x); math.Abs(got-want) > 3e-16*math.Abs(want)+1e-300 {
			t.Errorf("Log(%g) = %.17g, want %.17g", x, got, want)
		}
	}
	for _, x := range []float64{5e-324, 1e-310} { // math.Log is wrong for these on amd64 (Go 1.26)
		if got, want := Log(x), math.Log(x*0x1p54)-54*math.Ln2; math.Abs(got-want) > 3e-16*math.Abs(want) {
			t.Errorf("Log(%g) = %.17g, want %.17g", x, got, want)
		}
	}
	for _, x := range []float64{0x1p-1022, math.Sqrt2, math.Sqrt2 / 2, 1, math.MaxFloat64} {
		if got, want := Log(x), math.Log(x); math.Abs(got-want) > 3e-16*math.Abs(want) {
			t.Errorf("Log(%g) = %.17g, want %.17g", x, got, want)
		}
	}
	if !math.IsInf(Log(0), -1) || !math.IsNaN(Log(-1)) || !math.IsNaN(Log(math.NaN())) ||
		!math.IsInf(Log(math.Inf(1)), 1) {
		t.Error("special values of Log")
	}
}

func TestSinCos(t *testing.T) {
	for _, step := range []float64{0.0137, 17.31, 901.7} {
		for i := -1000; i <= 1000; i++ {
			x := float64(i) * step
			s, c := SinCos(x)
			if math.Abs(s-math.Sin(x)) > 1e-15 || math.Abs(c-math.Cos(x)) > 1e-15 {
				t.Fatalf("SinCos(%g) = %g, %g, want %g, %g", x, s, c, math.Sin(x), math.Cos(x))
			}
		}
	}
}
