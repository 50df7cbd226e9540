//go:build amd64 && !purego

package kernel

//go:generate sh -c "cd _asm && go run . -part vec -out ../vec_amd64.s -stubs ../vec_stub_amd64.go -pkg kernel"

// The vector primitives: assembly where the CPU has it, else the loops of vec_generic.go. The first slice tells the length of all.

func dot(x, y []float32) float32 {
	switch path {
	case avx512:
		return dotAVX512(x, y[:len(x)])
	case avx2:
		return dotAVX2(x, y[:len(x)])
	}
	return dotGeneric(x, y)
}

func sum(x []float32) float32 {
	switch path {
	case avx512:
		return sumAVX512(x)
	case avx2:
		return sumAVX2(x)
	}
	return sumGeneric(x)
}

func variance(x []float32, mean float32) float32 {
	switch path {
	case avx512:
		return varianceAVX512(x, mean)
	case avx2:
		return varianceAVX2(x, mean)
	}
	return varianceGeneric(x, mean)
}

func dot3(x, y, z []float32, s float32) float32 {
	switch path {
	case avx512:
		return dot3AVX512(x, y[:len(x)], z[:len(x)], s)
	case avx2:
		return dot3AVX2(x, y[:len(x)], z[:len(x)], s)
	}
	return dot3Generic(x, y, z, s)
}

func maxOf(x []float32) float32 {
	switch path {
	case avx512:
		return maxAVX512(x)
	case avx2:
		return maxAVX2(x)
	}
	return maxGeneric(x)
}

func maxScale(x []float32, s float32) float32 {
	switch path {
	case avx512:
		return maxScaleAVX512(x, s)
	case avx2:
		return maxScaleAVX2(x, s)
	}
	return maxScaleGeneric(x, s)
}

func expSum(dst, x []float32, m float32) float32 {
	switch path {
	case avx512:
		return expSumAVX512(dst, x[:len(dst)], m)
	case avx2:
		return expSumAVX2(dst, x[:len(dst)], m)
	}
	return expSumGeneric(dst, x, m)
}

func sumExp(x []float32, m float32) float32 {
	switch path {
	case avx512:
		return sumExpAVX512(x, m)
	case avx2:
		return sumExpAVX2(x, m)
	}
	return sumExpGeneric(x, m)
}

func expScale(x []float32, s, m float32) {
	switch path {
	case avx512:
		expScaleAVX512(x, s, m)
	case avx2:
		expScaleAVX2(x, s, m)
	default:
		expScaleGeneric(x, s, m)
	}
}

func softmaxGrad(dp, p []float32, d, s float32) {
	switch path {
	case avx512:
		softmaxGradAVX512(dp, p[:len(dp)], d, s)
	case avx2:
		softmaxGradAVX2(dp, p[:len(dp)], d, s)
	default:
		softmaxGradGeneric(dp, p, d, s)
	}
}

func scale(x []float32, s float32) {
	switch path {
	case avx512:
		scaleAVX512(x, s)
	case avx2:
		scaleAVX2(x, s)
	default:
		scaleGeneric(x, s)
	}
}

func add(out, a, b []float32) {
	switch path {
	case avx512:
		addAVX512(out, a[:len(out)], b[:len(out)])
	case avx2:
		addAVX2(out, a[:len(out)], b[:len(out)])
	default:
		addGeneric(out, a, b)
	}
}

func mulScale(out, x, w []float32, s float32) {
	switch path {
	case avx512:
		mulScaleAVX512(out, x[:len(out)], w[:len(out)], s)
	case avx2:
		mulScaleAVX2(out, x[:len(out)], w[:len(out)], s)
	default:
		mulScaleGeneric(out, x, w, s)
	}
}

func addRows(acc, x []float32, stride, n int) {
	if n <= 0 {
		return
	}
	_ = x[:(n-1)*stride+len(acc)]
	switch path {
	case avx512:
		addRowsAVX512(acc, x, stride, n)
	case avx2:
		addRowsAVX2(acc, x, stride, n)
	default:
		addRowsGeneric(acc, x, stride, n)
	}
}

func mulAddRows(acc, y, x, s []float32, stride, n int) {
	if n <= 0 {
		return
	}
	last := (n-1)*stride + len(acc)
	switch path {
	case avx512:
		mulAddRowsAVX512(acc, y[:last], x[:last], s[:n], stride, n)
	case avx2:
		mulAddRowsAVX2(acc, y[:last], x[:last], s[:n], stride, n)
	default:
		mulAddRowsGeneric(acc, y, x, s, stride, n)
	}
}

func layerNormRows(acc, y, x, mean, rstd []float32, stride, n int) {
	if n <= 0 {
		return
	}
	last := (n-1)*stride + len(acc)
	switch path {
	case avx512:
		layerNormRowsAVX512(acc, y[:last], x[:last], mean[:n], rstd[:n], stride, n)
	case avx2:
		layerNormRowsAVX2(acc, y[:last], x[:last], mean[:n], rstd[:n], stride, n)
	default:
		layerNormRowsGeneric(acc, y, x, mean, rstd, stride, n)
	}
}

func rmsGrad(dx, dy, w, x []float32, s, c float32) {
	switch path {
	case avx512:
		rmsGradAVX512(dx, dy[:len(dx)], w[:len(dx)], x[:len(dx)], s, c)
	case avx2:
		rmsGradAVX2(dx, dy[:len(dx)], w[:len(dx)], x[:len(dx)], s, c)
	default:
		rmsGradGeneric(dx, dy, w, x, s, c)
	}
}

