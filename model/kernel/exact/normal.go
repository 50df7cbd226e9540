package exact

import "math"

// Normal gives the distribution function of the normal distribution at x, Φ(x), with a relative error below 1e-12, and
// its density.
//
// Φ(-z) = erfcx(z/√2)·exp(-z²/2)/2 for z >= 0, and erfcx(y) = exp(y²)·erfc(y) is (1-t)·P(t) with
// t = (y-2.5)/(y+2.5), where P was fitted to 4001 values of torch.special.erfcx at the Chebyshev nodes of t.
func Normal(x float64) (cdf, density float64) {
	y := float64(math.Abs(x) * (1 / math.Sqrt2))
	t := (y - 2.5) / (y + 2.5)
	p := polynomial(t, -2.4466323784035143e-10, 3.7132201242977806e-08, 4.2750021544957294e-08, -2.9729936262310175e-07,
		-5.1001154325881085e-07, 1.2521713150898633e-06, 3.6765964302925386e-06, -3.8444742191626455e-06,
		-2.2532262669879249e-05, 1.1637794135926913e-05, 0.00014054160557125817, -8.7836265059017463e-05,
		-0.00096375752648657437, 0.001678608196116252, 0.00567231005829526, -0.034250229011875945, 0.090782823328675627,
		-0.16093036988844606, 0.21080636406114833)
	bell := Exp(-0.5 * float64(x*x))
	tail := float64(0.5 * (1 - t) * p * bell)
	if x > 0 {
		tail = 1 - tail
	}
	return tail, bell * (1 / (math.Sqrt2 * math.SqrtPi))
}
