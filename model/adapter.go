package model

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"instruct/model/kernel"
	"instruct/model/kernel/rng"
	"instruct/model/ops"
)

// AdapterConfig says which matrices of a model have an adapter, and of what kind. The names are PEFT's.
type AdapterConfig struct {
	R       int      // rank
	Alpha   float64  // the scale is Alpha/R
	RSLoRA  bool     // the scale is Alpha/sqrt(R) (Kalajdzievski 2023, arXiv:2312.03732)
	DoRA    bool     // each output has a magnitude of its own (Liu et al. 2024, arXiv:2402.09353)
	Dropout float64  // of the inputs; none with DoRA
	Targets []string // modules, each by its name or by the end of it that follows a dot, or [AllLinear]
	Save    []string // modules that are trained whole, each by the end of its name; PEFT's modules_to_save
	Seed    uint64   // of the first values and of the dropout
}

// AllLinear stands for every matrix inside the layers.
const AllLinear = "all-linear"

// Scale is the factor of what an adapter gives.
func (c *AdapterConfig) Scale() float64 {
	if c.RSLoRA {
		return c.Alpha / math.Sqrt(float64(c.R))
	}
	return c.Alpha / float64(c.R)
}

// The names of PEFT: that of a module behind the prefix, and one of the ends; whole tensors have the prefix alone.
const (
	adapterPrefix = "base_model.model."
	loraA         = ".lora_A.weight"         // (R, C)
	loraB         = ".lora_B.weight"         // (outputs, R)
	loraM         = ".lora_magnitude_vector" // (outputs), of DoRA
)

// Adapt puts an adapter beside the matrices that c names and freezes everything else but the modules to save: of those
// the products' weights will exist in format d. The model must have no memory yet. See [ops.Adapter].
func (m *Model) Adapt(c AdapterConfig, d kernel.DType) error {
	if m.values != nil || m.adapter != nil {
		return fmt.Errorf("model: an adapter is put on a model once, before it has memory")
	}
	return m.adapt(c, d)
}

// adapt makes the parameters of an adapter, without memory, and freezes the others.
func (m *Model) adapt(c AdapterConfig, d kernel.DType) error {
	if c.DoRA && c.Dropout > 0 {
		return mistake("use_dora goes without lora_dropout, which is %g; set it to 0", c.Dropout)
	}
	chosen, err := m.targets(c.Targets)
	if err != nil {
		return err
	}
	saved, err := m.saved(c.Save, chosen)
	if err != nil {
		return err
	}
	m.adapter = &c
	var specs []spec
	var params []*ops.Param
	for i, s := range m.specs {
		specs, params = append(specs, s), append(params, m.Params[i])
		var parts []part
		for _, pt := range s.parts {
			if m.Hidden(m.Params[i]) && chosen[pt.module()] {
				parts = append(parts, pt)
			}
		}
		if len(parts) == 0 {
			continue
		}
		a, b := adapterSpecs(&s, parts, c.R)
		adapter := &ops.Adapter{A: a.param(), B: b.param(), Rank: c.R, Scale: float32(c.Scale()),
			Blocks: s.blocks(parts), Dropout: c.Dropout, Seed: c.Seed, Number: uint64(i), Off: &m.adapterOff}
		m.Params[i].Adapter = adapter
		specs, params = append(specs, a, b), append(params, adapter.A, adapter.B)
		if c.DoRA {
			magnitudes := magnitudeSpec(&s, &b)
			adapter.M = magnitudes.param()
			specs, params = append(specs, magnitudes), append(params, adapter.M)
		}
	}
	m.specs, m.Params = specs, params
	for _, p := range params {
		m.byName[p.Name] = p
	}
	return m.Freeze(d, func(p *ops.Param) bool { return !m.adapts(p) && !saved[p.Name] })
}

// Adapter is what [Model.Adapt] was given, nil without.
func (m *Model) Adapter() *AdapterConfig { return m.adapter }

// adapts says whether p is a matrix of an adapter.
func (m *Model) adapts(p *ops.Param) bool { return m.specs[slices.Index(m.Params, p)].adapter }

// module is the name of the module that a tensor is the weight or bias of.
func (p *part) module() string { return p.name[:strings.LastIndexByte(p.name, '.')] }

// blocks are where the parts lie in the outputs of a product with s.
func (s *spec) blocks(parts []part) (blocks []ops.Block) {
	if s.form == kernel.NN { // (in, out), which never stacks
		return []ops.Block{{Rows: s.shape[1]}}
	}
	from := 0
	for _, pt := range s.parts {
		if slices.ContainsFunc(parts, func(p part) bool { return p.name == pt.name }) {
			blocks = append(blocks, ops.Block{From: from, Rows: pt.rows})
		}
		from += pt.rows
	}
	return blocks
}