func rmsGradAdd(dx, dy, w, x, res []float32, s, c float32) {
	switch path {
	case avx512:
		rmsGradAddAVX512(dx, dy[:len(dx)], w[:len(dx)], x[:len(dx)], res[:len(dx)], s, c)
	case avx2:
		rmsGradAddAVX2(dx, dy[:len(dx)], w[:len(dx)], x[:len(dx)], res[:len(dx)], s, c)
	default:
		rmsGradAddGeneric(dx, dy, w, x, res, s, c)
	}
}

func layerNorm(out, x, w, b []float32, mean, rstd float32) {
	switch path {
	case avx512:
		layerNormAVX512(out, x[:len(out)], w[:len(out)], b[:len(out)], mean, rstd)
	case avx2:
		layerNormAVX2(out, x[:len(out)], w[:len(out)], b[:len(out)], mean, rstd)
	default:
		layerNormGeneric(out, x, w, b, mean, rstd)
	}
}

func layerNormSums(dy, w, x []float32, mean, rstd float32) (g, gx float32) {
	switch path {
	case avx512:
		return layerNormSumsAVX512(dy, w[:len(dy)], x[:len(dy)], mean, rstd)
	case avx2:
		return layerNormSumsAVX2(dy, w[:len(dy)], x[:len(dy)], mean, rstd)
	}
	return layerNormSumsGeneric(dy, w, x, mean, rstd)
}

func layerNormGrad(dx, dy, w, x []float32, mean, rstd, a, b float32) {
	switch path {
	case avx512:
		layerNormGradAVX512(dx, dy[:len(dx)], w[:len(dx)], x[:len(dx)], mean, rstd, a, b)
	case avx2:
		layerNormGradAVX2(dx, dy[:len(dx)], w[:len(dx)], x[:len(dx)], mean, rstd, a, b)
	default:
		layerNormGradGeneric(dx, dy, w, x, mean, rstd, a, b)
	}
}

func layerNormGradAdd(dx, dy, w, x, res []float32, mean, rstd, a, b float32) {
	switch path {
	case avx512:
		layerNormGradAddAVX512(dx, dy[:len(dx)], w[:len(dx)], x[:len(dx)], res[:len(dx)], mean, rstd, a, b)
	case avx2:
		layerNormGradAddAVX2(dx, dy[:len(dx)], w[:len(dx)], x[:len(dx)], res[:len(dx)], mean, rstd, a, b)
	default:
		layerNormGradAddGeneric(dx, dy, w, x, res, mean, rstd, a, b)
	}
}

func rotate(a, b, cos, sin []float32) {
	switch path {
	case avx512:
		rotateAVX512(a, b[:len(a)], cos[:len(a)], sin[:len(a)])
	case avx2:
		rotateAVX2(a, b[:len(a)], cos[:len(a)], sin[:len(a)])
	default:
		rotateGeneric(a, b, cos, sin)
	}
}

func rotateBack(a, b, cos, sin []float32) {
	switch path {
	case avx512:
		rotateBackAVX512(a, b[:len(a)], cos[:len(a)], sin[:len(a)])
	case avx2:
		rotateBackAVX2(a, b[:len(a)], cos[:len(a)], sin[:len(a)])
	default:
		rotateBackGeneric(a, b, cos, sin)
	}
}

func swiglu(out, g, u []float32) {
	switch path {
	case avx512:
		swigluAVX512(out, g[:len(out)], u[:len(out)])
	case avx2:
		swigluAVX2(out, g[:len(out)], u[:len(out)])
	default:
		swigluGeneric(out, g, u)
	}
}

func swigluGrad(dg, du, d, g, u []float32) {
	switch path {
	case avx512:
		swigluGradAVX512(dg, du[:len(dg)], d[:len(dg)], g[:len(dg)], u[:len(dg)])
	case avx2:
		swigluGradAVX2(dg, du[:len(dg)], d[:len(dg)], g[:len(dg)], u[:len(dg)])
	default:
		swigluGradGeneric(dg, du, d, g, u)
	}
}

func gelu(out, x []float32) {
	switch path {
	case avx512:
		geluAVX512(out, x[:len(out)])
	case avx2:
		geluAVX2(out, x[:len(out)])
	default:
		geluGeneric(out, x)
	}
}

func geluGrad(dx, d, x []float32) {
	switch path {
	case avx512:
		geluGradAVX512(dx, d[:len(dx)], x[:len(dx)])
	case avx2:
		geluGradAVX2(dx, d[:len(dx)], x[:len(dx)])
	default:
		geluGradGeneric(dx, d, x)
	}
}

func adamw(w, g, m, v []float32, k *adamwConsts) {
	switch path {
	case avx512:
		adamwAVX512(w, g[:len(w)], m[:len(w)], v[:len(w)], &k.gradScale)
	case avx2:
		adamwAVX2(w, g[:len(w)], m[:len(w)], v[:len(w)], &k.gradScale)
	default:
		adamwGeneric(w, g, m, v, k)
	}
}

func finite(x []float32) bool {
	switch path {
	case avx512:
		return finiteAVX512(x) == 0
	case avx2:
		return finiteAVX2(x) == 0
	}
	return finiteGeneric(x)
}
