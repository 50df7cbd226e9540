package model

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
)

// Meta gives the metadata of a GGUF file.
type Meta interface {
	String(key string) (string, bool)
	Float(key string) (float64, bool) // any number
	Bool(key string) (value, ok bool)
	Ints(key string) ([]int64, bool)
}

// ggufReader takes typed values out of a GGUF file's metadata and keeps the first error. Keys are those behind the name
// of the architecture.
type ggufReader struct {
	path, arch string
	meta       Meta
	src        Source
	err        error
}

func (g *ggufReader) fail(format string, args ...any) {
	if g.err == nil {
		g.err = mistake("model: %s: %s", g.path, fmt.Sprintf(format, args...))
	}
}

// num is a number, 0 where there is none.
func (g *ggufReader) num(key string) float64 {
	v, _ := g.meta.Float(g.arch + "." + key)
	return v
}

func (g *ggufReader) count(key string) int { return int(g.num(key)) }

// everywhere is a count that a file may give once or for each layer, where all are equal; 0 where there is none.
func (g *ggufReader) everywhere(key string) int {
	list, ok := g.meta.Ints(g.arch + "." + key)
	if !ok || len(list) == 0 {
		return g.count(key)
	}
	list = slices.DeleteFunc(list, func(n int64) bool { return n == 0 }) // of layers without
	if len(list) == 0 {
		return 0
	}
	if slices.Min(list) != slices.Max(list) {
		g.fail("%s is %v: layers that differ in it are not supported", key, list)
	}
	return int(list[0])
}

// real is a number that config.json has as a short decimal, def where there is none.
func (g *ggufReader) real(key string, def float64) float64 {
	if v, ok := g.meta.Float(g.arch + "." + key); ok {
		return tidyFloat32(v)
	}
	return def
}

func (g *ggufReader) flag(key string, def bool) bool {
	if v, ok := g.meta.Bool(g.arch + "." + key); ok {
		return v
	}
	return def
}

// has tells whether the file has a tensor.
func (g *ggufReader) has(tensor string) bool {
	_, ok := g.src.Shape(tensor)
	return ok
}

// vector reads a tensor of one dimension; nil where there is none.
func (g *ggufReader) vector(tensor string) []float64 {
	shape, ok := g.src.Shape(tensor)
	if !ok {
		return nil
	}
	if len(shape) != 1 || shape[0] < 1 || shape[0] > 1<<16 {
		g.fail("tensor %s has shape %v; expected one dimension", tensor, shape)
		return nil
	}
	values := make([]float32, shape[0])
	if err := g.src.Read(tensor, values); err != nil {
		g.fail("%v", err)
		return nil
	}
	out := make([]float64, len(values))
	for i, v := range values {
		out[i] = tidyFloat32(float64(v))
	}
	return out
}

// tidyFloat32 gives the short decimal that a float32 stands for: 1e-05 rather than 9.999999747378752e-06.
func tidyFloat32(v float64) float64 {
	var out float64
	fmt.Sscan(fmt.Sprint(float32(v)), &out)
	return out
}

// The tensors that say how rotary positions are stretched. They are part of the configuration.
const (
	ropeFreqsTensor = "rope_freqs.weight"
	ropeShortTensor = "rope_factors_short.weight"
	ropeLongTensor  = "rope_factors_long.weight"
)

// rope reads the rotary positions.
func (g *ggufReader) rope(c *Config) Rope {
	r := Rope{Theta: cmp.Or(g.num("rope.freq_base"), 10000)}
	if dims := g.count("rope.dimension_count"); dims < c.HeadDim {
		r.Dims = dims
	}
	s := &r.Scaling
	s.Type = "default"
	if kind, ok := g.meta.String(g.arch + ".rope.scaling.type"); ok && kind != "none" {
		s.Type = kind
		s.Factor = g.num("rope.scaling.factor")
		s.OriginalLength = g.count("rope.scaling.original_context_length")
	}
	switch {
	case s.Type == "yarn":
		s.BetaFast, s.BetaSlow = g.real("rope.scaling.yarn_beta_fast", 0), g.real("rope.scaling.yarn_beta_slow", 0)
		s.AttentionFactor = g.real("rope.scaling.yarn_attn_factor", 0)
	case g.has(ropeShortTensor):
		*s = RopeScaling{Type: "longrope", OriginalLength: g.count("rope.scaling.original_context_length"),
			Factors: &RopeFactors{g.vector(ropeShortTensor), g.vector(ropeLongTensor), c.MaxLength}}
	}
	if divisors := g.vector(ropeFreqsTensor); divisors != nil {
		var ok bool
		if r, ok = fitLlama3(r, divisors, c.HeadDim); !ok {
			g.fail("tensor %s has divisors that llama3 scaling does not give, and others are not supported; "+
				"take the model's Hugging Face folder", ropeFreqsTensor)
		}
	}
	if wrong := r.check(c); wrong != "" {
		g.fail("rope scaling: %s", wrong)
	}
	if factor := g.real("rope.scaling.attn_factor", 0); factor > 0 && math.Abs(factor-r.amplitude()) > 1e-6 {
		s.AttentionFactor = factor
	}
	return r
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

// ConfigFromGGUF reads a model's configuration from GGUF metadata and tensors.
func ConfigFromGGUF(path string, meta Meta, src Source) (Config, error) {
	arch, _ := meta.String("general.architecture")
	known := families()
	i := slices.IndexFunc(known, func(f family) bool { return f.gguf == arch && f.gguf != "" })
	if i < 0 {
		return Config{}, unknownGGUF(path, arch)
	}
	f := &known[i]
	c := Config{Family: f.name, InitStd: 0.02, BOS: -1, EOS: -1, PAD: -1, family: f,
		raw: map[string]json.RawMessage{}}
	g := &ggufReader{path: path, arch: arch, meta: meta, src: src}
	if s, ok := src.Shape("token_embd.weight"); ok && len(s) == 2 {
		c.Vocab = s[0]
	}
	c.Tied = !g.has("output.weight")
	if experts := g.count("expert_count"); experts > 0 {
		g.fail("it is a mixture of %d experts, which are not supported", experts)
	}
	f.meta(&c, g)
	if g.err != nil {
		return Config{}, g.err
	}
	for key, id := range map[string]*int{"bos": &c.BOS, "eos": &c.EOS, "padding": &c.PAD} {
		if v, ok := meta.Float("tokenizer.ggml." + key + "_token_id"); ok {
			*id = int(v)
		}
	}
	return c, c.validate(path)
}
