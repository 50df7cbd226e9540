package kernel

import (
	"math"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"instruct/model/kernel/rng"
)

// primitive is one vector loop on both paths: functions of one type.
type primitive struct {
	name       string
	fast, spec any
	factors    int  // so many slices, the last ones, have one value a row
	positive   int  // this slice, counted from 1, must not be negative (a second moment)
	ignoreSign bool // of a zero result: the largest of -0 and +0 is either
}

func primitives() []primitive {
	return []primitive{
		{name: "dot", fast: dot, spec: dotGeneric},
		{name: "sum", fast: sum, spec: sumGeneric},
		{name: "variance", fast: variance, spec: varianceGeneric},
		{name: "dot3", fast: dot3, spec: dot3Generic},
		{name: "sumExp", fast: sumExp, spec: sumExpGeneric},
		{name: "expSum", fast: expSum, spec: expSumGeneric},
		{name: "expScale", fast: expScale, spec: expScaleGeneric},
		{name: "softmaxGrad", fast: softmaxGrad, spec: softmaxGradGeneric},
		{name: "scale", fast: scale, spec: scaleGeneric},
		{name: "add", fast: add, spec: addGeneric},
		{name: "mulScale", fast: mulScale, spec: mulScaleGeneric},
		{name: "rmsGrad", fast: rmsGrad, spec: rmsGradGeneric},
		{name: "rmsGradAdd", fast: rmsGradAdd, spec: rmsGradAddGeneric},
		{name: "layerNorm", fast: layerNorm, spec: layerNormGeneric},
		{name: "layerNormSums", fast: layerNormSums, spec: layerNormSumsGeneric},
		{name: "layerNormGrad", fast: layerNormGrad, spec: layerNormGradGeneric},
		{name: "layerNormGradAdd", fast: layerNormGradAdd, spec: layerNormGradAddGeneric},
		{name: "rotate", fast: rotate, spec: rotateGeneric},
		{name: "rotateBack", fast: rotateBack, spec: rotateBackGeneric},
		{name: "swiglu", fast: swiglu, spec: swigluGeneric},
		{name: "swigluGrad", fast: swigluGrad, spec: swigluGradGeneric},
		{name: "gelu", fast: gelu, spec: geluGeneric},
		{name: "geluGrad", fast: geluGrad, spec: geluGradGeneric},
		{name: "finite", fast: finite, spec: finiteGeneric},
		{name: "addRows", fast: addRows, spec: addRowsGeneric},
		{name: "mulAddRows", fast: mulAddRows, spec: mulAddRowsGeneric, factors: 1},
		{name: "layerNormRows", fast: layerNormRows, spec: layerNormRowsGeneric, factors: 2},
		{name: "max", fast: maxOf, spec: maxGeneric, ignoreSign: true},
		{name: "maxScale", fast: maxScale, spec: maxScaleGeneric, ignoreSign: true},
		{name: "adamw", fast: adamw, spec: adamwGeneric, positive: 4},
	}
}

// slices is the number of slices that the primitive works on.
func (p primitive) slices() int {
	n := -p.factors
	for in := range reflect.TypeOf(p.spec).Ins() {
		if in.Kind() == reflect.Slice {
			n++
		}
	}
	return n
}

// call calls fast or spec with slices x and scalars s, and gives the results besides what is written. Matrices have
// three rows.
func (p primitive) call(f any, x [][]float32, s []float32) []float32 {
	stride := len(x[0]) / 3
	counts := []int{stride, 3}
	if strings.HasSuffix(p.name, "Rows") {
		x = append([][]float32{x[0][:stride]}, x[1:]...)
	}
	for i := range p.factors {
		x = append(x, s[i:])
	}
	k := &adamwConsts{s[0], 0.9, 0.1, 0.99, 0.01, 0.5, 1e-8, 0.999, 0.01}
	var args []reflect.Value
	for in := range reflect.TypeOf(f).Ins() {
		var arg any = k
		switch in.Kind() {
		case reflect.Slice:
			arg, x = x[0], x[1:]
		case reflect.Float32:
			arg, s = s[0], s[1:]
		case reflect.Int:
			arg, counts = counts[0], counts[1:]
		}
		args = append(args, reflect.ValueOf(arg))
	}
	var results []float32
	for _, r := range reflect.ValueOf(f).Call(args) {
		switch r := r.Interface().(type) {
		case float32:
			results = append(results, r)
		case bool:
			results = append(results, map[bool]float32{true: 1}[r])
		}
	}
	return results
}

// Every vector loop has the bits of its generic form: all lengths to three steps and one, any alignment, special
// values, nothing written outside.
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
	file := "dispatch_" + runtime.GOARCH + ".go"
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range primitives() {
		call := p.name + strings.ToUpper(Path()) + "("
		if !strings.Contains(string(source), call) { // else the generic form would be compared with itself
			t.Errorf("%s does not call %s", file, call)
		}
		t.Run(p.name, func(t *testing.T) {
			r := rng.NewRand(9, p.name, 0, 0)
			for n := 0; n <= 3*49; n++ {
				for round := range 12 {
					if raced && (n+round)%24 != 0 {
						continue
					}
					testPrimitive(t, p, &r, n, round)
				}
			}
		})
	}
}

// testPrimitive compares both forms on slices of n values, which are larger and stranger from round to round.
func testPrimitive(t *testing.T, p primitive, r *rng.Rand, n, round int) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	special := []float32{0, float32(math.Copysign(0, -1)), inf, -inf, nan, 1e-40, -1e-45, 88.5, 89, 200, -87, -103, -200,
		math.MaxFloat32, -math.MaxFloat32}
	s := make([]float32, 4)
	for i := range s {
		s[i] = float32(r.Normal())
	}
	x := make([]guarded, p.slices())
	fast, spec := make([][]float32, len(x)), make([][]float32, len(x))
	for i := range x {
		x[i] = newGuarded(n, r.Intn(17))
		for j := range n {
			v := float32(r.Normal()) * []float32{1, 10, 100}[round%3]
			if round >= 6 && r.Intn(10) == 0 && (round >= 9 || i == 0) {
				v = special[r.Intn(len(special))]
			}
			if i+1 == p.positive && v < 0 {
				v = -v
			}
			x[i].x[j] = v
		}
		fast[i], spec[i] = x[i].x, slices.Clone(x[i].x)
	}
	got, want := p.call(p.fast, fast, s), p.call(p.spec, spec, s)
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
