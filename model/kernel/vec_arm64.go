//go:build arm64 && !purego

package kernel

// The vector primitives: assembly where the CPU has it, else the loops of vec_generic.go. The first slice tells the length of all.

func dot(x, y []float32) float32 {
	if path == neon {
		return dotNEON(x, y[:len(x)])
	}
	return dotGeneric(x, y)
}

func sum(x []float32) float32 {
	if path == neon {
		return sumNEON(x)
	}
	return sumGeneric(x)
}

func variance(x []float32, mean float32) float32 {
	if path == neon {
		return varianceNEON(x, mean)
	}
	return varianceGeneric(x, mean)
}

func dot3(x, y, z []float32, s float32) float32 {
	if path == neon {
		return dot3NEON(x, y[:len(x)], z[:len(x)], s)
	}
	return dot3Generic(x, y, z, s)
}

func maxOf(x []float32) float32 {
	if path == neon {
		return maxNEON(x)
	}
	return maxGeneric(x)
}

func maxScale(x []float32, s float32) float32 {
	if path == neon {
		return maxScaleNEON(x, s)
	}
	return maxScaleGeneric(x, s)
}

func expSum(dst, x []float32, m float32) float32 {
	if path == neon {
		return expSumNEON(dst, x[:len(dst)], m)
	}
	return expSumGeneric(dst, x, m)
}

func sumExp(x []float32, m float32) float32 {
	if path == neon {
		return sumExpNEON(x, m)
	}
	return sumExpGeneric(x, m)
}

func expScale(x []float32, s, m float32) {
	if path == neon {
		expScaleNEON(x, s, m)
		return
	}
	expScaleGeneric(x, s, m)
}

func softmaxGrad(dp, p []float32, d, s float32) {
	if path == neon {
		softmaxGradNEON(dp, p[:len(dp)], d, s)
		return
	}
	softmaxGradGeneric(dp, p, d, s)
}

func scale(x []float32, s float32) {
	if path == neon {
		scaleNEON(x, s)
		return
	}
	scaleGeneric(x, s)
}

func add(out, a, b []float32) {
	if path == neon {
		addNEON(out, a[:len(out)], b[:len(out)])
		return
	}
	addGeneric(out, a, b)
}

func mulScale(out, x, w []float32, s float32) {
	if path == neon {
		mulScaleNEON(out, x[:len(out)], w[:len(out)], s)
		return
	}
	mulScaleGeneric(out, x, w, s)
}

func addRows(acc, x []float32, stride, n int) {
	c := 0 // whole vectors of columns
	if path == neon && n > 0 {
		c = len(acc) &^ 15
		addRowsNEON(acc[:c], x[:(n-1)*stride+len(acc)], stride, n)
	}
	if c < len(acc) && n > 0 {
		addRowsGeneric(acc[c:], x[c:], stride, n)
	}
}

func mulAddRows(acc, y, x, s []float32, stride, n int) {
	c := 0
	if path == neon && n > 0 {
		c = len(acc) &^ 15
		last := (n-1)*stride + len(acc)
		mulAddRowsNEON(acc[:c], y[:last], x[:last], s[:n], stride, n)
	}
	if c < len(acc) && n > 0 {
		mulAddRowsGeneric(acc[c:], y[c:], x[c:], s, stride, n)
	}
}

func layerNormRows(acc, y, x, mean, rstd []float32, stride, n int) {
	c := 0
	if path == neon && n > 0 {
		c = len(acc) &^ 15
		last := (n-1)*stride + len(acc)
		layerNormRowsNEON(acc[:c], y[:last], x[:last], mean[:n], rstd[:n], stride, n)
	}
	if c < len(acc) && n > 0 {
		layerNormRowsGeneric(acc[c:], y[c:], x[c:], mean, rstd, stride, n)
	}
}

func rmsGrad(dx, dy, w, x []float32, s, c float32) {
	if path == neon {
		rmsGradNEON(dx, dy[:len(dx)], w[:len(dx)], x[:len(dx)], s, c)
		return
	}
	rmsGradGeneric(dx, dy, w, x, s, c)
}

func rmsGradAdd(dx, dy, w, x, res []float32, s, c float32) {
	if path == neon {
		rmsGradAddNEON(dx, dy[:len(dx)], w[:len(dx)], x[:len(dx)], res[:len(dx)], s, c)
		return
	}
	rmsGradAddGeneric(dx, dy, w, x, res, s, c)
}

func layerNorm(out, x, w, b []float32, mean, rstd float32) {
	if path == neon {
		layerNormNEON(out, x[:len(out)], w[:len(out)], b[:len(out)], mean, rstd)
		return
	}
	layerNormGeneric(out, x, w, b, mean, rstd)
}

func layerNormSums(dy, w, x []float32, mean, rstd float32) (g, gx float32) {
	if path == neon {
		return layerNormSumsNEON(dy, w[:len(dy)], x[:len(dy)], mean, rstd)
	}
	return layerNormSumsGeneric(dy, w, x, mean, rstd)
}

func layerNormGrad(dx, dy, w, x []float32, mean, rstd, a, b float32) {
	if path == neon {
		layerNormGradNEON(dx, dy[:len(dx)], w[:len(dx)], x[:len(dx)], mean, rstd, a, b)
		return
	}
	layerNormGradGeneric(dx, dy, w, x, mean, rstd, a, b)
}

func layerNormGradAdd(dx, dy, w, x, res []float32, mean, rstd, a, b float32) {
	if path == neon {
		layerNormGradAddNEON(dx, dy[:len(dx)], w[:len(dx)], x[:len(dx)], res[:len(dx)], mean, rstd, a, b)
		return
	}
	layerNormGradAddGeneric(dx, dy, w, x, res, mean, rstd, a, b)
}

func rotate(a, b, cos, sin []float32) {
	if path == neon {
		rotateNEON(a, b[:len(a)], cos[:len(a)], sin[:len(a)])
		return
	}
	rotateGeneric(a, b, cos, sin)
}

func rotateBack(a, b, cos, sin []float32) {
	if path == neon {
		rotateBackNEON(a, b[:len(a)], cos[:len(a)], sin[:len(a)])
		return
	}
	rotateBackGeneric(a, b, cos, sin)
}

func swiglu(out, g, u []float32) {
	if path == neon {
		swigluNEON(out, g[:len(out)], u[:len(out)])
		return
	}
	swigluGeneric(out, g, u)
}

func swigluGrad(dg, du, d, g, u []float32) {
	if path == neon {
		swigluGradNEON(dg, du[:len(dg)], d[:len(dg)], g[:len(dg)], u[:len(dg)])
		return
	}
	swigluGradGeneric(dg, du, d, g, u)
}

func gelu(out, x []float32) {
	if path == neon {
		geluNEON(out, x[:len(out)])
		return
	}
	geluGeneric(out, x)
}

func geluGrad(dx, d, x []float32) {
	if path == neon {
		geluGradNEON(dx, d[:len(dx)], x[:len(dx)])
		return
	}
	geluGradGeneric(dx, d, x)
}

func adamw(w, g, m, v []float32, k *adamwConsts) {
	if path == neon {
		adamwNEON(w, g[:len(w)], m[:len(w)], v[:len(w)], k)
		return
	}
	adamwGeneric(w, g, m, v, k)
}

func finite(x []float32) bool {
	c := 0
	if path == neon {
		c = len(x) &^ 3
		if finiteNEON(x[:c]) != 0 {
			return false
		}
	}
	return finiteGeneric(x[c:])
}