// adapterSpecs describes the matrices A and B of rank r beside those parts of s.
func adapterSpecs(s *spec, parts []part, r int) (a, b spec) {
	in := s.shape[1]
	if s.form == kernel.NN {
		in = s.shape[0]
	}
	a = spec{name: s.name + ".lora_A", shape: []int{r * len(parts), in}, decay: true, init: initUniform, adapter: true}
	b = spec{name: s.name + ".lora_B", shape: []int{0, r}, decay: true, init: initZeros, adapter: true}
	for i, block := range s.blocks(parts) {
		name := adapterPrefix + parts[i].module()
		a.parts = append(a.parts, part{name: name + loraA, rows: r})
		b.parts = append(b.parts, part{name: name + loraB, rows: block.Rows})
		b.shape[0] += block.Rows
	}
	return a, b
}

// magnitudeSpec describes the magnitudes of the outputs that b has rows for.
func magnitudeSpec(s, b *spec) spec {
	m := spec{name: s.name + ".lora_magnitude", shape: b.shape[:1], init: initOnes, adapter: true}
	for _, pt := range b.parts {
		m.parts = append(m.parts, part{name: strings.TrimSuffix(pt.name, loraB) + loraM, rows: pt.rows})
	}
	return m
}

// LinearsFrom lists the modules of the layers from the given one on that may have an adapter.
func (m *Model) LinearsFrom(layer int) (modules []string) {
	for i, s := range m.specs {
		var l int
		if _, err := fmt.Sscanf(s.name, "layers.%d.", &l); err != nil || l < layer || !m.Hidden(m.Params[i]) {
			continue
		}
		for _, pt := range s.parts {
			modules = append(modules, pt.module())
		}
	}
	return modules
}

// targets finds the modules that have an adapter.
func (m *Model) targets(names []string) (map[string]bool, error) {
	linears := m.LinearsFrom(0)
	chosen := map[string]bool{}
	for _, name := range names {
		found := false
		for _, module := range linears {
			if name == AllLinear || module == name || strings.HasSuffix(module, "."+name) {
				chosen[module], found = true, true
			}
		}
		if found {
			continue
		}
		if name == "lm_head" || strings.Contains(name, "embed") {
			return nil, mistake("lora_target_modules: an adapter beside %s is not there; modules_to_save trains it whole", name)
		}
		return nil, mistake("lora_target_modules: a %s model has no linear module %s that could have an adapter; it has %s, "+
			"and %s is all of them", m.Config.Family, name, strings.Join(lastNames(linears), ", "), AllLinear)
	}
	return chosen, nil
}

// Transposed says whether the matrices with an adapter are stored as (in, out), as those of GPT-2 are; PEFT's
// fan_in_fan_out.
func (m *Model) Transposed() bool {
	return slices.ContainsFunc(m.specs, func(s spec) bool {
		return s.form == kernel.NN && m.byName[s.name].Adapter != nil
	})
}

// TargetNames are the modules with an adapter, by the ends of their names where these mean the same ones.
func (m *Model) TargetNames() []string {
	modules := m.adapted()
	names := lastNames(modules)
	if all, err := m.targets(names); err == nil && len(all) == len(modules) {
		return names
	}
	return modules
}

// adapted lists the modules that have an adapter.
func (m *Model) adapted() (modules []string) {
	for _, s := range m.specs {
		for _, pt := range s.parts {
			if s.adapter && strings.HasSuffix(pt.name, loraA) {
				modules = append(modules, strings.TrimSuffix(pt.name[len(adapterPrefix):], loraA))
			}
		}
	}
	return modules
}

