package model

import (
	"fmt"
	"slices"

	"instruct/model/kernel"
	"instruct/model/ops"
)

// Beside puts a new adapter on a model that has its weights in float32, until [Model.Fold] adds it to them: with
// [Model.WithoutAdapter] and [Model.ScaleAdapter] what was and what comes to be are one model in memory. LoRA without
// modules to save only. Everything else is frozen; graphs are to be made afterwards.
func (m *Model) Beside(c AdapterConfig) error {
	if c.DoRA || len(c.Save) > 0 || m.adapter != nil || m.values == nil || m.grads != nil {
		return fmt.Errorf("model: only LoRA is put on a model that has its weights, once, and before anything is trained")
	}
	if err := m.adapt(c, kernel.F32); err != nil {
		return err
	}
	floats := 0
	for _, p := range m.Trained() {
		floats += kernel.Lines(p.Size())
	}
	var err error
	if m.beside, err = newMemory(4 * floats); err != nil {
		return err
	}
	for _, p := range m.Trained() {
		p.Value = m.beside.Take(p.Size())
	}
	m.InitAdapter()
	return nil
}

// ScaleAdapter makes what the adapter adds share times as much as it was when it was made: 0 is the model without it,
// 1 the adapter as it was trained.
func (m *Model) ScaleAdapter(share float64) {
	for _, p := range m.Params {
		if p.Adapter != nil {
			p.Adapter.Scale = float32(share * m.adapter.Scale())
		}
	}
}

// Fold adds the adapter of [Model.Beside], at its scale, to the weights and takes it away: W + Scale*B·A. What was
// frozen for it is no longer. No graph that was made with the adapter may run afterwards.
func (m *Model) Fold(pool *kernel.Pool) {
	for i, s := range m.specs {
		if a := m.Params[i].Adapter; a != nil {
			fold(pool, a, m.Params[i], s.form)
		}
	}
	adapters := map[*ops.Param]bool{}
	for i, p := range m.Params {
		adapters[p] = m.specs[i].adapter
	}
	m.specs = slices.DeleteFunc(m.specs, func(s spec) bool { return s.adapter })
	m.Params = slices.DeleteFunc(m.Params, func(p *ops.Param) bool { return adapters[p] })
	for _, p := range m.Params {
		p.Adapter, p.Frozen = nil, false
	}
	for p, own := range adapters {
		if own {
			delete(m.byName, p.Name)
		}
	}
	m.adapter = nil
	m.beside.Close()
	m.grads.Close()
	m.beside, m.grads = nil, nil
}

// fold adds an adapter to the matrix that it is beside.
func fold(pool *kernel.Pool, a *ops.Adapter, p *ops.Param, form kernel.Form) {
	b := 0 // first row of B
	for i, block := range a.Blocks {
		in := a.A.Shape[1]
		low := a.A.Value[i*a.Rank*in:]
		high := slices.Clone(a.B.Value[b*a.Rank : (b+block.Rows)*a.Rank])
		pool.Scale(high, a.Scale)
		b += block.Rows
		if form != kernel.NN {
			pool.Gemm(kernel.NN, block.Rows, in, a.Rank, high, a.Rank, low, in, p.Value[block.From*in:], in, true)
			continue
		}
		delta := make([]float32, block.Rows*in) // (in, out) is stored the other way about
		pool.Gemm(kernel.NN, block.Rows, in, a.Rank, high, a.Rank, low, in, delta, in, false)
		out := p.Shape[1]
		for o := range block.Rows {
			for j := range in {
				p.Value[j*out+block.From+o] += delta[o*in+j]
			}
		}
	}
}
