package model

import (
	"slices"

	"instruct/model/kernel"
)

// lfm2Family is LFM2 and LFM2.5, the dense ones: Llama with a norm of each query and key head, and with a gated short
// convolution in the place of attention in most layers.
//
// Liquid AI 2025, liquid.ai/blog/liquid-foundation-models-v2-our-second-series-of-generative-ai-models; reference:
// transformers models/lfm2/modeling_lfm2.py.
func lfm2Family() family {
	return llamaLike{
		name: "lfm2", architecture: "Lfm2ForCausalLM", gguf: "lfm2",
		options: decoderOptions{
			headNorm: normEachHead, tied: true, ropeNames: ropeNames{base: 1e6},
			keys: map[string]string{"rms_norm_eps": "norm_eps"},
			names: map[string]string{
				"input_layernorm": "operator_norm", "post_attention_layernorm": "ffn_norm", "norm": "embedding_norm",
				"self_attn.q_norm": "self_attn.q_layernorm", "self_attn.k_norm": "self_attn.k_layernorm",
				"self_attn.o_proj": "self_attn.out_proj", "mlp.gate_proj": "feed_forward.w1",
				"mlp.up_proj": "feed_forward.w3", "mlp.down_proj": "feed_forward.w2", "output_norm": "token_embd_norm",
			},
		},
		parse: parseLFM2, write: writeLFM2, meta: lfm2Meta,
	}.family()
}

const convLayer = "conv" // a layer type

func parseLFM2(c *Config, r *configReader) {
	c.Tied = r.flag("tie_embedding", c.Tied)
	if r.flag("conv_bias", false) {
		r.fail("conv_bias: true is not supported")
	}
	c.Hidden = r.count("block_ff_dim", c.Hidden)
	if r.flag("block_auto_adjust_ff_dim", true) {
		multiple := r.count("block_multiple_of", 256)
		hidden := int(r.num("block_ffn_dim_multiplier", 1) * float64(2*c.Hidden/3))
		if multiple < 1 {
			r.fail("block_multiple_of is %d; expected a positive number", multiple)
			return
		}
		c.Hidden = (hidden + multiple - 1) / multiple * multiple
	}
	types := r.layerTypes(c.Layers)
	if types == nil {
		types = attentionAt(r, c.Layers)
	}
	taps := r.count("conv_L_cache", 3)
	if taps < 1 || taps > kernel.MaxTaps {
		r.fail("conv_L_cache is %d; expected 1 to %d", taps, kernel.MaxTaps)
	}
	for l, t := range types {
		switch t {
		case convLayer:
			c.options.taps = append(c.options.taps, taps)
		case fullAttention:
			c.options.taps = append(c.options.taps, 0)
		default:
			r.fail("layer_types: layer %d is %q; known: %s, %s", l, t, fullAttention, convLayer)
		}
	}
}

// attentionAt reads the layer types of files that name the layers with attention, which without the key are all.
func attentionAt(r *configReader, layers int) []string {
	types := patternTypes(layers, 1)
	var at []int
	if !r.get("full_attn_idxs", &at, "a list of layers") {
		return types
	}
	for l := range types {
		types[l] = convLayer
	}
	for _, l := range at {
		if l < 0 || l >= layers {
			r.fail("full_attn_idxs names layer %d of %d", l, layers)
			return types
		}
		types[l] = fullAttention
	}
	return types
}

func writeLFM2(c *Config, out map[string]any) {
	types := patternTypes(c.Layers, 1)
	for l, taps := range c.options.taps {
		if taps > 0 {
			types[l], out["conv_L_cache"] = convLayer, taps
		}
	}
	out["layer_types"], out["conv_bias"], out["tie_embedding"] = types, false, c.Tied
	out["block_ff_dim"], out["block_auto_adjust_ff_dim"] = c.Hidden, false
}

func lfm2Meta(c *Config, g *ggufMeta) {
	const perLayer = "attention.head_count_kv" // 0 where there is a convolution
	taps := slices.Max(append(c.options.taps, 0))
	g.count("shortconv.l_cache", &taps)
	if g.writes() {
		heads := make([]int32, c.Layers)
		for l := range heads {
			if c.options.convTaps(l) == 0 {
				heads[l] = int32(c.KVHeads)
			}
		}
		g.out.SetInt32s(g.arch+"."+perLayer, heads)
		return
	}
	if taps < 1 || taps > kernel.MaxTaps {
		g.fail("shortconv.l_cache is %d; expected 1 to %d", taps, kernel.MaxTaps)
	}
	heads, _ := g.meta.Ints(g.arch + "." + perLayer)
	if len(heads) != c.Layers {
		g.fail("%s has %d entries for %d layers", perLayer, len(heads), c.Layers)
	}
	for _, kv := range heads {
		if kv == 0 {
			c.options.taps = append(c.options.taps, taps)
		} else {
			c.options.taps = append(c.options.taps, 0)
		}
	}
}
