package kernel

import (
	"math"
	"os"
	"runtime"
	"strings"
	"testing"

	"instruct/model/kernel/rng"
)

// primitive is one vector loop on both paths: slices x, scalars s, results (besides what is written) returned.
type primitive struct {
	name       string
	slices     int
	fast, spec func(x [][]float32, s []float32) []float32
	positive   int  // this slice must not be negative (a second moment), -1: none
	ignoreSign bool // of a zero result: the largest of -0 and +0 is either
}

func primitives() []primitive {
	none := []float32(nil)
	k := func(s []float32) *adamwConsts {
		return &adamwConsts{s[0], 0.9, 0.1, 0.99, 0.01, 0.5, 1e-8, 0.999, 0.01}
	}
	type F = func(x [][]float32, s []float32) []float32
	one := func(name string, slices int, fast, spec F) primitive {
		return primitive{name: name, slices: slices, fast: fast, spec: spec, positive: -1}
	}
	head := func(x []float32) []float32 { return x[:len(x)/3] } // the sums of a matrix of three rows
	list := []primitive{
		one("dot", 2, func(x [][]float32, s []float32) []float32 { return []float32{dot(x[0], x[1])} },
			func(x [][]float32, s []float32) []float32 { return []float32{dotGeneric(x[0], x[1])} }),
		one("sum", 1, func(x [][]float32, s []float32) []float32 { return []float32{sum(x[0])} },
			func(x [][]float32, s []float32) []float32 { return []float32{sumGeneric(x[0])} }),
		one("variance", 1, func(x [][]float32, s []float32) []float32 { return []float32{variance(x[0], s[0])} },
			func(x [][]float32, s []float32) []float32 { return []float32{varianceGeneric(x[0], s[0])} }),
		one("dot3", 3, func(x [][]float32, s []float32) []float32 { return []float32{dot3(x[0], x[1], x[2], s[0])} },
			func(x [][]float32, s []float32) []float32 { return []float32{dot3Generic(x[0], x[1], x[2], s[0])} }),
		one("sumExp", 1, func(x [][]float32, s []float32) []float32 { return []float32{sumExp(x[0], s[0])} },
			func(x [][]float32, s []float32) []float32 { return []float32{sumExpGeneric(x[0], s[0])} }),
		one("expSum", 2, func(x [][]float32, s []float32) []float32 { return []float32{expSum(x[0], x[1], s[0])} },
			func(x [][]float32, s []float32) []float32 { return []float32{expSumGeneric(x[0], x[1], s[0])} }),
		one("expScale", 1, func(x [][]float32, s []float32) []float32 { expScale(x[0], s[0], s[1]); return none },
			func(x [][]float32, s []float32) []float32 { expScaleGeneric(x[0], s[0], s[1]); return none }),
		one("softmaxGrad", 2, func(x [][]float32, s []float32) []float32 { softmaxGrad(x[0], x[1], s[0], s[1]); return none },
			func(x [][]float32, s []float32) []float32 { softmaxGradGeneric(x[0], x[1], s[0], s[1]); return none }),
		one("scale", 1, func(x [][]float32, s []float32) []float32 { scale(x[0], s[0]); return none },
			func(x [][]float32, s []float32) []float32 { scaleGeneric(x[0], s[0]); return none }),
		one("add", 3, func(x [][]float32, s []float32) []float32 { add(x[0], x[1], x[2]); return none },
			func(x [][]float32, s []float32) []float32 { addGeneric(x[0], x[1], x[2]); return none }),
		one("mulScale", 3, func(x [][]float32, s []float32) []float32 { mulScale(x[0], x[1], x[2], s[0]); return none },
			func(x [][]float32, s []float32) []float32 { mulScaleGeneric(x[0], x[1], x[2], s[0]); return none }),
		one("addRows", 2, func(x [][]float32, s []float32) []float32 { addRows(head(x[0]), x[1], len(x[0])/3, 3); return none },
			func(x [][]float32, s []float32) []float32 {
				addRowsGeneric(head(x[0]), x[1], len(x[0])/3, 3)
				return none
			}),
		one("mulAddRows", 3, func(x [][]float32, s []float32) []float32 {
			mulAddRows(head(x[0]), x[1], x[2], s, len(x[0])/3, 3)
			return none
		},
			func(x [][]float32, s []float32) []float32 {
				mulAddRowsGeneric(head(x[0]), x[1], x[2], s, len(x[0])/3, 3)
				return none
			}),
		one("layerNormRows", 3, func(x [][]float32, s []float32) []float32 {
			layerNormRows(head(x[0]), x[1], x[2], s, s[1:], len(x[0])/3, 3)
			return none
		},
			func(x [][]float32, s []float32) []float32 {
				layerNormRowsGeneric(head(x[0]), x[1], x[2], s, s[1:], len(x[0])/3, 3)
				return none
			}),
		one("rmsGrad", 4, func(x [][]float32, s []float32) []float32 { rmsGrad(x[0], x[1], x[2], x[3], s[0], s[1]); return none },
			func(x [][]float32, s []float32) []float32 {
				rmsGradGeneric(x[0], x[1], x[2], x[3], s[0], s[1])
				return none
			}),
		one("rmsGradAdd", 5, func(x [][]float32, s []float32) []float32 {
			rmsGradAdd(x[0], x[1], x[2], x[3], x[4], s[0], s[1])
			return none
		},
			func(x [][]float32, s []float32) []float32 {
				rmsGradAddGeneric(x[0], x[1], x[2], x[3], x[4], s[0], s[1])
				return none
			}),
		one("layerNorm", 4, func(x [][]float32, s []float32) []float32 { layerNorm(x[0], x[1], x[2], x[3], s[0], s[1]); return none },
			func(x [][]float32, s []float32) []float32 {
				layerNormGeneric(x[0], x[1], x[2], x[3], s[0], s[1])
				return none
			}),
		one("layerNormSums", 3, func(x [][]float32, s []float32) []float32 {
			a, b := layerNormSums(x[0], x[1], x[2], s[0], s[1])
			return []float32{a, b}
		},
			func(x [][]float32, s []float32) []float32 {
				a, b := layerNormSumsGeneric(x[0], x[1], x[2], s[0], s[1])
				return []float32{a, b}
			}),
		one("layerNormGrad", 4, func(x [][]float32, s []float32) []float32 {
			layerNormGrad(x[0], x[1], x[2], x[3], s[0], s[1], s[2], s[3])
			return none
		},
			func(x [][]float32, s []float32) []float32 {
				layerNormGradGeneric(x[0], x[1], x[2], x[3], s[0], s[1], s[2], s[3])
				return none
			}),
		one("layerNormGradAdd", 5, func(x [][]float32, s []float32) []float32 {
			layerNormGradAdd(x[0], x[1], x[2], x[3], x[4], s[0], s[1], s[2], s[3])
			return none
		},
			func(x [][]float32, s []float32) []float32 {
				layerNormGradAddGeneric(x[0], x[1], x[2], x[3], x[4], s[0], s[1], s[2], s[3])
				return none
			}),
		one("rotate", 4, func(x [][]float32, s []float32) []float32 { rotate(x[0], x[1], x[2], x[3]); return none },
			func(x [][]float32, s []float32) []float32 { rotateGeneric(x[0], x[1], x[2], x[3]); return none }),
		one("rotateBack", 4, func(x [][]float32, s []float32) []float32 { rotateBack(x[0], x[1], x[2], x[3]); return none },
			func(x [][]float32, s []float32) []float32 { rotateBackGeneric(x[0], x[1], x[2], x[3]); return none }),
		one("swiglu", 3, func(x [][]float32, s []float32) []float32 { swiglu(x[0], x[1], x[2]); return none },
			func(x [][]float32, s []float32) []float32 { swigluGeneric(x[0], x[1], x[2]); return none }),
		one("swigluGrad", 5, func(x [][]float32, s []float32) []float32 { swigluGrad(x[0], x[1], x[2], x[3], x[4]); return none },
			func(x [][]float32, s []float32) []float32 {
				swigluGradGeneric(x[0], x[1], x[2], x[3], x[4])
				return none
			}),
		one("gelu", 2, func(x [][]float32, s []float32) []float32 { gelu(x[0], x[1]); return none },
			func(x [][]float32, s []float32) []float32 { geluGeneric(x[0], x[1]); return none }),
		one("geluGrad", 3, func(x [][]float32, s []float32) []float32 { geluGrad(x[0], x[1], x[2]); return none },
			func(x [][]float32, s []float32) []float32 { geluGradGeneric(x[0], x[1], x[2]); return none }),
	}
	largest := one("max", 1, func(x [][]float32, s []float32) []float32 { return []float32{maxOf(x[0])} },
		func(x [][]float32, s []float32) []float32 { return []float32{maxGeneric(x[0])} })
	largest.ignoreSign = true
	scaled := one("maxScale", 1, func(x [][]float32, s []float32) []float32 { return []float32{maxScale(x[0], s[0])} },
		func(x [][]float32, s []float32) []float32 { return []float32{maxScaleGeneric(x[0], s[0])} })
	scaled.ignoreSign = true
	step := one("adamw", 4, func(x [][]float32, s []float32) []float32 { adamw(x[0], x[1], x[2], x[3], k(s)); return none },
		func(x [][]float32, s []float32) []float32 { adamwGeneric(x[0], x[1], x[2], x[3], k(s)); return none })
	step.positive = 3
	truth := func(b bool) []float32 {
		if b {
			return []float32{1}
		}
		return []float32{0}
	}
	all := one("finite", 1, func(x [][]float32, s []float32) []float32 { return truth(finite(x[0])) },
		func(x [][]float32, s []float32) []float32 { return truth(finiteGeneric(x[0])) })
	return append(list, largest, scaled, step, all)
}