// lastNames are what stands behind the last dot of the names, once each and sorted.
func lastNames(modules []string) (names []string) {
	for _, module := range modules {
		names = append(names, module[strings.LastIndexByte(module, '.')+1:])
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// saved finds the parameters of the modules that are trained whole.
func (m *Model) saved(names []string, chosen map[string]bool) (map[string]bool, error) {
	saved, used := map[string]bool{}, map[string]bool{}
	for _, s := range m.specs {
		var whole, other string // a module that is trained, and one that is not
		for _, pt := range s.parts {
			at := slices.IndexFunc(names, func(n string) bool { return strings.HasSuffix(pt.module(), n) })
			if at < 0 {
				other = pt.module()
				continue
			}
			whole, used[names[at]] = pt.module(), true
			if chosen[whole] {
				return nil, mistake("modules_to_save: %s is to be trained whole and has an adapter; leave it out of one of the two",
					whole)
			}
		}
		switch {
		case whole == "":
			continue
		case other != "":
			return nil, mistake("modules_to_save: %s is trained together with %s or not at all; name both", whole, other)
		case s.name == "embed" && m.Config.Tied:
			return nil, mistake("modules_to_save: the embedding of this model is its head too (tie_word_embeddings), "+
				"which PEFT would tear apart; leave %s out", whole)
		}
		saved[s.name] = true
	}
	for _, n := range names {
		if !used[n] {
			return nil, mistake("modules_to_save: a %s model of this kind has no module %s", m.Config.Family, n)
		}
	}
	return saved, nil
}

// InitAdapter draws the first values of an adapter as PEFT does: A uniformly between -1/sqrt(C) and 1/sqrt(C), B zero,
// so that the model is what it is without; magnitudes are the norms of the weights.
func (m *Model) InitAdapter() {
	pool := kernel.NewPool(0)
	defer pool.Close()
	for i, p := range m.Params {
		if p.Adapter != nil && p.Adapter.M != nil {
			p.Adapter.InitMagnitudes(pool, p.Weights(m.specs[i].form))
		}
	}
	for i, s := range m.specs {
		if !s.adapter || s.init != initUniform {
			continue
		}
		bound := 1 / math.Sqrt(float64(s.shape[1]))
		r := rng.NewRand(m.adapter.Seed, "lora", uint64(i), 0)
		for j := range m.Params[i].Value {
			m.Params[i].Value[j] = float32(bound * (float64(2*r.Float64()) - 1))
		}
	}
}

// AdapterTensors lists what an adapter folder holds: the adapter's matrices and the modules to save, under the names
// that PEFT gives them.
func (m *Model) AdapterTensors() []Tensor {
	return m.adapterTensors(func(p *ops.Param) []float32 { return p.Value })
}

func (m *Model) adapterTensors(buffer func(*ops.Param) []float32) (out []Tensor) {
	for _, t := range m.split(buffer, func(i int) bool { return !m.Params[i].Frozen }) {
		if !strings.HasPrefix(t.Name, adapterPrefix) {
			t.Name = adapterPrefix + t.Name
		}
		out = append(out, t)
	}
	return out
}

// LoadAdapter fills the adapter from src, whose tensors have PEFT's names: all of them, and no other.
func (m *Model) LoadAdapter(path string, src Source) error {
	tensors := m.AdapterTensors()
	for _, t := range tensors {
		shape, ok := src.Shape(t.Name)
		if !ok || !slices.Equal(shape, t.Shape) {
			return mistake("adapter %s: %s: expected it with shape %v, found %v", path, t.Name, t.Shape, shape)
		}
		if err := src.Read(t.Name, t.Data); err != nil {
			return fmt.Errorf("adapter %s: %w", path, err)
		}
	}
	for _, name := range src.Names() {
		if !slices.ContainsFunc(tensors, func(t Tensor) bool { return t.Name == name }) {
			return mistake("adapter %s: %s is not part of the adapter that its adapter_config.json describes; without it the "+
				"model would answer differently", path, name)
		}
	}
	return nil
}

// WithoutAdapter calls do with the adapter switched off: every graph of the model then computes what the model is
// without it, its modules to save included. It is the reference of a preference loss, and the parent of a round of
// teaching, without a second copy of the weights. No graph of the model may run on another goroutine meanwhile, and a
// decoder must be told to forget before and after ([Decoder.Forget]). Without an adapter it only calls do.
func (m *Model) WithoutAdapter(do func() error) error {
	if m.adapter == nil {
		return do()
	}
	m.swapSaved()
	m.adapterOff = true
	defer func() {
		m.adapterOff = false
		m.swapSaved()
	}()
	return do()
}

// swapSaved exchanges the values of the modules to save with those that they began with.
func (m *Model) swapSaved() {
	for p, first := range m.first {
		for i, v := range first {
			first[i], p.Value[i] = p.Value[i], v
		}
	}
}

// KeepFirst remembers the values that the modules to save have now as those of the model without its adapter.
func (m *Model) KeepFirst() {
	m.first = map[*ops.Param][]float32{}
	for i, p := range m.Params {
		if m.adapter != nil && !p.Frozen && !m.specs[i].adapter {
			m.first[p] = slices.Clone(p.Value)
		}
	}
}
