package model

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// GGUFTensor is a tensor of a GGUF file that is written. Fill gives its values in the order of Shape.
type GGUFTensor struct {
	Name   string
	Shape  []int
	Matrix bool // it stands in a matrix product, and may be rounded to fewer bits; the others stay float32
	Head   bool // it gives the logits
	Fill   func(dst []float32)
}

// GGUF says the configuration as metadata to out and gives the tensors, both as llama.cpp's converter has them and
// [ConfigFromGGUF] and [Model.LoadGGUF] read them. What the format has no words for is refused. The model must have
// float32 weights, which are read when a tensor is filled.
func (m *Model) GGUF(path string, out MetaWriter) ([]GGUFTensor, error) {
	c := m.Config.storedInGGUF()
	if c.family.gguf == "" {
		return nil, mistake("model: %s: a %s model has no form in GGUF files; export it with --to hf", path, c.Family)
	}
	g := &ggufMeta{path: path, arch: c.family.gguf, out: out}
	out.SetString("general.architecture", g.arch)
	vocab := c.Vocab
	g.count("vocab_size", &vocab)
	written := c
	c.family.meta(&written, g)
	if g.err != nil {
		return nil, g.err
	}
	tensors := g.tensors
	for _, s := range c.family.params(&c) {
		tensors = append(tensors, m.ggufParts(&s, &c)...)
	}
	return tensors, nil
}

// storedInGGUF is the configuration whose metadata and tensors a GGUF file of the model has.
func (c *Config) storedInGGUF() Config {
	stored := *c
	if c.family.stored != nil {
		c.family.stored(&stored)
	}
	return stored
}

// SaysInGGUF checks that the metadata which was written for m, and is read back with tensors as src, says what the
// model is: a program that reads the file computes what m computes.
func (m *Model) SaysInGGUF(path string, meta Meta, src Source) error {
	want := m.Config.storedInGGUF()
	got, err := ConfigFromGGUF(path, meta, src)
	if err != nil {
		return err
	}
	if what := want.differs(&got); what != "" {
		return mistake("model: %s: the format of GGUF files has no words for its %s; export it with --to hf", path, what)
	}
	return nil
}

// differs names something of importance in which two configurations are not the same, "" where there is nothing.
func (c *Config) differs(d *Config) string {
	o, p := &c.options, &d.options
	near := func(a, b float64) bool { return math.Abs(a-b) <= 1e-6*math.Abs(a) }
	for _, part := range []struct {
		what string
		same bool
	}{
		{"sizes", c.Vocab == d.Vocab && c.Width == d.Width && c.Layers == d.Layers && c.Heads == d.Heads &&
			c.KVHeads == d.KVHeads && c.HeadDim == d.HeadDim && c.Hidden == d.Hidden && c.MaxLength == d.MaxLength},
		{"norms", near(c.NormEps, d.NormEps) && o.norms == p.norms && o.headNorm == p.headNorm && o.plusOne == p.plusOne},
		{"biases", o.biases == p.biases},
		{"tied head", c.Tied == d.Tied},
		{"scale of the scores", near(float64(c.scoreScale()), float64(d.scoreScale()))},
		{"scales", near(or1(o.embedScale), or1(p.embedScale)) && near(or1(o.residualScale), or1(p.residualScale)) &&
			near(or1(o.logitScale), or1(p.logitScale))},
		{"order of sublayers", o.serial == p.serial},
	} {
		if !part.same {
			return part.what
		}
	}
	for l := range c.Layers {
		switch {
		case o.window(l) != p.window(l):
			return fmt.Sprintf("window of %d positions in layer %d", o.window(l), l)
		case o.convTaps(l) != p.convTaps(l):
			return fmt.Sprintf("convolution in layer %d", l)
		case o.convTaps(l) == 0 && !c.sameRope(d, l):
			return fmt.Sprintf("rotary positions in layer %d", l)
		}
	}
	return ""
}

// or1 is a scale, which is 1 where it is not set.
func or1(scale float64) float64 {
	if scale == 0 {
		return 1
	}
	return scale
}

// sameRope tells whether the rotary positions of a layer are the same.
func (c *Config) sameRope(d *Config, l int) bool {
	r, s := c.layerRope(l), d.layerRope(l)
	if (r.Theta > 0) != (s.Theta > 0) || r.Theta == 0 {
		return r.Theta == s.Theta
	}
	near := func(a, b float32) bool { return math.Abs(float64(a-b)) <= 2e-6*math.Abs(float64(a)) }
	if r.dims(c.HeadDim) != s.dims(d.HeadDim) || math.Abs(r.amplitude()-s.amplitude()) > 1e-6 {
		return false
	}
	return slices.EqualFunc(r.invFreq(c.HeadDim), s.invFreq(d.HeadDim), near) &&
		slices.EqualFunc(r.queryScale(c.MaxLength), s.queryScale(d.MaxLength), near)
}

