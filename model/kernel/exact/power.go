package exact

import "math"

// Exp is e^x within 1 ulp (the method of fdlibm's e_exp.c); results below 2^-1022 may be off by one unit of the
// subnormal grid.
//
// x = k·ln 2 + r with |r| <= ln(2)/2, and e^r = 1 + r + r·c/(2-c) with c = r - r²·P(r²).
func Exp(x float64) float64 {
	switch {
	case x != x || x > 709.782712893384:
		return x * math.Inf(1) // NaN stays NaN
	case x < -745.1332191019412:
		return 0
	}
	k := math.Floor(float64(x*(1/math.Ln2)) + 0.5)
	hi, lo := x-float64(k*ln2Hi), float64(k*ln2Lo)
	r := hi - lo
	z := float64(r * r)
	p := polynomial(z, 4.13813679705723846039e-08, -1.65339022054652515390e-06, 6.61375632143793436117e-05,
		-2.77777777770155933842e-03, 1.66666666666666019037e-01)
	c := r - float64(z*p)
	y := 1 - ((lo - float64(r*c)/(2-c)) - hi)
	return math.Ldexp(y, int(k))
}

// Pow is x^y for x > 0. Its relative error is that of y·ln x, some 1e-16 times its size, which float32 results do not
// feel.
func Pow(x, y float64) float64 { return Exp(float64(y * Log(x))) }

// Cos is the cosine of x for |x| < 2^20 within 1e-15 absolutely, by the method of Cephes' sin.c (Moshier): its bits are
// those that package math gives where the compiler does not fuse.
func Cos(x float64) float64 {
	const (
		pio4A = 7.85398125648498535156e-1
		pio4B = 3.77489470793079817668e-8
		pio4C = 2.69515142907905952645e-15
	)
	x = math.Abs(x)
	octant := int64(x * (4 / math.Pi))
	octant += octant & 1
	y := float64(octant)
	r := x - float64(y*pio4A)
	r -= float64(y * pio4B)
	r -= float64(y * pio4C)
	z := float64(r * r)
	s := polynomial(z, 1.58962301576546568060e-10, -2.50507477628578072866e-8, 2.75573136213857245213e-6,
		-1.98412698295895385996e-4, 8.33333333332211858878e-3, -1.66666666666666307295e-1)
	s = r + float64(float64(r*z)*s)
	c := polynomial(z, -1.13585365213876817300e-11, 2.08757008419747316778e-9, -2.75573141792967388112e-7,
		2.48015872888517045348e-5, -1.38888888888730564116e-3, 4.16666666666665929218e-2)
	c = 1 - float64(0.5*z) + float64(float64(z*z)*c)
	switch octant >> 1 & 3 {
	case 0:
		return c
	case 1:
		return -s
	case 2:
		return -c
	}
	return s
}
