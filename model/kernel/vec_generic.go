package kernel

import "math"

// The loops of this file are the specification of the vector primitives. Their names end in Generic. From their
// comments and signatures _asm/dispatch writes the functions that choose between them and assembly: the first slice
// tells the length of all.

// tree adds 16 lanes in the fixed order.
func tree(l *[16]float32) float32 {
	for s := 8; s > 0; s >>= 1 {
		for i := range s {
			l[i] += l[i+s]
		}
	}
	return l[0]
}

// dotGeneric is Σ x·y.
func dotGeneric(x, y []float32) float32 {
	var l [16]float32
	y = y[:len(x)]
	for len(x) >= 16 {
		a, b := (*[16]float32)(x), (*[16]float32)(y)
		for i := range a {
			l[i] += float32(a[i] * b[i])
		}
		x, y = x[16:], y[16:]
	}
	for i := range x {
		l[i] += float32(x[i] * y[i])
	}
	return tree(&l)
}

// sumGeneric is Σ x.
func sumGeneric(x []float32) float32 {
	var l [16]float32
	for len(x) >= 16 {
		a := (*[16]float32)(x)
		for i := range a {
			l[i] += a[i]
		}
		x = x[16:]
	}
	for i := range x {
		l[i] += x[i]
	}
	return tree(&l)
}

// varianceGeneric is Σ (x-mean)².
func varianceGeneric(x []float32, mean float32) float32 {
	var l [16]float32
	for i, v := range x {
		d := v - mean
		l[i&15] += float32(d * d)
	}
	return tree(&l)
}

// dot3Generic is Σ (x·y)·(z·s).
func dot3Generic(x, y, z []float32, s float32) float32 {
	var l [16]float32
	y, z = y[:len(x)], z[:len(x)]
	for i, v := range x {
		l[i&15] += float32(float32(v*y[i]) * float32(z[i]*s))
	}
	return tree(&l)
}

// maxGeneric is the largest x; -Inf when there is none. NaN is passed over.
func maxGeneric(x []float32) float32 {
	m := float32(math.Inf(-1))
	for _, v := range x {
		if v > m {
			m = v
		}
	}
	return m
}

// maxScaleGeneric does x *= s and gives the largest.
func maxScaleGeneric(x []float32, s float32) float32 {
	m := float32(math.Inf(-1))
	for i, v := range x {
		v = float32(v * s)
		x[i] = v
		if v > m {
			m = v
		}
	}
	return m
}

// expSumGeneric does dst = exp(x-m) and gives Σ dst.
func expSumGeneric(dst, x []float32, m float32) float32 {
	var l [16]float32
	dst = dst[:len(x)]
	for i, v := range x {
		e := Exp(v - m)
		dst[i] = e
		l[i&15] += e
	}
	return tree(&l)
}

// sumExpGeneric is Σ exp(x-m).
func sumExpGeneric(x []float32, m float32) float32 {
	var l [16]float32
	for i, v := range x {
		l[i&15] += Exp(v - m)
	}
	return tree(&l)
}

// expScaleGeneric does x = exp(x·s-m).
func expScaleGeneric(x []float32, s, m float32) {
	for i, v := range x {
		x[i] = Exp(float32(v*s) - m)
	}
}

// softmaxGradGeneric does dp = (p·(dp-delta))·s.
func softmaxGradGeneric(dp, p []float32, delta, s float32) {
	p = p[:len(dp)]
	for i, v := range dp {
		dp[i] = float32(float32(p[i]*(v-delta)) * s)
	}
}

// scaleGeneric does x *= s.
func scaleGeneric(x []float32, s float32) {
	for i, v := range x {
		x[i] = float32(v * s)
	}
}

// addGeneric does out = a + b.
func addGeneric(out, a, b []float32) {
	a, b = a[:len(out)], b[:len(out)]
	for i := range out {
		out[i] = a[i] + b[i]
	}
}

// mulScaleGeneric does out = w·(x·s).
func mulScaleGeneric(out, x, w []float32, s float32) {
	x, w = x[:len(out)], w[:len(out)]
	for i := range out {
		out[i] = float32(w[i] * float32(x[i]*s))
	}
}

