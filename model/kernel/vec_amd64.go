//go:build amd64 && !purego

package kernel

//go:generate sh -c "cd _asm && go run . -part vec -out ../vec_amd64.s -stubs ../vec_stub_amd64.go -pkg kernel"

// The vector primitives: assembly where the CPU has it, else the loops of vec_generic.go. The first slice tells the length of all.

func dot(x, y []float32) float32 {
	if path == avx2 {
		return dotAVX2(x, y[:len(x)])
	}
	return dotGeneric(x, y)
}

func sum(x []float32) float32 {
	if path == avx2 {
		return sumAVX2(x)
	}
	return sumGeneric(x)
}

func variance(x []float32, mean float32) float32 {
	if path == avx2 {
		return varianceAVX2(x, mean)
	}
	return varianceGeneric(x, mean)
}

func dot3(x, y, z []float32, s float32) float32 {
	if path == avx2 {
		return dot3AVX2(x, y[:len(x)], z[:len(x)], s)
	}
	return dot3Generic(x, y, z, s)
}

func maxOf(x []float32) float32 {
	if path == avx2 {
		return maxAVX2(x)
	}
	return maxGeneric(x)
}

func maxScale(x []float32, s float32) float32 {
	if path == avx2 {
		return maxScaleAVX2(x, s)
	}
	return maxScaleGeneric(x, s)
}

func expSum(dst, x []float32, m float32) float32 {
	if path == avx2 {
		return expSumAVX2(dst, x[:len(dst)], m)
	}
	return expSumGeneric(dst, x, m)
}

func sumExp(x []float32, m float32) float32 {
	if path == avx2 {
		return sumExpAVX2(x, m)
	}
	return sumExpGeneric(x, m)
}

func expScale(x []float32, s, m float32) {
	if path == avx2 {
		expScaleAVX2(x, s, m)
		return
	}
	expScaleGeneric(x, s, m)
}

func softmaxGrad(dp, p []float32, d, s float32) {
	if path == avx2 {
		softmaxGradAVX2(dp, p[:len(dp)], d, s)
		return
	}
	softmaxGradGeneric(dp, p, d, s)
}

func scale(x []float32, s float32) {
	if path == avx2 {
		scaleAVX2(x, s)
		return
	}
	scaleGeneric(x, s)
}

func add(out, a, b []float32) {
	if path == avx2 {
		addAVX2(out, a[:len(out)], b[:len(out)])
		return
	}
	addGeneric(out, a, b)
}

func mulScale(out, x, w []float32, s float32) {
	if path == avx2 {
		mulScaleAVX2(out, x[:len(out)], w[:len(out)], s)
		return
	}
	mulScaleGeneric(out, x, w, s)
}

func addRows(acc, x []float32, stride, n int) {
	if path == avx2 && n > 0 {
		_ = x[:(n-1)*stride+len(acc)]
		addRowsAVX2(acc, x, stride, n)
		return
	}
	addRowsGeneric(acc, x, stride, n)
}

func mulAddRows(acc, y, x, s []float32, stride, n int) {
	if path == avx2 && n > 0 {
		last := (n-1)*stride + len(acc)
		mulAddRowsAVX2(acc, y[:last], x[:last], s[:n], stride, n)
		return
	}
	mulAddRowsGeneric(acc, y, x, s, stride, n)
}

func layerNormRows(acc, y, x, mean, rstd []float32, stride, n int) {
	if path == avx2 && n > 0 {
		last := (n-1)*stride + len(acc)
		layerNormRowsAVX2(acc, y[:last], x[:last], mean[:n], rstd[:n], stride, n)
		return
	}
	layerNormRowsGeneric(acc, y, x, mean, rstd, stride, n)
}

func rmsGrad(dx, dy, w, x []float32, s, c float32) {
	if path == avx2 {
		rmsGradAVX2(dx, dy[:len(dx)], w[:len(dx)], x[:len(dx)], s, c)
		return
	}
	rmsGradGeneric(dx, dy, w, x, s, c)
}

func rmsGradAdd(dx, dy, w, x, res []float32, s, c float32) {
	if path == avx2 {
		rmsGradAddAVX2(dx, dy[:len(dx)], w[:len(dx)], x[:len(dx)], res[:len(dx)], s, c)
		return
	}
	rmsGradAddGeneric(dx, dy, w, x, res, s, c)
}

func layerNorm(out, x, w, b []float32, mean, rstd float32) {
	if path == avx2 {
		layerNormAVX2(out, x[:len(out)], w[:len(out)], b[:len(out)], mean, rstd)
		return
	}
	layerNormGeneric(out, x, w, b, mean, rstd)
}

func layerNormSums(dy, w, x []float32, mean, rstd float32) (g, gx float32) {
	if path == avx2 {
		return layerNormSumsAVX2(dy, w[:len(dy)], x[:len(dy)], mean, rstd)
	}
	return layerNormSumsGeneric(dy, w, x, mean, rstd)
}

func layerNormGrad(dx, dy, w, x []float32, mean, rstd, a, b float32) {
	if path == avx2 {
		layerNormGradAVX2(dx, dy[:len(dx)], w[:len(dx)], x[:len(dx)], mean, rstd, a, b)
		return
	}
	layerNormGradGeneric(dx, dy, w, x, mean, rstd, a, b)
}

func layerNormGradAdd(dx, dy, w, x, res []float32, mean, rstd, a, b float32) {
	if path == avx2 {
		layerNormGradAddAVX2(dx, dy[:len(dx)], w[:len(dx)], x[:len(dx)], res[:len(dx)], mean, rstd, a, b)
		return
	}
	layerNormGradAddGeneric(dx, dy, w, x, res, mean, rstd, a, b)
}

func rotate(a, b, cos, sin []float32) {
	if path == avx2 {
		rotateAVX2(a, b[:len(a)], cos[:len(a)], sin[:len(a)])
		return
	}
	rotateGeneric(a, b, cos, sin)
}

func rotateBack(a, b, cos, sin []float32) {
	if path == avx2 {
		rotateBackAVX2(a, b[:len(a)], cos[:len(a)], sin[:len(a)])
		return
	}
	rotateBackGeneric(a, b, cos, sin)
}

func swiglu(out, g, u []float32) {
	if path == avx2 {
		swigluAVX2(out, g[:len(out)], u[:len(out)])
		return
	}
	swigluGeneric(out, g, u)
}

func swigluGrad(dg, du, d, g, u []float32) {
	if path == avx2 {
		swigluGradAVX2(dg, du[:len(dg)], d[:len(dg)], g[:len(dg)], u[:len(dg)])
		return
	}
	swigluGradGeneric(dg, du, d, g, u)
}

func gelu(out, x []float32) {
	if path == avx2 {
		geluAVX2(out, x[:len(out)])
		return
	}
	geluGeneric(out, x)
}

func geluGrad(dx, d, x []float32) {
	if path == avx2 {
		geluGradAVX2(dx, d[:len(dx)], x[:len(dx)])
		return
	}
	geluGradGeneric(dx, d, x)
}

func adamw(w, g, m, v []float32, k *adamwConsts) {
	if path == avx2 {
		adamwAVX2(w, g[:len(w)], m[:len(w)], v[:len(w)], &k.gradScale)
		return
	}
	adamwGeneric(w, g, m, v, k)
}

func finite(x []float32) bool {
	if path == avx2 {
		return finiteAVX2(x) == 0
	}
	return finiteGeneric(x)
}