// ggufParts are the tensors of a parameter, in the form that it has in GGUF files of configuration c.
func (m *Model) ggufParts(s *spec, c *Config) (out []GGUFTensor) {
	values := m.byName[s.name].Value
	rows, width := 0, len(values)/s.shape[0]
	for _, pt := range s.parts {
		t := GGUFTensor{Name: pt.gguf, Shape: slices.Clone(s.shape), Matrix: s.product(),
			Head: s.name == "head" || c.Tied && s.name == "embed"}
		t.Shape[0] = pt.rows
		if len(t.Shape) == 3 {
			t.Shape = slices.Delete(t.Shape, 1, 2) // the axis of the only input of a convolution
		}
		if pt.turned {
			slices.Reverse(t.Shape)
		}
		data := values[rows*width : (rows+pt.rows)*width]
		t.Fill = func(dst []float32) { pt.store(dst, data, width) }
		rows += pt.rows
		out = append(out, t)
	}
	return out
}

// store gives the values (rows, width) of a part the form that GGUF files have: what [Tensor.fill] undoes.
func (p *part) store(dst, src []float32, width int) {
	copy(dst, src)
	interleave(dst, p.heads, p.rows, width)
	byKind(dst, p.byHead, p.rows, width)
	if p.turned {
		transpose(dst, p.rows, width)
	}
	if p.plusOne {
		for i := range dst {
			dst[i]++
		}
	}
}

// interleave is the reverse of [halfSplit]: rows (i, i+D/2) of each head become interleaved pairs (2i, 2i+1).
func interleave(w []float32, heads, rows, width int) {
	if heads == 0 {
		return
	}
	d := rows / heads
	old := slices.Clone(w)
	for h := range heads {
		for i := range d / 2 {
			for half := range 2 {
				to, from := h*d+2*i+half, h*d+i+half*d/2
				copy(w[to*width:(to+1)*width], old[from*width:])
			}
		}
	}
}

// byKind is the reverse of [byHead]: rows of each head's query, key and value become those of all queries, all keys and
// all values.
func byKind(w []float32, heads, rows, width int) {
	if heads == 0 {
		return
	}
	old, size := slices.Clone(w), rows/(3*heads)*width
	for i := range 3 * heads {
		copy(w[(i%3*heads+i/3)*size:][:size], old[i*size:])
	}
}

// GGUFAdapter says the architecture of the model and the scale of an adapter to out, and gives the adapter's matrices
// under the names that llama.cpp knows them by. src has them under PEFT's names.
func (m *Model) GGUFAdapter(path string, a AdapterConfig, src Source, out MetaWriter) ([]GGUFTensor, error) {
	c := m.Config.storedInGGUF()
	if c.family.gguf == "" {
		return nil, mistake("adapter %s: a %s model has no form in GGUF files; merge it and export with --to hf", path,
			c.Family)
	}
	if a.DoRA {
		return nil, mistake("adapter %s: llama.cpp has no magnitudes of DoRA; export with --merge", path)
	}
	out.SetString("general.architecture", c.family.gguf)
	out.SetString("adapter.type", "lora")
	out.SetFloat32("adapter.lora.alpha", float32(float64(a.R)*a.Scale())) // llama.cpp's scale is alpha/r, always
	parts := map[string]part{}
	for _, s := range c.family.params(&c) {
		for _, pt := range s.parts {
			if len(s.shape) == 2 {
				parts[pt.module()] = pt
			}
		}
	}
	var tensors []GGUFTensor
	for _, name := range src.Names() {
		module, isA := strings.CutSuffix(strings.TrimPrefix(name, adapterPrefix), loraA)
		module, isB := strings.CutSuffix(module, loraB)
		pt, known := parts[module]
		if !known || isA == isB {
			return nil, mistake("adapter %s: %s has no form in an adapter for llama.cpp; export with --merge", path, name)
		}
		shape, _ := src.Shape(name)
		values := make([]float32, shape[0]*shape[1])
		if err := src.Read(name, values); err != nil {
			return nil, fmt.Errorf("adapter %s: %w", path, err)
		}
		end := ".lora_a"
		if isB {
			end = ".lora_b"
			interleave(values, pt.heads, shape[0], shape[1])
			byKind(values, pt.byHead, shape[0], shape[1])
		}
		tensors = append(tensors, GGUFTensor{Name: pt.gguf + end, Shape: shape, Matrix: true,
			Fill: func(dst []float32) { copy(dst, values) }})
	}
	return tensors, nil
}
