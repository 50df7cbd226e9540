package kernel

import (
	"math"
)

// Constants of Exp. The assembly has the same ones.
const (
	expLo    = float32(-87.3)       // below this exp is 0
	expHi    = float32(89)          // above this it overflows
	expLog2e = float32(1.442695041) // 1/ln 2
	expMagic = float32(12583038)    // 1.5·2^23 + 126: adding it rounds to an integer, which + 126 is in the low bits
	expLn2Hi = float32(0.693359375) // ln 2 in two parts; n·hi is exact
	expLn2Lo = float32(-2.12194440e-4)
	expC0    = float32(1.9875691500e-4) // minimax coefficients of Cephes expf (Moshier)
	expC1    = float32(1.3981999507e-3)
	expC2    = float32(8.3334519073e-3)
	expC3    = float32(4.1665795894e-2)
	expC4    = float32(1.6666665459e-1)
	expC5    = float32(5.0000001201e-1)
)

// Exp is e^x within about 1 ulp; -Inf gives 0, NaN gives NaN, large x gives +Inf. Results below 2^-125.5 (1.7e-38) are
// 0, so that none is subnormal. It is the specification of the vector loops: x = n·ln 2 + r, a polynomial in r by
// pairs of terms, times 2^(n-1), times 2.
func Exp(x float32) float32 {
	if expHi < x {
		x = expHi
	}
	if expLo > x {
		x = expLo
	}
	t := float32(x*expLog2e) + expMagic
	n := t - expMagic
	r := x - float32(n*expLn2Hi)
	r -= float32(n * expLn2Lo)
	z := float32(r * r)
	p := float32(expC0*r) + expC1
	p = float32(p*z) + (float32(expC2*r) + expC3)
	p = float32(p*z) + (float32(expC4*r) + expC5)
	p = (float32(p*z) + r) + 1
	y := float32(p * math.Float32frombits(math.Float32bits(t)<<23))
	return y + y
}

// Sigmoid is 1/(1+e^-x).
func Sigmoid(x float32) float32 { return 1 / (1 + Exp(-x)) }

// Tanh is the hyperbolic tangent within a few ulp: an odd polynomial (Cephes tanhf) near 0, 1 - 2/(e^2x + 1) elsewhere.
func Tanh(x float32) float32 {
	a := x
	if a < 0 {
		a = -a
	}
	if a < 0.625 {
		z := float32(x * x)
		p := float32(-5.70498872745e-3*z) + 2.06390887954e-2
		p = float32(p*z) - 5.37397155531e-2
		p = float32(p*z) + 1.33314422036e-1
		p = float32(p*z) - 3.33332819422e-1
		return float32(float32(p*z)*x) + x
	}
	y := 1 - 2/(Exp(2*a)+1)
	if x < 0 {
		return -y
	}
	return y
}

func sqrt32(x float32) float32 { return float32(math.Sqrt(float64(x))) }
