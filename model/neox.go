package model

import (
	"fmt"
	"maps"

	"gorgonia.org/gorgonia"

	"instruct/model/ops"
)

// neoxFamily is GPT-NeoX, of which Pythia is made: LayerNorm, GELU and biases as in GPT-2, with rotary positions in a
// part of each head, and with both sublayers reading the same rows of the stream.
//
// Black et al. 2022, arXiv:2204.06745; Biderman et al. 2023, arXiv:2304.01373; reference: transformers
// models/gpt_neox/modeling_gpt_neox.py.
func neoxFamily() family {
	return family{
		name: "gpt_neox", architecture: "GPTNeoXForCausalLM", gguf: "gptneox",
		parse:  parseNeoX,
		write:  writeNeoX,
		params: neoxParams,
		graph:  neoxGraph,
		meta:   neoxMeta,
	}
}

// neoxOptions are the options that the family shares with others.
func neoxOptions() decoderOptions {
	return decoderOptions{ropeNames: ropeNames{theta: "rotary_emb_base", fraction: "rotary_pct", part: 0.25}}
}

func parseNeoX(c *Config, r *configReader) {
	c.options = neoxOptions()
	c.Vocab, c.Width = r.count("vocab_size", -1), r.count("hidden_size", -1)
	c.Layers, c.Heads = r.count("num_hidden_layers", -1), r.count("num_attention_heads", -1)
	c.Hidden = r.count("intermediate_size", -1)
	c.MaxLength = r.count("max_position_embeddings", 2048)
	c.sizeHeads()
	c.NormEps = r.num("layer_norm_eps", 1e-5)
	c.Tied = r.flag("tie_word_embeddings", false)
	c.options.serial = !r.flag("use_parallel_residual", true)
	if !r.flag("attention_bias", true) {
		r.fail("attention_bias: false is not supported")
	}
	r.oneOf("hidden_act", "gelu")
	c.Rope = parseRope(c, r)
}

// sizeHeads gives every query head a key head of its own, and all of them the width.
func (c *Config) sizeHeads() {
	c.KVHeads = c.Heads
	if c.Heads > 0 {
		c.HeadDim = c.Width / c.Heads
	}
}

func writeNeoX(c *Config, out map[string]any) {
	maps.Copy(out, map[string]any{
		"hidden_size": c.Width, "num_hidden_layers": c.Layers, "num_attention_heads": c.Heads,
		"intermediate_size": c.Hidden, "max_position_embeddings": c.MaxLength, "layer_norm_eps": c.NormEps,
		"use_parallel_residual": !c.options.serial, "hidden_act": "gelu", "attention_bias": true,
	})
	c.Rope.write(c, out)
	if c.Rope.Dims == 0 {
		out["rotary_pct"] = 1 // which is not what it is where the key is absent
		out["rope_parameters"].(map[string]any)["partial_rotary_factor"] = 1
	}
}

func neoxMeta(c *Config, g *ggufMeta) {
	if !g.writes() {
		c.options = neoxOptions()
	}
	g.count("context_length", &c.MaxLength)
	g.count("embedding_length", &c.Width)
	g.count("block_count", &c.Layers)
	g.count("feed_forward_length", &c.Hidden)
	g.count("attention.head_count", &c.Heads)
	c.sizeHeads()
	g.real("attention.layer_norm_epsilon", &c.NormEps, 1e-5)
	parallel := !c.options.serial
	g.flag("use_parallel_residual", &parallel, true)
	c.options.serial = !parallel
	g.rope(c)
}

