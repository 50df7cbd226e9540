// Package exact has float64 elementary functions whose bits do not depend on the CPU: plain polynomials with every
// product rounded before it is added, where package math uses assembly on some machines and lets the compiler fuse on
// others.
package exact

import "math"

const (
	ln2Hi = 6.93147180369123816490e-01
	ln2Lo = 1.90821492927058770002e-10
)

// Log is the natural logarithm within 1 ulp (the method of fdlibm's e_log.c). Log(0) = -Inf, Log(x<0) = NaN.
//
// x = 2^k·(1+f) with 1+f in [sqrt(1/2), sqrt(2)); with s = f/(2+f), log(1+f) = f - f²/2 + s·(f²/2 + R(s²)).
func Log(x float64) float64 {
	u := math.Float64bits(x)
	k := 0
	switch {
	case x != x || x < 0:
		return math.NaN()
	case x == 0:
		return math.Inf(-1)
	case x > math.MaxFloat64:
		return x
	case x < 0x1p-1022:
		u = math.Float64bits(x * 0x1p54)
		k = -54
	}
	u += 0x3ff00000_00000000 - 0x3fe6a09e_00000000 // so that sqrt(1/2) begins an exponent
	k += int(u>>52) - 1023
	f := math.Float64frombits(u&(1<<52-1)+0x3fe6a09e_00000000) - 1
	s := f / (2 + f)
	z := float64(s * s)
	w := float64(z * z)
	p := float64(1.531383769920937332e-01*w) + 2.222219843214978396e-01
	p = float64(p*w) + 3.999999999940941908e-01
	q := float64(1.479819860511658591e-01*w) + 1.818357216161805012e-01
	q = float64(q*w) + 2.857142874366239149e-01
	q = float64(q*w) + 6.666666666666735130e-01
	r := float64(w*p) + float64(z*q)
	h := float64(float64(0.5*f) * f)
	e := float64(k)
	return float64(e*ln2Hi) - ((h - (float64(s*(h+r)) + float64(e*ln2Lo))) - f)
}

// SinCos gives sine and cosine of x for |x| < 2^20, within 1e-15 absolutely (Cody-Waite reduction, then the minimax
// polynomials of fdlibm).
func SinCos(x float64) (sin, cos float64) {
	const (
		pio2A = 1.57079632673412561417e+00 // 33 bits each
		pio2B = 6.07710050630396597660e-11
		pio2C = 2.02226624871116645580e-21
	)
	n := math.Floor(float64(x*(2/math.Pi)) + 0.5)
	r := x - float64(n*pio2A)
	r -= float64(n * pio2B)
	r -= float64(n * pio2C)
	z := float64(r * r)
	s := polynomial(z, 1.58969099521155010221e-10, -2.50507602534068634195e-08, 2.75573137070700676789e-06,
		-1.98412698298579493134e-04, 8.33333333332248946124e-03, -1.66666666666666324348e-01)
	s = r + float64(float64(r*z)*s)
	c := polynomial(z, -1.13596475577881948265e-11, 2.08757232129817482790e-09, -2.75573143513906633035e-07,
		2.48015872894767294178e-05, -1.38888888888741095749e-03, 4.16666666666666019037e-02)
	c = 1 - (float64(0.5*z) - float64(float64(z*z)*c))
	switch int64(n) & 3 {
	case 0:
		return s, c
	case 1:
		return c, -s
	case 2:
		return -s, -c
	}
	return -c, s
}

// polynomial has its coefficients highest first; each product is rounded before the next one is added.
func polynomial(z float64, c ...float64) float64 {
	p := c[0]
	for _, x := range c[1:] {
		p = float64(p*z) + x
	}
	return p
}
