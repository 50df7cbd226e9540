package model

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Meta gives the metadata of a GGUF file.
type Meta interface {
	String(key string) (string, bool)
	Float(key string) (float64, bool) // any number
	Bool(key string) (value, ok bool)
	Ints(key string) ([]int64, bool)
}

// MetaWriter takes the metadata of a GGUF file that is written.
type MetaWriter interface {
	SetString(key, value string)
	SetUint32(key string, value uint32)
	SetFloat32(key string, value float32)
	SetBool(key string, value bool)
	SetInt32s(key string, values []int32)
}

// ggufMeta walks over the metadata of a GGUF file, key by key, in one of two directions: of a file that is read, values
// go from the file to where they are kept; of one that is written, from there to the file. Keys are those behind the
// name of the architecture. A value of zero stands for an absent key in both. The first error is kept.
type ggufMeta struct {
	path, arch string
	meta       Meta // of a file that is read
	src        Source
	out        MetaWriter   // of a file that is written; nil: it is read
	tensors    []GGUFTensor // of that, those that are part of the configuration
	err        error
}

func (g *ggufMeta) fail(format string, args ...any) {
	if g.err == nil {
		g.err = mistake("model: %s: %s", g.path, fmt.Sprintf(format, args...))
	}
}

// writes tells whether the file is written.
func (g *ggufMeta) writes() bool { return g.out != nil }

// number reads a number.
func (g *ggufMeta) number(key string) (f float64, ok bool) {
	if f, ok = g.meta.Float(key); ok && f-f != 0 {
		g.fail("%s is %v; expected a finite number", key, f)
		return 0, false
	}
	return f, ok
}

// count is a whole number.
func (g *ggufMeta) count(key string, v *int) {
	key = g.arch + "." + key
	if !g.writes() {
		f, _ := g.number(key)
		*v = int(f)
	} else if *v != 0 {
		g.out.SetUint32(key, uint32(*v))
	}
}

// everywhere is a count that a file may give once or for each layer, where all are equal but those without.
func (g *ggufMeta) everywhere(key string, v *int) {
	if g.writes() {
		g.count(key, v)
		return
	}
	list, ok := g.meta.Ints(g.arch + "." + key)
	if !ok || len(list) == 0 {
		g.count(key, v)
		return
	}
	*v = 0
	list = slices.DeleteFunc(list, func(n int64) bool { return n == 0 }) // of layers without
	if len(list) == 0 {
		return
	}
	if slices.Min(list) != slices.Max(list) {
		g.fail("%s is %v: layers that differ in it are not supported", key, list)
	}
	*v = int(list[0])
}

// num is a number as it is.
func (g *ggufMeta) num(key string, v *float64) {
	if g.writes() {
		g.real(key, v, 0)
	} else {
		*v, _ = g.number(g.arch + "." + key)
	}
}

// real is a number that config.json has as a short decimal, def where there is none.
func (g *ggufMeta) real(key string, v *float64, def float64) {
	key = g.arch + "." + key
	if !g.writes() {
		*v = def
		if f, ok := g.number(key); ok {
			*v = tidyFloat32(f)
		}
	} else if *v != 0 {
		g.out.SetFloat32(key, float32(*v))
	}
}

// flag is true or false, def where there is none.
func (g *ggufMeta) flag(key string, v *bool, def bool) {
	key = g.arch + "." + key
	if g.writes() {
		g.out.SetBool(key, *v)
		return
	}
	*v = def
	if b, ok := g.meta.Bool(key); ok {
		*v = b
	}
}

// has tells whether the file has a tensor.
func (g *ggufMeta) has(tensor string) bool {
	_, ok := g.src.Shape(tensor)
	return ok
}

// vector reads a tensor of one dimension; nil where there is none.
func (g *ggufMeta) vector(tensor string) []float64 {
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
		if v-v != 0 {
			g.fail("tensor %s has the value %v; expected finite ones", tensor, v)
			return nil
		}
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
	g := &ggufMeta{path: path, arch: arch, meta: meta, src: src}
	if s, ok := src.Shape("token_embd.weight"); ok && len(s) == 2 {
		c.Vocab = s[0]
	}
	c.Tied = !g.has("output.weight")
	var experts int
	if g.count("expert_count", &experts); experts > 0 {
		g.fail("it is a mixture of %d experts, which are not supported", experts)
	}
	f.meta(&c, g)
	for key, id := range map[string]*int{"bos": &c.BOS, "eos": &c.EOS, "padding": &c.PAD} {
		if v, ok := g.number("tokenizer.ggml." + key + "_token_id"); ok {
			*id = int(v)
		}
	}
	if g.err != nil {
		return Config{}, g.err
	}
	return c, c.validate(path)
}