// Every vector loop has the bits of its generic form: all lengths to three steps and one, any alignment, special values, nothing written outside.
func TestPrimitives(t *testing.T) {
	was := path
	defer func() { path = was }()
	if vectorPaths() == nil {
		t.Skip("no assembly here: there is nothing to compare")
	}
	for _, path = range vectorPaths() {
		t.Run(Path(), testPrimitives)
	}
}

func testPrimitives(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	special := []float32{0, float32(math.Copysign(0, -1)), inf, -inf, nan, 1e-40, -1e-45, 88.5, 89, 200, -87, -103, -200, math.MaxFloat32, -math.MaxFloat32}
	source, err := os.ReadFile("dispatch_" + runtime.GOARCH + ".go")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range primitives() {
		if call := p.name + strings.ToUpper(Path()) + "("; !strings.Contains(string(source), call) { // else the generic form would be compared with itself
			t.Errorf("dispatch_%s.go does not call %s", runtime.GOARCH, call)
		}
		t.Run(p.name, func(t *testing.T) {
			r := rng.NewRand(9, p.name, 0, 0)
			for n := 0; n <= 3*49; n++ {
				for round := range 12 {
					s := make([]float32, 4)
					for i := range s {
						s[i] = float32(r.Normal())
					}
					x, y := make([]guarded, p.slices), make([]guarded, p.slices)
					fast, spec := make([][]float32, p.slices), make([][]float32, p.slices)
					for i := range x {
						x[i], y[i] = newGuarded(n, r.Intn(17)), newGuarded(n, 0)
						for j := range n {
							v := float32(r.Normal()) * []float32{1, 10, 100}[round%3]
							if round >= 6 && r.Intn(10) == 0 && (round >= 9 || i == 0) {
								v = special[r.Intn(len(special))]
							}
							if i == p.positive && v < 0 {
								v = -v
							}
							x[i].x[j], y[i].x[j] = v, v
						}
						fast[i], spec[i] = x[i].x, y[i].x
					}
					got, want := p.fast(fast, s), p.spec(spec, s)
					for i := range want {
						if !sameBits(got[i], want[i]) && !(p.ignoreSign && got[i] == want[i]) {
							t.Fatalf("n=%d: result %d is %g, want %g", n, i, got[i], want[i])
						}
					}
					for i := range x {
						if at := firstDifference(fast[i], spec[i]); at >= 0 {
							t.Fatalf("n=%d: slice %d, element %d is %g, want %g", n, i, at, fast[i][at], spec[i][at])
						}
						if !x[i].intact() {
							t.Fatalf("n=%d: slice %d: wrote outside", n, i)
						}
					}
				}
			}
		})
	}
}

// The vector exp is Exp, for a dense net of arguments.
func TestExpBits(t *testing.T) {
	was := path
	defer func() { path = was }()
	for _, path = range vectorPaths() {
		t.Run(Path(), testExpBits)
	}
}

func testExpBits(t *testing.T) {
	x := make([]float32, 1<<12)
	var n uint32
	for range 64 {
		for i := range x {
			x[i] = math.Float32frombits(n)
			n += 16411 // a prime: over 2^18 arguments spread over all bit patterns
		}
		y := make([]float32, len(x))
		expSum(y, x, 0)
		for i, v := range x {
			if want := Exp(v); !sameBits(y[i], want) {
				t.Fatalf("exp(%g) = %g, want %g", v, y[i], want)
			}
		}
	}
}
