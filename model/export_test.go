package model

import (
	"math"
	"slices"

	"instruct/model/ops"
)

// otherFamilies are decoders that this package does not offer. They stand here to show that the options fit them; their
// reference values are in testdata/reference.
func otherFamilies() []family {
	return []family{
		decoderFamily("olmo2", "Olmo2ForCausalLM", decoderOptions{norms: normsBehind, headNorm: normAllHeads}),
		gemma3Family(),
		withOptions("mistral", "MistralForCausalLM", func(c *Config, r *configReader) {
			c.options.windows = slices.Repeat([]int{r.count("sliding_window", 0)}, c.Layers)
		}),
		withOptions("granite", "GraniteForCausalLM", func(c *Config, r *configReader) {
			c.options.embedScale = r.num("embedding_multiplier", 1)
			c.options.attentionScale = r.num("attention_multiplier", 1)
			c.options.residualScale = r.num("residual_multiplier", 1)
			c.options.logitScale = 1 / r.num("logits_scaling", 1)
		}),
	}
}

// withOptions is Llama with options that more reads from config.json.
func withOptions(name, architecture string, more func(c *Config, r *configReader)) family {
	f := decoderFamily(name, architecture, decoderOptions{})
	parse := f.parse
	f.parse = func(c *Config, r *configReader) { parse(c, r); more(c, r) }
	return f
}

// gemma3Family expects norm weights that stand for themselves; the checkpoints hold them less one.
func gemma3Family() family {
	return withOptions("gemma3_text", "Gemma3ForCausalLM", func(c *Config, r *configReader) {
		o := &c.options
		o.norms, o.headNorm, o.activation = normsBoth, normEachHead, ops.GeGLU
		o.embedScale = math.Sqrt(float64(c.Width))
		o.attentionScale = 1 / math.Sqrt(r.num("query_pre_attn_scalar", 256))
		var types []string
		var ropes map[string]ropeKeys
		r.get("layer_types", &types, "a list")
		r.get("rope_parameters", &ropes, "an object")
		for _, t := range types {
			window, keys := 0, ropes[t]
			if t == "sliding_attention" {
				window = r.count("sliding_window", -1)
			}
			o.windows = append(o.windows, window)
			o.ropes = append(o.ropes, keys.rope(r, 10000))
		}
	})
}

// ParseAnyConfig is ParseConfig that knows those families too.
func ParseAnyConfig(path string, data []byte) (Config, error) {
	return parseConfig(path, data, append(families(), otherFamilies()...))
}

// New makes the parameters of c, all zero; see [Model.Init] and [Model.Load].
func New(c Config) (*Model, error) {
	m, err := Outline(c)
	if err != nil {
		return nil, err
	}
	return m, m.Allocate()
}