// addRowsGeneric does acc += x[i·stride:] for each of n rows in order.
func addRowsGeneric(acc, x []float32, stride, n int) {
	for i := range n {
		addGeneric(acc, acc, x[i*stride:])
	}
}

// mulAddRowsGeneric does acc += y·(x·s[i]) for each of n rows in order.
// The rows of y and x lie stride apart.
func mulAddRowsGeneric(acc, y, x, s []float32, stride, n int) {
	for i := range n {
		y, x, s := y[i*stride:][:len(acc)], x[i*stride:][:len(acc)], s[i]
		for j := range acc {
			acc[j] += float32(y[j] * float32(x[j]*s))
		}
	}
}

// layerNormRowsGeneric does acc += y·((x-mean[i])·rstd[i]) for each of n rows in order.
// The rows of y and x lie stride apart.
func layerNormRowsGeneric(acc, y, x, mean, rstd []float32, stride, n int) {
	for i := range n {
		y, x := y[i*stride:][:len(acc)], x[i*stride:][:len(acc)]
		m, s := mean[i], rstd[i]
		for j := range acc {
			acc[j] += float32(y[j] * float32((x[j]-m)*s))
		}
	}
}

// rmsGradGeneric does dx = s·(dy·w - (x·s)·c).
func rmsGradGeneric(dx, dy, w, x []float32, s, c float32) {
	dy, w, x = dy[:len(dx)], w[:len(dx)], x[:len(dx)]
	for i := range dx {
		dx[i] = float32(s * (float32(dy[i]*w[i]) - float32(float32(x[i]*s)*c)))
	}
}

// rmsGradAddGeneric does dx = s·(dy·w - (x·s)·c) + res.
func rmsGradAddGeneric(dx, dy, w, x, res []float32, s, c float32) {
	dy, w = dy[:len(dx)], w[:len(dx)]
	x, res = x[:len(dx)], res[:len(dx)]
	for i := range dx {
		dx[i] = float32(s*(float32(dy[i]*w[i])-float32(float32(x[i]*s)*c))) + res[i]
	}
}

// layerNormGeneric does out = ((x-mean)·rstd)·w + b.
func layerNormGeneric(out, x, w, b []float32, mean, rstd float32) {
	x, w, b = x[:len(out)], w[:len(out)], b[:len(out)]
	for i := range out {
		out[i] = float32(float32((x[i]-mean)*rstd)*w[i]) + b[i]
	}
}

// layerNormSumsGeneric gives Σ dy·w and Σ (dy·w)·((x-mean)·rstd).
func layerNormSumsGeneric(dy, w, x []float32, mean, rstd float32) (g, gx float32) {
	var l, m [16]float32
	w, x = w[:len(dy)], x[:len(dy)]
	for i, v := range dy {
		t := float32(v * w[i])
		l[i&15] += t
		m[i&15] += float32(t * float32((x[i]-mean)*rstd))
	}
	return tree(&l), tree(&m)
}

// layerNormGradGeneric does dx = rstd·((dy·w - a) - ((x-mean)·rstd)·b).
func layerNormGradGeneric(dx, dy, w, x []float32, mean, rstd, a, b float32) {
	dy, w, x = dy[:len(dx)], w[:len(dx)], x[:len(dx)]
	for i := range dx {
		dx[i] = float32(rstd * ((float32(dy[i]*w[i]) - a) - float32(float32((x[i]-mean)*rstd)*b)))
	}
}

// layerNormGradAddGeneric does dx = rstd·((dy·w - a) - ((x-mean)·rstd)·b) + res.
func layerNormGradAddGeneric(dx, dy, w, x, res []float32, mean, rstd, a, b float32) {
	dy, w = dy[:len(dx)], w[:len(dx)]
	x, res = x[:len(dx)], res[:len(dx)]
	for i := range dx {
		dx[i] = float32(rstd*((float32(dy[i]*w[i])-a)-float32(float32((x[i]-mean)*rstd)*b))) + res[i]
	}
}

