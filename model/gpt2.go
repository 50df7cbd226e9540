package model

import (
	"fmt"
	"maps"
	"math"

	"gorgonia.org/gorgonia"

	"instruct/model/kernel"
	"instruct/model/ops"
)

// gpt2Family is GPT-2: LayerNorm, learned positions, GELU in its tanh form, and matrices stored (in, out) as Conv1D.
//
// Radford et al. 2019; reference: transformers models/gpt2/modeling_gpt2.py.
func gpt2Family() family {
	return family{
		name: "gpt2", architecture: "GPT2LMHeadModel", gguf: "gpt2",
		parse:  parseGPT2,
		write:  writeGPT2,
		meta:   gpt2Meta,
		params: gpt2Params,
		graph:  gpt2Graph,
	}
}

func parseGPT2(c *Config, r *configReader) {
	c.Vocab, c.Width = r.count("vocab_size", -1), r.count("n_embd", -1)
	c.Layers, c.Heads = r.count("n_layer", -1), r.count("n_head", -1)
	c.MaxLength = r.count("n_positions", 1024)
	c.KVHeads = c.Heads
	if c.Heads > 0 {
		c.HeadDim = c.Width / c.Heads
	}
	c.Hidden = r.count("n_inner", 4*c.Width)
	c.NormEps = r.num("layer_norm_epsilon", 1e-5)
	c.Tied = r.flag("tie_word_embeddings", true)
	r.oneOf("activation_function", "gelu_new", "gelu_pytorch_tanh")
}

func writeGPT2(c *Config, out map[string]any) {
	maps.Copy(out, map[string]any{
		"n_embd":              c.Width,
		"n_layer":             c.Layers,
		"n_head":              c.Heads,
		"n_positions":         c.MaxLength,
		"n_ctx":               c.MaxLength, // mlx-lm asks for it
		"n_inner":             c.Hidden,
		"layer_norm_epsilon":  c.NormEps,
		"activation_function": "gelu_new",
	})
}

func gpt2Meta(c *Config, g *ggufMeta) {
	g.count("context_length", &c.MaxLength)
	g.count("embedding_length", &c.Width)
	g.count("block_count", &c.Layers)
	g.count("feed_forward_length", &c.Hidden)
	g.count("attention.head_count", &c.Heads)
	c.sizeHeads()
	g.real("attention.layer_norm_epsilon", &c.NormEps, 1e-5)
}

func gpt2Params(c *Config) []spec {
	residual := 1 / math.Sqrt(float64(2*c.Layers)) // GPT-2 scales the projections into the residual stream
	specs := []spec{
		one("embed", "transformer.wte.weight", "token_embd.weight", initNormal, c.Vocab, c.Width),
		one("positions", "transformer.wpe.weight", "position_embd.weight", initNormal, c.MaxLength, c.Width),
	}
	norm := func(name, hf, gguf string) {
		specs = append(specs, one(name, hf+".weight", gguf+".weight", initOnes, c.Width),
			one(name+".bias", hf+".bias", gguf+".bias", initZeros, c.Width))
	}
	for l := range c.Layers {
		n, h, g := fmt.Sprintf("layers.%d.", l), fmt.Sprintf("transformer.h.%d.", l), fmt.Sprintf("blk.%d.", l)
		linear := func(name, hf, gguf string, in, out int, scale float64) {
			w := one(n+name, h+hf+".weight", g+gguf+".weight", initNormal, in, out)
			w.scale, w.form, w.parts[0].turned = scale, kernel.NN, true
			specs = append(specs, w, one(n+name+".bias", h+hf+".bias", g+gguf+".bias", initZeros, out))
		}
		norm(n+"norm1", h+"ln_1", g+"attn_norm")
		linear("qkv", "attn.c_attn", "attn_qkv", c.Width, 3*c.Width, 1)
		linear("out", "attn.c_proj", "attn_output", c.Width, c.Width, residual)
		norm(n+"norm2", h+"ln_2", g+"ffn_norm")
		linear("up", "mlp.c_fc", "ffn_up", c.Width, c.Hidden, 1)
		linear("down", "mlp.c_proj", "ffn_down", c.Hidden, c.Width, residual)
	}
	norm("norm", "transformer.ln_f", "output_norm")
	if !c.Tied {
		specs = append(specs, one("head", "lm_head.weight", "output.weight", initNormal, c.Vocab, c.Width))
	}
	return specs
}

// gpt2Graph builds token ids (N) -> final normed rows (R, C) of the needed positions.
func gpt2Graph(b *builder) (*gorgonia.Node, error) {
	c := &b.model.Config
	eps := float32(c.NormEps)
	linear := func(name string, x *gorgonia.Node, add *ops.Stream) *gorgonia.Node {
		l := ops.Linear{Name: name, W: b.param(name), Bias: b.param(name + ".bias"), Conv1D: true, Add: add}
		return b.try(l.Apply(b.graph, x))
	}
	norm := func(name string, x *ops.Stream) *gorgonia.Node {
		return b.try(ops.Norm{Name: name, W: b.param(name), Bias: b.param(name + ".bias"), Eps: eps}.Apply(b.graph, x))
	}
	x := b.stream(ops.Embed{W: b.param("embed"), P: b.param("positions"), Pad: -1})
	for l := b.from; l < b.to; l++ {
		b.startLayer()
		n := fmt.Sprintf("layers.%d.", l)
		h := linear(n+"qkv", norm(n+"norm1", x), nil) // (N, 3C)
		h = b.try(ops.Attention{Name: n + "attention", Layer: l, Heads: c.Heads, KVHeads: c.KVHeads, D: c.HeadDim,
			Scale: c.scoreScale()}.Apply(b.graph, h)) // (N, C)
		if l == c.Layers-1 {
			h = b.try(ops.Select{}.Apply(b.graph, h)) // from here on R rows instead of N
		}
		x = &ops.Stream{X: linear(n+"out", h, x)}
		h = linear(n+"up", norm(n+"norm2", x), nil)                                                // (N, F)
		h = b.try(ops.Activation{Name: n + "gelu", F: c.Hidden, Kind: ops.GELU}.Apply(b.graph, h)) // (N, F)
		x = &ops.Stream{X: linear(n+"down", h, x)}
		b.endLayer(l, x.X)
	}
	if b.to < c.Layers {
		return x.X, nil
	}
	return norm("norm", x), nil
}
