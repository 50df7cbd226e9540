package model

import (
	"cmp"
	"math"
	"slices"

	"instruct/model/kernel/exact"
)

// The tensors that say how rotary positions are stretched. They are part of the configuration.
const (
	ropeFreqsTensor = "rope_freqs.weight"
	ropeShortTensor = "rope_factors_short.weight"
	ropeLongTensor  = "rope_factors_long.weight"
)

// rope is the rotary positions, after the sizes of c.
func (g *ggufMeta) rope(c *Config) {
	r := &c.Rope
	dims := r.dims(c.HeadDim)
	g.count("rope.dimension_count", &dims)
	g.num("rope.freq_base", &r.Theta)
	if g.writes() {
		g.writeScaling(c)
		return
	}
	if r.Theta = cmp.Or(r.Theta, 10000); !(r.Theta > 0 && r.Theta <= math.MaxFloat32) {
		g.fail("rope.freq_base is %g; it must be a positive number", r.Theta)
	}
	if dims < c.HeadDim {
		r.Dims = dims
	}
	g.readScaling(c)
}

// scaling are the keys of rotary positions that are stretched.
func (g *ggufMeta) scaling(s *RopeScaling) {
	g.num("rope.scaling.factor", &s.Factor)
	g.count("rope.scaling.original_context_length", &s.OriginalLength)
	if s.Type == "yarn" {
		g.real("rope.scaling.yarn_beta_fast", &s.BetaFast, 0)
		g.real("rope.scaling.yarn_beta_slow", &s.BetaSlow, 0)
	}
}

// readScaling reads how rotary positions are stretched.
func (g *ggufMeta) readScaling(c *Config) {
	r := &c.Rope
	s := &r.Scaling
	s.Type = "default"
	if kind, ok := g.meta.String(g.arch + ".rope.scaling.type"); ok && kind != "none" {
		s.Type = kind
		g.scaling(s)
	}
	switch {
	case s.Type == "yarn":
		g.real("rope.scaling.yarn_attn_factor", &s.AttentionFactor, 0)
	case g.has(ropeShortTensor):
		*s = RopeScaling{Type: "longrope",
			Factors: &RopeFactors{g.vector(ropeShortTensor), g.vector(ropeLongTensor), c.MaxLength}}
		g.count("rope.scaling.original_context_length", &s.OriginalLength)
	}
	if divisors := g.vector(ropeFreqsTensor); divisors != nil {
		var ok bool
		if *r, ok = fitLlama3(*r, divisors, c.HeadDim); !ok {
			g.fail("tensor %s has divisors that llama3 scaling does not give, and others are not supported; "+
				"take the model's Hugging Face folder", ropeFreqsTensor)
		}
	}
	if wrong := r.check(c); wrong != "" {
		g.fail("rope scaling: %s", wrong)
	}
	var factor float64
	g.real("rope.scaling.attn_factor", &factor, 0)
	if factor > 0 && math.Abs(factor-r.amplitude()) > 1e-6 {
		s.AttentionFactor = factor
	}
}

// writeScaling says how rotary positions are stretched, in keys or, where those have no words for it, in tensors.
func (g *ggufMeta) writeScaling(c *Config) {
	r := &c.Rope
	s := r.Scaling
	switch s.Type {
	case "linear", "yarn":
		g.out.SetString(g.arch+".rope.scaling.type", s.Type)
		g.scaling(&s)
	case "llama3":
		d := r.dims(c.HeadDim)
		divisors := make([]float64, d/2)
		for i := range divisors {
			v := 1 / exact.Pow(r.Theta, float64(2*i)/float64(d))
			divisors[i] = v / stretchLlama3(r, i, d, v)
		}
		g.putVector(ropeFreqsTensor, divisors)
	case "longrope":
		amplitude := r.amplitude()
		g.real("rope.scaling.attn_factor", &amplitude, 0)
		g.count("rope.scaling.original_context_length", &s.OriginalLength)
		g.putVector(ropeLongTensor, s.Factors.Long)
		g.putVector(ropeShortTensor, s.Factors.Short)
	}
}

// putVector adds a tensor of one dimension.
func (g *ggufMeta) putVector(name string, values []float64) {
	g.tensors = append(g.tensors, GGUFTensor{Name: name, Shape: []int{len(values)}, Fill: func(dst []float32) {
		for i, v := range values {
			dst[i] = float32(v)
		}
	}})
}

// fitLlama3 finds the llama3 scaling that divides the inverse frequencies of r as a file's divisors say: with the
// factors 1 and 4 of low and high frequencies that every such model has, and a length that is a power of two.
func fitLlama3(r Rope, divisors []float64, d int) (Rope, bool) {
	factor := slices.Max(divisors)
	if len(divisors) != r.dims(d)/2 || factor <= 0 {
		return r, false
	}
	plain := r.invFreq(d)
	for length := 8192; length <= 1<<20; length *= 2 { // 8192 is that of Llama 3
		if fitted := (Rope{r.Theta, llama3Scaling(factor, length), r.Dims}); fitted.divides(plain, divisors, d) {
			return fitted, true
		}
	}
	for length := 4096; length >= 32; length /= 2 {
		if fitted := (Rope{r.Theta, llama3Scaling(factor, length), r.Dims}); fitted.divides(plain, divisors, d) {
			return fitted, true
		}
	}
	return r, false
}

func llama3Scaling(factor float64, length int) RopeScaling {
	return RopeScaling{Type: "llama3", Factor: factor, LowFreqFactor: 1, HighFreqFactor: 4, OriginalLength: length}
}

// divides tells whether the inverse frequencies of r are the plain ones over the divisors.
func (r *Rope) divides(plain []float32, divisors []float64, d int) bool {
	for i, f := range r.invFreq(d) {
		want := float64(plain[i]) / divisors[i]
		if math.Abs(float64(f)-want) > 1e-5*want {
			return false
		}
	}
	return true
}