// rotateGeneric turns the pairs (a, b) by the angles: a' = a·cos - b·sin, b' = b·cos + a·sin.
func rotateGeneric(a, b, cos, sin []float32) {
	b, cos, sin = b[:len(a)], cos[:len(a)], sin[:len(a)]
	for i := range a {
		x, y := a[i], b[i]
		a[i] = float32(x*cos[i]) - float32(y*sin[i])
		b[i] = float32(y*cos[i]) + float32(x*sin[i])
	}
}

// rotateBackGeneric turns the pairs (a, b) back: a' = a·cos + b·sin, b' = b·cos - a·sin.
func rotateBackGeneric(a, b, cos, sin []float32) {
	b, cos, sin = b[:len(a)], cos[:len(a)], sin[:len(a)]
	for i := range a {
		x, y := a[i], b[i]
		a[i] = float32(x*cos[i]) + float32(y*sin[i])
		b[i] = float32(y*cos[i]) - float32(x*sin[i])
	}
}

// swigluGeneric does out = (g·sigmoid(g))·u.
func swigluGeneric(out, g, u []float32) {
	g, u = g[:len(out)], u[:len(out)]
	for i := range out {
		out[i] = float32(float32(g[i]*Sigmoid(g[i])) * u[i])
	}
}

// swigluGradGeneric does dg = (d·u)·(s + (g·s)·(1-s)) and du = d·(g·s) with s = sigmoid(g). dg may be g, du may
// be u.
func swigluGradGeneric(dg, du, d, g, u []float32) {
	du, d = du[:len(dg)], d[:len(dg)]
	g, u = g[:len(dg)], u[:len(dg)]
	for i := range dg {
		x, y, z := g[i], u[i], d[i]
		s := Sigmoid(x)
		a := float32(x * s)
		dg[i] = float32(float32(z*y) * (s + float32(a*(1-s))))
		du[i] = float32(z * a)
	}
}

const (
	geluA = float32(1.5957691216057308) // 2·sqrt(2/π)
	geluB = float32(0.044715)           // of x³
	geluC = float32(0.134145)           // its derivative's
)

// geluSigmoid is (1 + tanh(sqrt(2/π)(x + 0.044715 x³)))/2, which is sigmoid(2·sqrt(2/π)·x·(1 + 0.044715 x²)); z
// is x².
func geluSigmoid(x, z float32) float32 {
	return Sigmoid(float32(float32(geluA*x) * (float32(geluB*z) + 1)))
}

// geluGeneric does out = x·sigmoid(2·sqrt(2/π)·(x + 0.044715 x³)).
func geluGeneric(out, x []float32) {
	x = x[:len(out)]
	for i := range out {
		v := x[i]
		out[i] = float32(v * geluSigmoid(v, float32(v*v)))
	}
}

// geluGradGeneric does dx = d·(s + (x·s·(1-s))·(2·sqrt(2/π)·(1 + 3·0.044715 x²))).
func geluGradGeneric(dx, d, x []float32) {
	d, x = d[:len(dx)], x[:len(dx)]
	for i := range dx {
		v := x[i]
		z := float32(v * v)
		s := geluSigmoid(v, z)
		t := float32(float32(float32(v*s)*(1-s)) * float32(geluA*(float32(geluC*z)+1)))
		dx[i] = float32(d[i] * (s + t))
	}
}

// adamwGeneric is one AdamW step; see AdamW for the meaning of k.
func adamwGeneric(w, g, m, v []float32, k *adamwConsts) {
	g, m, v = g[:len(w)], m[:len(w)], v[:len(w)]
	for i := range w {
		x := float32(g[i] * k.gradScale)
		a := float32(k.beta1*m[i]) + float32(k.oneBeta1*x)
		b := float32(k.beta2*v[i]) + float32(float32(k.oneBeta2*x)*x)
		m[i], v[i], g[i] = a, b, 0
		w[i] = float32(w[i]*k.decay) - float32(k.step*a)/(sqrt32(b)/k.rootBC2+k.eps)
	}
}

// finiteGeneric says whether no x is Inf or NaN.
func finiteGeneric(x []float32) bool {
	for _, v := range x {
		if math.Float32bits(v)&0x7f800000 == 0x7f800000 {
			return false
		}
	}
	return true
}