func neoxParams(c *Config) []spec {
	specs := []spec{one("embed", "gpt_neox.embed_in.weight", "token_embd.weight", initNormal, c.Vocab, c.Width)}
	norm := func(name, hf, gguf string) {
		specs = append(specs, one(name, hf+".weight", gguf+".weight", initOnes, c.Width),
			one(name+".bias", hf+".bias", gguf+".bias", initZeros, c.Width))
	}
	for l := range c.Layers {
		n, h, g := fmt.Sprintf("layers.%d.", l), fmt.Sprintf("gpt_neox.layers.%d.", l), fmt.Sprintf("blk.%d.", l)
		linear := func(name, hf, gguf string, in, out, heads int) {
			w := one(n+name, h+hf+".weight", g+gguf+".weight", initNormal, out, in)
			b := one(n+name+".bias", h+hf+".bias", g+gguf+".bias", initZeros, out)
			w.parts[0].byHead, b.parts[0].byHead = heads, heads
			specs = append(specs, w, b)
		}
		norm(n+"norm1", h+"input_layernorm", g+"attn_norm")
		linear("qkv", "attention.query_key_value", "attn_qkv", c.Width, 3*c.Width, c.Heads)
		linear("out", "attention.dense", "attn_output", c.Width, c.Width, 0)
		norm(n+"norm2", h+"post_attention_layernorm", g+"ffn_norm")
		linear("up", "mlp.dense_h_to_4h", "ffn_up", c.Width, c.Hidden, 0)
		linear("down", "mlp.dense_4h_to_h", "ffn_down", c.Hidden, c.Width, 0)
	}
	norm("norm", "gpt_neox.final_layer_norm", "output_norm")
	if !c.Tied {
		specs = append(specs, one("head", "embed_out.weight", "output.weight", initNormal, c.Vocab, c.Width))
	}
	return specs
}

// neoxGraph builds token ids (N) -> final normed rows (R, C) of the needed positions.
func neoxGraph(b *builder) (*gorgonia.Node, error) {
	c := &b.model.Config
	linear := func(name string, x *gorgonia.Node, add *ops.Stream) *gorgonia.Node {
		return b.try(ops.Linear{Name: name, W: b.param(name), Bias: b.param(name + ".bias"), Add: add}.Apply(b.graph, x))
	}
	norm := func(name string, x *ops.Stream, beside *ops.Beside) *gorgonia.Node {
		return b.try(ops.Norm{Name: name, W: b.param(name), Bias: b.param(name + ".bias"), Eps: float32(c.NormEps),
			Beside: beside}.Apply(b.graph, x))
	}
	needed := func(l int, h *gorgonia.Node) *gorgonia.Node { // in the last layer R rows instead of N
		if l == c.Layers-1 {
			h = b.try(ops.Select{}.Apply(b.graph, h))
		}
		return h
	}
	x := b.stream(ops.Embed{W: b.param("embed"), Pad: -1})
	for l := b.from; l < b.to; l++ {
		b.startLayer()
		n := fmt.Sprintf("layers.%d.", l)
		h := linear(n+"qkv", norm(n+"norm1", x, nil), nil) // (N, 3C), head by head
		h = b.try(ops.Regroup{Name: n + "regroup", Heads: c.Heads, D: c.HeadDim}.Apply(b.graph, h))
		h = needed(l, b.attention(l, h)) // (N, C)
		var sum *ops.Stream
		if c.options.serial {
			sum = &ops.Stream{X: linear(n+"out", h, x)}
			h = norm(n+"norm2", sum, nil)
		} else {
			sum = &ops.Stream{X: linear(n+"out", h, &ops.Stream{X: x.X})}
			h = needed(l, norm(n+"norm2", x, &ops.Beside{First: x, Sum: sum}))
		}
		h = linear(n+"up", h, nil)                                                                      // (N, F)
		h = b.try(ops.Activation{Name: n + "gelu", F: c.Hidden, Kind: ops.ExactGELU}.Apply(b.graph, h)) // (N, F)
		x = &ops.Stream{X: linear(n+"down", h, sum)}
		b.endLayer(l, x.X)
	}
	if b.to < c.Layers {
		return x.X, nil
	}
	return norm("norm", x, nil), nil
}
