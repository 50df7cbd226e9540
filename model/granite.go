package model

import (
	"math"
	"slices"
)

// graniteFamily is Granite 3 and the dense ones of Granite 4: Llama whose embedding, scores, sublayers and logits are
// scaled.
//
// Granite Team 2024, github.com/ibm-granite/granite-3.0-language-models; reference: transformers
// models/granite/modeling_granite.py.
func graniteFamily() family {
	return llamaLike{
		name: "granite", architecture: "GraniteForCausalLM", gguf: "granite",
		options: decoderOptions{interleaved: true},
		parse:   parseMultipliers, write: writeMultipliers,
		meta: func(c *Config, g *ggufMeta) {
			o := &c.options
			logits := 1 / o.logitScale
			g.real("embedding_scale", &o.embedScale, 1)
			g.real("attention.scale", &o.attentionScale, 0)
			g.real("residual_scale", &o.residualScale, 1)
			g.real("logit_scale", &logits, 1)
			o.logitScale = 1 / logits
			if !positiveScales(o) {
				g.fail("embedding_scale, attention.scale, residual_scale and logit_scale must be positive numbers")
			}
			positions := c.Rope.Theta > 0
			if g.flag("rope.scaling.finetuned", &positions, true); !positions {
				g.fail("it has no positions at all (rope.scaling.finetuned is false), which is supported in folders only")
			}
		},
	}.family()
}

// graniteHybridFamily is the name under which the dense models of Granite 4 are published, those without layers of a
// state space model and without experts. Reference: transformers models/granitemoehybrid.
func graniteHybridFamily() family {
	return llamaLike{
		name: "granitemoehybrid", architecture: "GraniteMoeHybridForCausalLM",
		options: decoderOptions{
			fusedMLP: true,
			keys:     map[string]string{"intermediate_size": "shared_intermediate_size"},
			names: map[string]string{
				"mlp.gate_up_proj": "shared_mlp.input_linear", "mlp.down_proj": "shared_mlp.output_linear",
			},
		},
		parse: parseGraniteHybrid,
		write: func(c *Config, out map[string]any) {
			writeMultipliers(c, out)
			out["layer_types"] = slices.Repeat([]string{legacyAttention}, c.Layers) // transformers 4 knows no other name
		},
		stored: func(c *Config) { // Granite 3's, with gate and up in tensors of their own
			granite := graniteFamily()
			c.family, c.options.interleaved = &granite, true
			c.options.fusedMLP, c.options.names = false, nil
		},
	}.family()
}

func parseGraniteHybrid(c *Config, r *configReader) {
	parseMultipliers(c, r)
	if n := r.count("num_local_experts", 8); n > 0 {
		r.fail("num_local_experts is %d: a mixture of experts is not supported; the dense models have 0", n)
	}
	types := r.layerTypes(c.Layers)
	if types == nil {
		r.fail("layer_types is missing: without it every layer is one of a state space model (Mamba), which is not supported")
	}
	for l, t := range types {
		if t != legacyAttention && t != fullAttention {
			r.fail("layer %d is %q: layers of a state space model are not supported; the dense models have attention everywhere",
				l, t)
		}
	}
	if kind := r.str("position_embedding_type", ""); kind != "rope" {
		c.Rope.Theta = 0
	}
}

// parseMultipliers reads the scales of Granite.
func parseMultipliers(c *Config, r *configReader) {
	o := &c.options
	o.embedScale = r.num("embedding_multiplier", 1)
	o.attentionScale = r.num("attention_multiplier", 1)
	o.residualScale = r.num("residual_multiplier", 1)
	o.logitScale = 1 / r.num("logits_scaling", 1)
	if !positiveScales(o) || o.attentionScale == 0 {
		r.fail("embedding_multiplier, attention_multiplier, residual_multiplier and logits_scaling must be positive")
	}
}

// positiveScales says whether all scales are positive and finite; that of attention may be 0, which is its default.
func positiveScales(o *decoderOptions) bool {
	for _, x := range []float64{o.embedScale, o.residualScale, o.logitScale, 1 / o.logitScale} {
		if !(x > 0 && x <= math.MaxFloat32) {
			return false
		}
	}
	return o.attentionScale >= 0 && o.attentionScale <= math.MaxFloat32
}

func writeMultipliers(c *Config, out map[string]any) {
	o := &c.options
	out["embedding_multiplier"], out["residual_multiplier"] = o.embedScale, o.residualScale
	out["attention_multiplier"], out["logits_scaling"] = float64(c.scoreScale()), 1/o.logitScale
	if o.attentionScale > 0 {
		out["attention_multiplier"] = o.attentionScale
	}
}
