package ops

import (
	"maps"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// TestRound: what none but products read is written rounded, and nothing else.
func TestRound(t *testing.T) {
	plain := []string{"act", "act.again", "act.backward", "last", "norm", "norm.again"}
	for name, c := range map[string]struct {
		bias   bool
		scale  float32
		before ActivationKind // of a sublayer before, of which the activation reads the norm; SwiGLU: there is none
		want   []string
	}{
		"plain":               {want: plain},
		"a bias reads too":    {bias: true, want: []string{"act", "act.again", "last", "norm", "norm.again"}},
		"a scaled head":       {scale: 0.5, want: plain[:3:3]},
		"an activation reads": {before: GELU, want: append(slices.Clone(plain), "first.act", "first.act.again")},
	} {
		want := c.want
		if c.scale != 0 {
			want = append(want, "norm", "norm.again")
		}
		slices.Sort(want)
		if got := roundedOutputs(t, c.bias, c.scale, c.before); !slices.Equal(got, want) {
			t.Errorf("%s: rounded are %v, want %v", name, got, want)
		}
	}
}

// roundedOutputs are the ops of a small graph whose outputs are written rounded.
func roundedOutputs(t *testing.T, bias bool, scale float32, before ActivationKind) []string {
	t.Helper()
	const width, capacity = 8, 4
	g := &Graph{Env: &Env{Rounds: true}, Capacity: capacity, Planning: true}
	must := func(n *gorgonia.Node, err error) *gorgonia.Node {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	param := func(name string, shape ...int) *Param { return &Param{Name: name, Shape: shape} }
	up := Linear{Name: "up", W: param("up", 2*width, width)}
	if bias {
		up.Bias = param("up.bias", 2*width)
	}
	tokens := gorgonia.NewTensor(gorgonia.NewGraph(), tensor.Int32, 1, gorgonia.WithShape(capacity),
		gorgonia.WithName("tokens"))
	table := param("embed", 10, width)
	x := &Stream{X: must(Embed{W: table, Pad: -1}.Apply(g, tokens))}
	if before != SwiGLU {
		h := must(Norm{Name: "first", W: param("first", width)}.Apply(g, x))
		h = must(Activation{Name: "first.act", F: width, Kind: before}.Apply(g, h))
		x = &Stream{X: must(Linear{Name: "out", W: param("out", width, width), Add: x}.Apply(g, h))}
	}
	h := must(Norm{Name: "norm", W: param("norm", width)}.Apply(g, x))
	h = must(Activation{Name: "act", F: width}.Apply(g, must(up.Apply(g, h))))
	h = must(Linear{Name: "down", W: param("down", width, width), Add: x}.Apply(g, h))
	h = must(Norm{Name: "last", W: param("last", width)}.Apply(g, &Stream{X: h}))
	out := must((&Loss{W: table, Scale: scale, Grad: true}).Apply(g, h))
	if _, err := gorgonia.Grad(out, g.Trained()...); err != nil {
		t.Fatal(err)
	}
	if _, _, err := g.Plan(out); err != nil {
		t.Fatal(err)
	}
	rounded := map[string]bool{}
	for _, op := range g.Ops() {
		if op.rounds {
			rounded[op.Name()] = true
		}
	}
	return slices.Sorted(maps.Keys(rounded))
}
