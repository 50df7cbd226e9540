package model

import (
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"instruct/model/kernel"
	"instruct/model/kernel/rng"
	"instruct/model/ops"
)

// adapterConfig has adapters everywhere.
func adapterConfig() AdapterConfig {
	return AdapterConfig{R: 3, Alpha: 6, Targets: []string{AllLinear}, Seed: 5}
}

// adaptedModel makes a model of the values of testModel with an adapter whose B is not zero.
func adaptedModel(t testing.TB, c Config, a AdapterConfig, d kernel.DType) *Model {
	t.Helper()
	m, err := Outline(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Adapt(a, d); err != nil {
		t.Fatal(err)
	}
	if err := m.Allocate(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	m.Init(7)
	m.KeepFirst()
	m.InitAdapter()
	for i, p := range m.Params {
		r := rng.NewRand(3, "b", uint64(i), 0)
		for j := range p.Value {
			if strings.HasSuffix(p.Name, ".lora_B") {
				p.Value[j] = float32(0.1 * r.Normal())
			}
		}
	}
	return m
}

// lossOf is the loss of the test batch.
func lossOf(t testing.TB, m *Model) float64 {
	t.Helper()
	g, err := m.NewEvaluation(testPool(t), 64, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	loss, err := g.Run(testBatch(m.Config.Vocab, 9, 20, 3))
	if err != nil {
		t.Fatal(err)
	}
	return loss
}

// delta is what an adapter adds to its matrix, (out, in), in float64.
func delta(a *ops.Adapter, out, in int) []float64 {
	d := make([]float64, out*in)
	row := 0
	for k, block := range a.Blocks {
		for o := range block.Rows {
			for i := range in {
				for r := range a.Rank {
					d[(block.From+o)*in+i] += float64(a.Scale) * float64(a.B.Value[(row+o)*a.Rank+r]) *
						float64(a.A.Value[(k*a.Rank+r)*in+i])
				}
			}
		}
		row += block.Rows
	}
	return d
}

// dims are the outputs and inputs of a matrix, and where the element of output o and input i lies.
func dims(m *Model, p *ops.Param) (out, in int, at func(o, i int) int) {
	if m.specs[slices.Index(m.Params, p)].form == kernel.NN {
		out, in = p.Shape[1], p.Shape[0]
		return out, in, func(o, i int) int { return i*out + o }
	}
	out, in = p.Shape[0], p.Shape[1]
	return out, in, func(o, i int) int { return o*in + i }
}

// mergedModel is m's base with the adapter's products added to its matrices, all of it trained.
func mergedModel(t testing.TB, m *Model) *Model {
	t.Helper()
	whole := testModel(t, m.Config)
	for _, p := range m.Params {
		if p.Adapter == nil {
			continue
		}
		out, in, at := dims(m, p)
		d := delta(p.Adapter, out, in)
		for o := range out {
			for i := range in {
				whole.byName[p.Name].Value[at(o, i)] += float32(d[o*in+i])
			}
		}
	}
	return whole
}

func near(a, b, scale float64) bool { return math.Abs(a-b) <= 2e-4*scale+1e-6 }

// TestAdapterGradients: loss and gradients of an adapter are those that follow from the gradients of the merged matrix,
// dB = s·dW·Aᵀ and dA = s·Bᵀ·dW, in every family, and nothing else has a gradient.
func TestAdapterGradients(t *testing.T) {
	pool := testPool(t)
	for name, c := range brief(testConfigs(t)) {
		m := adaptedModel(t, c, adapterConfig(), kernel.F32)
		wantLoss, grads := trainedGradients(t, mergedModel(t, m), pool, false)
		for _, checkpointing := range []bool{false, true} {
			loss, got := trainedGradients(t, m, pool, checkpointing)
			if !near(loss, wantLoss, math.Abs(wantLoss)) {
				t.Errorf("%s: loss %v, merged %v", name, loss, wantLoss)
			}
			adapters := 0
			for _, p := range m.Params {
				if a := p.Adapter; a != nil {
					adapters++
					checkAdapterGradients(t, name, m, p, got, grads[p.Name])
				}
			}
			if adapters == 0 || len(got) != 2*adapters {
				t.Errorf("%s: %d adapters, %d gradients", name, adapters, len(got))
			}
		}
	}
}

func checkAdapterGradients(t *testing.T, name string, m *Model, p *ops.Param, got map[string][]float32, dw []float32) {
	t.Helper()
	a := p.Adapter
	_, in, at := dims(m, p)
	da, db := got[a.A.Name], got[a.B.Name]
	wantA, wantB := make([]float64, len(da)), make([]float64, len(db))
	row := 0
	for k, block := range a.Blocks {
		for o := range block.Rows {
			for i := range in {
				g := float64(a.Scale) * float64(dw[at(block.From+o, i)])
				for r := range a.Rank {
					wantB[(row+o)*a.Rank+r] += g * float64(a.A.Value[(k*a.Rank+r)*in+i])
					wantA[(k*a.Rank+r)*in+i] += g * float64(a.B.Value[(row+o)*a.Rank+r])
				}
			}
		}
		row += block.Rows
	}
	for which, pair := range map[string]struct {
		got  []float32
		want []float64
	}{"A": {da, wantA}, "B": {db, wantB}} {
		most := 0.0
		for _, x := range pair.want {
			most = max(most, math.Abs(x))
		}
		for j, x := range pair.want {
			if !near(float64(pair.got[j]), x, most) {
				t.Fatalf("%s: %s.%s: gradient %d is %v, want %v", name, p.Name, which, j, pair.got[j], x)
			}
		}
	}
}

// TestFreshAdapter: an adapter that was just drawn changes no bit, and neither does one that is switched off.
func TestFreshAdapter(t *testing.T) {
	for name, c := range brief(testConfigs(t)) {
		want := lossOf(t, testModel(t, c))
		m := adaptedModel(t, c, adapterConfig(), kernel.F32)
		changed := lossOf(t, m)
		var off float64
		if err := m.WithoutAdapter(func() error { off = lossOf(t, m); return nil }); err != nil {
			t.Fatal(err)
		}
		if changed == want || off != want || lossOf(t, m) != changed {
			t.Errorf("%s: loss %v without, %v with, %v switched off", name, want, changed, off)
		}
		for _, p := range m.Params {
			if p.Adapter != nil {
				clear(p.Adapter.B.Value)
			}
		}
		if got := lossOf(t, m); got != want {
			t.Errorf("%s: loss %v with a fresh adapter, %v without", name, got, want)
		}
	}
}

// TestSavedModules: modules to save are trained whole, and switched off with the adapter.
func TestSavedModules(t *testing.T) {
	c := testConfigs(t)["mistral"]
	a := adapterConfig()
	a.Targets, a.Save = []string{"q_proj", "v_proj"}, []string{"lm_head", "model.norm"}
	m := adaptedModel(t, c, a, kernel.F32)
	want := lossOf(t, testModel(t, c))
	for _, name := range []string{"head", "norm"} {
		for i := range m.byName[name].Value {
			m.byName[name].Value[i] *= 1.5
		}
	}
	var off float64
	if err := m.WithoutAdapter(func() error { off = lossOf(t, m); return nil }); err != nil {
		t.Fatal(err)
	}
	if off != want || lossOf(t, m) == want {
		t.Errorf("loss %v without, %v switched off", want, off)
	}
	var names []string
	for _, x := range m.AdapterTensors() {
		if !strings.Contains(x.Name, "layers.") {
			names = append(names, x.Name)
		}
	}
	if !slices.Equal(names, []string{"base_model.model.model.norm.weight", "base_model.model.lm_head.weight"}) {
		t.Errorf("saved as %v", names)
	}
	_, got := trainedGradients(t, m, testPool(t), false)
	if got["head"] == nil || got["norm"] == nil || got["embed"] != nil || got["layers.0.out"] != nil {
		t.Errorf("gradients of %v", slices.Sorted(maps.Keys(got)))
	}
	if want := []string{"q_proj", "v_proj"}; !slices.Equal(m.TargetNames(), want) {
		t.Errorf("targets %v", m.TargetNames())
	}
}

// TestAdapterTargets names what is wrong with targets and modules to save.
func TestAdapterTargets(t *testing.T) {
	for _, test := range []struct {
		family        string
		targets, save []string
		want          string
	}{
		{"mistral", []string{"q_prj"}, nil, "no linear module q_prj that could have an adapter; it has down_proj, gate"},
		{"mistral", []string{"lm_head"}, nil, "modules_to_save trains it whole"},
		{"mistral", []string{"q_proj"}, []string{"lm_hat"}, "no module lm_hat"},
		{"mistral", []string{"q_proj"}, []string{"o_proj", "up_proj"}, "is trained together with"},
		{"mistral", []string{"q_proj"}, []string{"q_proj", "k_proj", "v_proj"}, "is to be trained whole and has an adapter"},
		{"qwen3", []string{"q_proj"}, []string{"embed_tokens"}, "tie_word_embeddings"},
	} {
		m, err := Outline(testConfigs(t)[test.family])
		if err != nil {
			t.Fatal(err)
		}
		err = m.Adapt(AdapterConfig{R: 2, Alpha: 2, Targets: test.targets, Save: test.save}, kernel.F32)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v, %v: %v, want %q", test.targets, test.save, err, test.want)
		}
	}
}

// TestAdapterFormats: frozen weights in fewer bits give the bits of the float32 weights that they stand for.
func TestAdapterFormats(t *testing.T) {
	for _, d := range []kernel.DType{kernel.BF16, kernel.Q8_0, kernel.Q4_0} {
		for _, family := range []string{"qwen3", "gpt2"} {
			a := adapterConfig()
			a.DoRA = family == "gpt2" || d == kernel.BF16
			m := adaptedModel(t, testConfigs(t)[family], a, d)
			rounded := adaptedModel(t, m.Config, a, kernel.F32)
			pool := testPool(t)
			for i, p := range m.Params {
				if p.Reduced != nil {
					roundThrough(t, pool, rounded.Params[i], &rounded.specs[i], p.Reduced.DType)
				} else {
					copy(rounded.Params[i].Value, p.Value) // magnitudes are those of the rounded weights
				}
			}
			loss, got := trainedGradients(t, m, pool, false)
			wantLoss, want := trainedGradients(t, rounded, pool, false)
			if loss != wantLoss || !maps.EqualFunc(got, want, slices.Equal) {
				t.Errorf("%s in %s: loss %v, of the rounded weights %v, or the gradients differ", family, d, loss, wantLoss)
			}
		}
	}
}

// roundThrough puts the values that format d has for those of p in their place.
func roundThrough(t *testing.T, pool *kernel.Pool, p *ops.Param, s *spec, d kernel.DType) {
	t.Helper()
	w := kernel.NewWeights(d, s.form, s.shape[0], s.shape[1], func(n int) []float32 { return make([]float32, n) })
	if err := w.Set(pool, 0, p.Value); err != nil {
		t.Fatal(err)
	}
	one := make([]float32, s.shape[0]*s.shape[0])
	for i := range s.shape[0] {
		one[i*s.shape[0]+i] = 1
	}
	pool.GemmDequantized(kernel.NN, s.shape[0], one, s.shape[0], &w, p.Value, s.shape[1], false)
}

// TestDoRA: where it was just drawn it changes a loss by rounding alone, gradients are those of the loss, and the
// number of threads and the kernels move no bit.
func TestDoRA(t *testing.T) {
	a := adapterConfig()
	a.DoRA = true
	families := []string{"gpt2", "olmo2"}
	if testing.Short() {
		families = families[:1]
	}
	for _, family := range families {
		m := adaptedModel(t, testConfigs(t)[family], a, kernel.F32)
		run := func(threads int, checkpointing bool) (float64, []float32) {
			pool := kernel.NewPool(threads)
			defer pool.Close()
			loss, _ := trainedGradients(t, m, pool, checkpointing)
			g, err := m.NewTraining(pool, 64, checkpointing)
			if err != nil {
				t.Fatal(err)
			}
			defer g.Close()
			if _, err := g.Run(testBatch(50, 9, 20, 3)); err != nil {
				t.Fatal(err)
			}
			return loss, gradients(m)
		}
		want, grads := run(1, false)
		if loss, got := run(3, true); loss != want || !slices.Equal(got, grads) {
			t.Errorf("%s: three threads: loss %v, with one %v, or the gradients differ", family, loss, want)
		}
		checkNumerically(t, m, "1.down.lora_magnitude", grads, func() float64 { return lossOf(t, m) })
		fresh := lossOf(t, testModel(t, m.Config))
		for _, p := range m.Params {
			if p.Adapter != nil {
				clear(p.Adapter.B.Value)
			}
		}
		if got := lossOf(t, m); !near(got, fresh, fresh) || got == want {
			t.Errorf("%s: loss %v with a fresh adapter, %v without, %v with another", family, got, fresh, want)
		}
	}
}

// TestAdapterThreads: the number of threads moves no bit, with dropout too, which is drawn anew for each batch; and
// what is dropped has the gradient of what is left.
func TestAdapterThreads(t *testing.T) {
	a := adapterConfig()
	a.Dropout = 0.3
	m := adaptedModel(t, testConfigs(t)["granite"], a, kernel.F32)
	run := func(threads int, draw uint64, checkpointing bool) (float64, []float32) {
		pool := kernel.NewPool(threads)
		defer pool.Close()
		g, err := m.NewTraining(pool, 64, checkpointing)
		if err != nil {
			t.Fatal(err)
		}
		defer g.Close()
		b := testBatch(50, 9, 20, 3)
		b.Draw = draw
		loss, err := g.Run(b)
		if err != nil {
			t.Fatal(err)
		}
		return loss, gradients(m)
	}
	want, grads := run(1, 4, false)
	for _, threads := range []int{2, 3} {
		if loss, got := run(threads, 4, threads == 3); loss != want || !slices.Equal(got, grads) {
			t.Errorf("%d threads: loss %v, with one %v, or the gradients differ", threads, loss, want)
		}
	}
	if loss, _ := run(2, 5, false); loss == want {
		t.Error("another batch drops the same values")
	}
	checkNumerically(t, m, "layers.1.down.", grads, func() float64 { loss, _ := run(2, 4, false); return loss })
	if lossOf(t, m) == want {
		t.Error("evaluation drops values")
	}
}

// checkNumerically compares gradients of trained parameters with that part in their names with differences of the loss.
func checkNumerically(t *testing.T, m *Model, part string, grads []float32, loss func() float64) {
	t.Helper()
	at := 0
	for _, p := range m.Trained() {
		if strings.Contains(p.Name, part) {
			for _, j := range []int{0, p.Size() / 2, p.Size() - 1} {
				const eps = 1e-2
				v := p.Value[j]
				p.Value[j] = v + eps
				up := loss()
				p.Value[j] = v - eps
				down := loss()
				p.Value[j] = v
				if numeric, got := (up-down)/(2*eps), float64(grads[at+j]); math.Abs(numeric-got) > 2e-2*math.Abs(got)+2e-2 {
					t.Errorf("%s: gradient %d is %v, numerically %v", p.Name, j, got, numeric)
				}
			}
		}
		at += p.Size()
	}
}

// TestNothingBelowAnAdapter: below the lowest matrix with an adapter no gradient is computed, and that matrix has none
// of its input.
func TestNothingBelowAnAdapter(t *testing.T) {
	a := adapterConfig()
	a.Targets = []string{"model.layers.1.mlp.down_proj"}
	for _, checkpointing := range []bool{false, true} {
		m := adaptedModel(t, testConfigs(t)["mistral"], a, kernel.F32)
		g, err := m.NewTraining(testPool(t), 64, checkpointing)
		if err != nil {
			t.Fatal(err)
		}
		var back []string
		for _, o := range g.ops.Ops() {
			name, backward := strings.CutSuffix(o.Name(), ".backward")
			if backward && !strings.HasPrefix(name, "layers.2.") {
				back = append(back, name)
			}
			if name == "layers.1.down" && backward && o.Size() > 1 {
				t.Error("the gradient of the input of the lowest adapter is computed")
			}
		}
		if want := []string{"loss", "norm", "select", "layers.1.down"}; !slices.Equal(slices.Sorted(slices.Values(back)),
			slices.Sorted(slices.Values(want))) {
			t.Errorf("backward ops of %v, want %v beside those of the last layer", back, want)
		}
		g.Close()
	}
}
