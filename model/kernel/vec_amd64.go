//go:build amd64 && !purego

package kernel

//go:generate sh -c "cd _asm && go run . -part vec -out ../vec_amd64.s -stubs ../vec_stub_amd64.go -pkg kernel"

// The vector primitives: assembly where the CPU has it, else the loops of vec_generic.go. The first slice tells the length of all.

func dot(x, y []float32) float32                 { return dotGeneric(x, y) }
func sum(x []float32) float32                    { return sumGeneric(x) }
func variance(x []float32, mean float32) float32 { return varianceGeneric(x, mean) }
func dot3(x, y, z []float32, s float32) float32  { return dot3Generic(x, y, z, s) }
func maxOf(x []float32) float32                  { return maxGeneric(x) }
func maxScale(x []float32, s float32) float32    { return maxScaleGeneric(x, s) }
func expSum(dst, x []float32, m float32) float32 { return expSumGeneric(dst, x, m) }
func sumExp(x []float32, m float32) float32      { return sumExpGeneric(x, m) }
func expScale(x []float32, s, m float32)         { expScaleGeneric(x, s, m) }
func softmaxGrad(dp, p []float32, d, s float32)  { softmaxGradGeneric(dp, p, d, s) }
func scale(x []float32, s float32)               { scaleGeneric(x, s) }
func add(out, a, b []float32)                    { addGeneric(out, a, b) }
func mulScale(out, x, w []float32, s float32)    { mulScaleGeneric(out, x, w, s) }
func mulAddScale(acc, y, x []float32, s float32) { mulAddScaleGeneric(acc, y, x, s) }
func rmsGrad(dx, dy, w, x []float32, s, c float32) {
	if avx2 {
		rmsGradAVX2(dx[:len(x)], dy[:len(x)], w[:len(x)], x, s, c)
		return
	}
	rmsGradGeneric(dx, dy, w, x, s, c)
}

func rmsGradAdd(dx, dy, w, x, res []float32, s, c float32) {
	if avx2 {
		rmsGradAddAVX2(dx, dy[:len(dx)], w[:len(dx)], x[:len(dx)], res[:len(dx)], s, c)
		return
	}
	rmsGradAddGeneric(dx, dy, w, x, res, s, c)
}

func layerNorm(out, x, w, b []float32, mean, rstd float32) {
	if avx2 {
		layerNormAVX2(out, x[:len(out)], w[:len(out)], b[:len(out)], mean, rstd)
		return
	}
	layerNormGeneric(out, x, w, b, mean, rstd)
}

func layerNormSums(dy, w, x []float32, mean, rstd float32) (g, gx float32) {
	if avx2 {
		return layerNormSumsAVX2(dy, w[:len(dy)], x[:len(dy)], mean, rstd)
	}
	return layerNormSumsGeneric(dy, w, x, mean, rstd)
}

func layerNormGrad(dx, dy, w, x []float32, mean, rstd, a, b float32) {
	if avx2 {
		layerNormGradAVX2(dx, dy[:len(dx)], w[:len(dx)], x[:len(dx)], mean, rstd, a, b)
		return
	}
	layerNormGradGeneric(dx, dy, w, x, mean, rstd, a, b)
}

func layerNormGradAdd(dx, dy, w, x, res []float32, mean, rstd, a, b float32) {
	if avx2 {
		layerNormGradAddAVX2(dx, dy[:len(dx)], w[:len(dx)], x[:len(dx)], res[:len(dx)], mean, rstd, a, b)
		return
	}
	layerNormGradAddGeneric(dx, dy, w, x, res, mean, rstd, a, b)
}

func layerNormAcc(dw, dy, x []float32, mean, rstd float32) {
	if avx2 {
		layerNormAccAVX2(dw, dy[:len(dw)], x[:len(dw)], mean, rstd)
		return
	}
	layerNormAccGeneric(dw, dy, x, mean, rstd)
}

func rotate(a, b, cos, sin []float32)      { rotateGeneric(a, b, cos, sin) }
func rotateBack(a, b, cos, sin []float32)  { rotateBackGeneric(a, b, cos, sin) }
func swiglu(out, g, u []float32)           { swigluGeneric(out, g, u) }
func swigluGrad(dg, du, d, g, u []float32) { swigluGradGeneric(dg, du, d, g, u) }
func gelu(out, x []float32)                { geluGeneric(out, x) }
func geluGrad(dx, d, x []float32)          { geluGradGeneric(dx, d, x) }
func adamw(w, g, m, v []float32, k *adamwConsts) {
	if avx2 {
		adamwAVX2(w, g[:len(w)], m[:len(w)], v[:len(w)], &k.gradScale)
		return
	}
	adamwGeneric(w, g, m, v, k)
}

func finite(x []float32) bool {
	if avx2 {
		return finiteAVX2(x) == 0
	}
	return finiteGeneric(x)
}
