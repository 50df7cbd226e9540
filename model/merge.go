package model

import (
	"fmt"
	"slices"
	"strings"

	"instruct/model/kernel"
)

// Merge is an adapter that is added to the matrices of a model while they are read: W + Scale*B·A, in float32, and the
// modules to save in the place of the model's own. See [Model.LoadMerged].
type Merge struct {
	AdapterConfig // of which the kind of adapter and its scale count
	Path          string
	Source        Source // with PEFT's names

	used map[string]bool
}

// LoadMerged calls load, which is to load the model's tensors, and adds the adapter to them on the way. Each tensor of
// the adapter must find its place.
func (m *Model) LoadMerged(a *Merge, load func() error) error {
	a.used = map[string]bool{}
	m.merge = a
	defer func() { m.merge = nil }()
	if err := load(); err != nil {
		return err
	}
	for _, name := range a.Source.Names() {
		if !a.used[name] {
			return mistake("adapter %s: %s belongs to no tensor of its base, a %s model, that can have it", a.Path, name,
				m.Config.Family)
		}
	}
	return nil
}

// AdapterModules lists the modules that the tensors of an adapter are beside: what its Targets come to.
func AdapterModules(src Source) (modules []string) {
	for _, name := range src.Names() {
		module, ok := strings.CutSuffix(strings.TrimPrefix(name, adapterPrefix), loraA)
		if ok {
			modules = append(modules, module)
		}
	}
	slices.Sort(modules)
	return modules
}

// changes says whether the adapter changes a tensor; a may be nil.
func (a *Merge) changes(t *Tensor) bool {
	if a == nil {
		return false
	}
	_, beside := a.Source.Shape(adapterPrefix + t.part.module() + loraA)
	_, whole := a.Source.Shape(adapterPrefix + t.Name)
	return whole || beside && len(t.Shape) == 2
}

// apply makes the merged values of a tensor of its own ones.
func (a *Merge) apply(pool *kernel.Pool, t *Tensor, values []float32) error {
	if _, whole := a.Source.Shape(adapterPrefix + t.Name); whole {
		return a.read(adapterPrefix+t.Name, t.Shape, values)
	}
	out, in := t.Shape[0], t.Shape[1]
	if t.form == kernel.NN {
		out, in = in, out
	}
	name := adapterPrefix + t.part.module()
	low, high := make([]float32, a.R*in), make([]float32, out*a.R)
	if err := a.read(name+loraA, []int{a.R, in}, low); err != nil {
		return err
	}
	if err := a.read(name+loraB, []int{out, a.R}, high); err != nil {
		return err
	}
	pool.Scale(high, float32(a.Scale()))
	if t.form != kernel.NN {
		pool.Gemm(kernel.NN, out, in, a.R, high, a.R, low, in, values, in, true)
	} else {
		delta := make([]float32, out*in)
		pool.Gemm(kernel.NN, out, in, a.R, high, a.R, low, in, delta, in, false)
		for o := range out {
			for i := range in {
				values[i*out+o] += delta[o*in+i]
			}
		}
	}
	if !a.DoRA {
		return nil
	}
	magnitudes := make([]float32, out)
	if err := a.read(name+loraM, []int{out}, magnitudes); err != nil {
		return err
	}
	scaleOutputs(pool, t, values, magnitudes)
	return nil
}

// scaleOutputs gives the weights of each output the norm that magnitudes (out) has for it.
func scaleOutputs(pool *kernel.Pool, t *Tensor, values, magnitudes []float32) {
	out := len(magnitudes)
	norms := make([]float32, out)
	w := kernel.Float32Weights(t.form, t.Shape[0], t.Shape[1], values)
	pool.RowNorms(norms, &w, 0, out, kernel.Low{})
	for i := range values {
		o := i / t.Shape[1]
		if t.form == kernel.NN {
			o = i % out
		}
		values[i] *= magnitudes[o] / norms[o]
	}
}

// read reads a tensor of the adapter.
func (a *Merge) read(name string, shape []int, dst []float32) error {
	found, ok := a.Source.Shape(name)
	if !ok || !slices.Equal(found, shape) {
		return mistake("adapter %s: %s: its base and its adapter_config.json want shape %v, found %v", a.Path, name, shape,
			found)
	}
	a.used[name] = true
	if err := a.Source.Read(name, dst); err != nil {
		return fmt.Errorf("adapter %s: %w", a.Path, err)
	}
	return nil
}
