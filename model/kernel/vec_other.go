//go:build (!amd64 && !arm64) || purego

package kernel

func dot(x, y []float32) float32                       { return dotGeneric(x, y) }
func sum(x []float32) float32                          { return sumGeneric(x) }
func variance(x []float32, mean float32) float32       { return varianceGeneric(x, mean) }
func dot3(x, y, z []float32, s float32) float32        { return dot3Generic(x, y, z, s) }
func maxOf(x []float32) float32                        { return maxGeneric(x) }
func maxScale(x []float32, s float32) float32          { return maxScaleGeneric(x, s) }
func expSum(dst, x []float32, m float32) float32       { return expSumGeneric(dst, x, m) }
func sumExp(x []float32, m float32) float32            { return sumExpGeneric(x, m) }
func expScale(x []float32, s, m float32)               { expScaleGeneric(x, s, m) }
func softmaxGrad(dp, p []float32, d, s float32)        { softmaxGradGeneric(dp, p, d, s) }
func scale(x []float32, s float32)                     { scaleGeneric(x, s) }
func add(out, a, b []float32)                          { addGeneric(out, a, b) }
func mulScale(out, x, w []float32, s float32)          { mulScaleGeneric(out, x, w, s) }
func addRows(acc, x []float32, stride, n int)          { addRowsGeneric(acc, x, stride, n) }
func mulAddRows(acc, y, x, s []float32, stride, n int) { mulAddRowsGeneric(acc, y, x, s, stride, n) }
func layerNormRows(acc, y, x, mean, rstd []float32, stride, n int) {
	layerNormRowsGeneric(acc, y, x, mean, rstd, stride, n)
}
func rmsGrad(dx, dy, w, x []float32, s, c float32) { rmsGradGeneric(dx, dy, w, x, s, c) }
func rmsGradAdd(dx, dy, w, x, res []float32, s, c float32) {
	rmsGradAddGeneric(dx, dy, w, x, res, s, c)
}
func layerNorm(out, x, w, b []float32, mean, rstd float32) {
	layerNormGeneric(out, x, w, b, mean, rstd)
}
func layerNormSums(dy, w, x []float32, mean, rstd float32) (g, gx float32) {
	return layerNormSumsGeneric(dy, w, x, mean, rstd)
}
func layerNormGrad(dx, dy, w, x []float32, mean, rstd, a, b float32) {
	layerNormGradGeneric(dx, dy, w, x, mean, rstd, a, b)
}
func layerNormGradAdd(dx, dy, w, x, res []float32, mean, rstd, a, b float32) {
	layerNormGradAddGeneric(dx, dy, w, x, res, mean, rstd, a, b)
}
func rotate(a, b, cos, sin []float32)            { rotateGeneric(a, b, cos, sin) }
func rotateBack(a, b, cos, sin []float32)        { rotateBackGeneric(a, b, cos, sin) }
func swiglu(out, g, u []float32)                 { swigluGeneric(out, g, u) }
func swigluGrad(dg, du, d, g, u []float32)       { swigluGradGeneric(dg, du, d, g, u) }
func gelu(out, x []float32)                      { geluGeneric(out, x) }
func geluGrad(dx, d, x []float32)                { geluGradGeneric(dx, d, x) }
func adamw(w, g, m, v []float32, k *adamwConsts) { adamwGeneric(w, g, m, v, k) }
func finite(x []float32) bool                    { return finiteGeneric(x) }
