package model

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Config describes a model, independent of its family. It is read from and written to Hugging Face's config.json.
type Config struct {
	Family    string // model_type, see [Families]
	Vocab     int    // V
	Width     int    // C
	Layers    int
	Heads     int // H
	KVHeads   int // K
	HeadDim   int // D
	Hidden    int // F
	MaxLength int // positions the model was made for
	NormEps   float64
	Tied      bool // the head shares the embedding's weights
	InitStd   float64
	Rope      Rope // of the layers that have no other, see decoderOptions

	BOS, EOS, PAD int // token ids, -1 where there is none

	Notes []string // where the file contradicts itself, and what was taken

	family  *family
	options decoderOptions
	raw     map[string]json.RawMessage // the file it came from, so that saving keeps what we do not use
}

// ParseConfig reads a config.json. path is used in messages only.
func ParseConfig(path string, data []byte) (Config, error) {
	known := families()
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return Config{}, mistake("model: %s: not valid JSON: %w", path, err)
	}
	r := &configReader{path: path, raw: raw}
	typ := r.str("model_type", "")
	if r.err != nil {
		return Config{}, r.err
	}
	i := slices.IndexFunc(known, func(f family) bool { return f.name == typ })
	if i < 0 {
		return Config{}, unknownFamily(path, typ)
	}
	c := Config{Family: typ, BOS: r.token("bos_token_id"), EOS: r.token("eos_token_id"), PAD: r.token("pad_token_id"),
		InitStd: r.num("initializer_range", 0.02), family: &known[i], raw: raw}
	c.family.parse(&c, r)
	if r.has("quantization_config") {
		r.note("quantization_config is not applied: the weights are taken as they stand in the file")
	}
	if r.err != nil {
		return Config{}, r.err
	}
	c.Notes = r.notes
	return c, c.validate(path)
}

func (c *Config) validate(path string) error {
	for _, d := range []struct {
		name string
		v    int
	}{{"vocab_size", c.Vocab}, {"hidden_size", c.Width}, {"num_hidden_layers", c.Layers}, {"num_attention_heads", c.Heads},
		{"num_key_value_heads", c.KVHeads}, {"head_dim", c.HeadDim}, {"intermediate_size", c.Hidden},
		{"max_position_embeddings", c.MaxLength}} {
		if d.v <= 0 || d.v > 1<<24 {
			return mistake("model: %s: %s is %d; it must be a positive number", path, d.name, d.v)
		}
	}
	switch {
	case c.PAD >= c.Vocab:
		return mistake("model: %s: pad_token_id %d is outside the vocabulary of %d", path, c.PAD, c.Vocab)
	case c.Heads%c.KVHeads != 0:
		return mistake("model: %s: num_attention_heads %d is not a multiple of num_key_value_heads %d", path,
			c.Heads, c.KVHeads)
	case c.HeadDim > 512:
		return mistake("model: %s: head_dim is %d; at most 512 is supported", path, c.HeadDim)
	case c.Rope.Dims < 0 || c.Rope.Theta > 0 && c.Rope.dims(c.HeadDim)%2 != 0:
		return mistake("model: %s: %d numbers of a head of %d turn; rotary positions need an even number of them", path,
			c.Rope.dims(c.HeadDim), c.HeadDim)
	case !(c.NormEps > 0) || c.NormEps > 0.1:
		return mistake("model: %s: norm epsilon is %g; expected something like 1e-5", path, c.NormEps)
	}
	return nil
}

// JSON returns the config as config.json: the keys that were read, with ours brought up to date.
func (c *Config) JSON() ([]byte, error) { return c.JSONOf("float32") }

// JSONOf is JSON beside weights of another dtype, by its name in PyTorch.
func (c *Config) JSONOf(dtype string) ([]byte, error) {
	if c.family == nil {
		return nil, fmt.Errorf("model: unknown family %q", c.Family)
	}
	out := map[string]any{}
	for k, v := range c.raw {
		out[k] = v
	}
	c.family.write(c, out)
	out["model_type"] = c.Family
	out["architectures"] = []string{c.family.architecture}
	out["vocab_size"] = c.Vocab
	out["tie_word_embeddings"] = c.Tied
	out["initializer_range"] = c.InitStd
	delete(out, "torch_dtype")
	delete(out, "quantization_config") // of other weights than those that are saved
	out["dtype"] = dtype
	for k, id := range map[string]int{"bos_token_id": c.BOS, "eos_token_id": c.EOS, "pad_token_id": c.PAD} {
		if id >= 0 {
			out[k] = id
		} else {
			out[k] = nil
		}
	}
	return json.MarshalIndent(out, "", "  ")
}

// configReader takes typed values out of a config.json and keeps the first error.
type configReader struct {
	path  string
	raw   map[string]json.RawMessage
	err   error
	notes []string
}

// has tells whether a key has a value.
func (r *configReader) has(key string) bool {
	m, ok := r.raw[key]
	return ok && string(m) != "null"
}

func (r *configReader) note(format string, args ...any) {
	r.notes = append(r.notes, r.path+": "+fmt.Sprintf(format, args...))
}

func (r *configReader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = mistake("model: %s: %s", r.path, fmt.Sprintf(format, args...))
	}
}

func (r *configReader) get(key string, v any, want string) bool {
	if !r.has(key) {
		return false
	}
	m := r.raw[key]
	if err := json.Unmarshal(m, v); err != nil {
		r.fail("%s is %s; expected %s", key, m, want)
	}
	return true
}

func (r *configReader) str(key, def string) string {
	r.get(key, &def, "a string")
	return def
}

func (r *configReader) num(key string, def float64) float64 {
	r.get(key, &def, "a number")
	return def
}

func (r *configReader) flag(key string, def bool) bool {
	r.get(key, &def, "true or false")
	return def
}

// count reads a whole number; -1 as default means that the key is required.
func (r *configReader) count(key string, def int) int {
	v := def
	if !r.get(key, &v, "a whole number") && def < 0 {
		r.fail("%s is missing", key)
	}
	return v
}

// token reads a token id, or the first of a list of them; -1 where there is none.
func (r *configReader) token(key string) int {
	var ids []int
	if json.Unmarshal(r.raw[key], &ids) == nil && len(ids) > 0 {
		return ids[0]
	}
	id := -1
	r.get(key, &id, "a token id")
	return id
}

// countOrNone is count for a key that null turns off: 0 then.
func (r *configReader) countOrNone(key string, def int) int {
	if string(r.raw[key]) == "null" {
		return 0
	}
	return r.count(key, def)
}

// oneOf checks that a string key, where present, has one of the known values.
func (r *configReader) oneOf(key string, known ...string) {
	if v := r.str(key, known[0]); !slices.Contains(known, v) {
		r.fail("%s %q is not supported; known: %s", key, v, strings.Join(known, ", "))
	}
}
