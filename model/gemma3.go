package model

import (
	"cmp"
	"math"
	"slices"

	"instruct/model/ops"
)

// gemma3Family is the language model of Gemma 3: norms on both sides of a sublayer, their weights kept less one, GeGLU,
// a scaled embedding, and windows with rotary positions of their own in five layers of six.
//
// Gemma Team 2025, arXiv:2503.19786; reference: transformers models/gemma3/modeling_gemma3.py.
func gemma3Family() family {
	return llamaLike{
		name: "gemma3_text", architecture: "Gemma3ForCausalLM", gguf: "gemma3",
		options: decoderOptions{
			norms: normsBoth, plusOne: true, headNorm: normEachHead, activation: ops.GeGLU, headDim: 256, tied: true,
			keys:      map[string]string{"hidden_act": "hidden_activation"},
			ropeNames: ropeNames{base: gemmaTheta},
		},
		parse: parseGemma3, write: writeGemma3, meta: gemma3Meta,
	}.family()
}

const (
	gemmaTheta, gemmaLocalTheta = 1e6, 1e4 // of layers that see everything, and of those with a window
	gemmaPattern                = 6        // every sixth layer sees everything
)

func parseGemma3(c *Config, r *configReader) {
	o := &c.options
	o.embedScale = math.Sqrt(float64(c.Width))
	scalar := r.num("query_pre_attn_scalar", 256)
	o.attentionScale = 1 / math.Sqrt(scalar)
	if !(scalar > 0) {
		r.fail("query_pre_attn_scalar is %g; expected a positive number", scalar)
	}
	for _, key := range []string{"attn_logit_softcapping", "final_logit_softcapping"} {
		if r.has(key) {
			r.fail("%s is not supported; Gemma 3 has none", key)
		}
	}
	if r.flag("use_bidirectional_attention", false) {
		r.fail("use_bidirectional_attention: true is not supported: it is a model of embeddings")
	}
	full, local := parseTwoRopes(c, r)
	types := r.layerTypes(c.Layers)
	if types == nil {
		types = patternTypes(c.Layers, r.count("sliding_window_pattern", r.count("_sliding_window_pattern", gemmaPattern)))
	}
	c.Rope = full
	o.alternate(types, r.count("sliding_window", 4096), full, local, r.fail)
}

func writeGemma3(c *Config, out map[string]any) {
	types, window, local := c.options.alternation(c.Rope)
	scale := float64(c.options.attentionScale)
	out["query_pre_attn_scalar"] = math.Round(1e6/(scale*scale)) / 1e6
	out["layer_types"] = types
	if window > 0 {
		out["sliding_window"] = window
	}
	out["rope_local_base_freq"] = local.Theta
	out["rope_parameters"] = map[string]any{
		fullAttention: c.Rope.parameters(c.HeadDim), slidingAttention: local.parameters(c.HeadDim),
	}
}

func gemma3Meta(c *Config, g *ggufMeta) {
	o := &c.options
	types, window, local := o.alternation(c.Rope)
	pattern := max(1, slices.Index(types, fullAttention)+1)
	g.count("attention.sliding_window", &window)
	g.count("attention.sliding_window_pattern", &pattern)
	g.num("rope.freq_base_swa", &local.Theta)
	if g.writes() {
		return
	}
	o.embedScale = math.Sqrt(float64(c.Width))
	o.attentionScale = 1 / math.Sqrt(float64(c.HeadDim)) // no key says otherwise
	var softcap float64
	if g.num("final_logit_softcapping", &softcap); softcap > 0 {
		g.fail("final_logit_softcapping is not supported; Gemma 3 has none")
	}
	var base float64
	if g.num("rope.freq_base", &base); base == 0 {
		c.Rope.Theta = gemmaTheta
	}
	if pattern == 0 {
		pattern = gemmaPattern
	}
	if window == 0 {
		pattern = 1
	}
	local = Rope{Theta: cmp.Or(local.Theta, gemmaLocalTheta), Scaling: RopeScaling{Type: "default"}}
	if !(local.Theta > 0 && local.Theta <= math.MaxFloat32) {
		g.fail("rope.freq_base_swa is %g; it must be a positive number", local.Theta)
	}
	o.alternate(patternTypes(c.Layers, pattern), window, c.Rope, local, g.fail)
}
