// Package exact has float64 elementary functions whose bits do not depend on the CPU: plain polynomials with every product rounded
// before it is added, where package math uses assembly on some machines and lets the compiler fuse on others.
package exact

import "math"

const (
	ln2Hi = 6.93147180369123816490e-01
	ln2Lo = 1.90821492927058770002e-10
)

// Log is the natural logarithm, within 1 ulp or so. Log(0) = -Inf, Log(x<0) = NaN.
//
// x = 2^e·m with m in [sqrt(1/2), sqrt(2)); with s = (m-1)/(m+1), log m = 2(s + s³/3 + s⁵/5 + ...).
func Log(x float64) float64 {
	switch {
	case x != x || x < 0:
		return math.NaN()
	case x == 0:
		return math.Inf(-1)
	case x > math.MaxFloat64:
		return x
	}
	m, e := math.Frexp(x)
	if m < math.Sqrt2/2 {
		m *= 2
		e--
	}
	f := m - 1
	s := f / (2 + f)
	z := float64(s * s)
	p := 0.0
	for k := 23; k >= 3; k -= 2 {
		p = float64(p*z) + 1/float64(k)
	}
	t := float64(2*s) + float64(float64(float64(2*s)*z)*p)
	k := float64(e)
	return float64(k*ln2Hi) + (t + float64(k*ln2Lo))
}

// SinCos gives sine and cosine of x for |x| < 2^20, within 1e-15 absolutely (Cody-Waite reduction, then the minimax polynomials of fdlibm).
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
	s := 1.58969099521155010221e-10
	for _, c := range [...]float64{-2.50507602534068634195e-08, 2.75573137070700676789e-06, -1.98412698298579493134e-04, 8.33333333332248946124e-03, -1.66666666666666324348e-01} {
		s = float64(s*z) + c
	}
	s = r + float64(float64(r*z)*s)
	c := -1.13596475577881948265e-11
	for _, d := range [...]float64{2.08757232129817482790e-09, -2.75573143513906633035e-07, 2.48015872894767294178e-05, -1.38888888888741095749e-03, 4.16666666666666019037e-02} {
		c = float64(c*z) + d
	}
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
