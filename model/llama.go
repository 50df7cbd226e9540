package model

import (
	"encoding/json"
	"fmt"
	"math"

	"gorgonia.org/gorgonia"

	"instruct/model/ops"
)

// llamaFamily is the Llama architecture and its near relatives, which differ by options: Qwen2 adds biases to q, k and v,
// Qwen3 normalises each query and key head.
//
// Touvron et al. 2023, arXiv:2302.13971; reference: transformers models/{llama,qwen2,qwen3}/modeling_*.py.
func llamaFamily(name, architecture string) family {
	qwen3 := name == "qwen3"
	return family{
		name: name, architecture: architecture, gguf: name,
		parse:  func(c *Config, r *configReader) { parseLlama(c, r) },
		write:  writeLlama,
		params: func(c *Config) []spec { return llamaParams(c, qwen3) },
		graph:  func(b *builder) (*gorgonia.Node, error) { return llamaGraph(b, qwen3) },
		meta:   llamaMeta,
	}
}

func parseLlama(c *Config, r *configReader) {
	c.Vocab, c.Width = r.count("vocab_size", -1), r.count("hidden_size", -1)
	c.Layers, c.Heads = r.count("num_hidden_layers", -1), r.count("num_attention_heads", -1)
	c.Hidden = r.count("intermediate_size", -1)
	c.KVHeads = r.count("num_key_value_heads", c.Heads)
	head := 128 // Qwen3's default
	if c.Family != "qwen3" && c.Heads > 0 {
		head = c.Width / c.Heads
	}
	c.HeadDim = r.count("head_dim", head)
	c.MaxLength = r.count("max_position_embeddings", 2048)
	c.NormEps = r.num("rms_norm_eps", 1e-6)
	c.Tied = r.flag("tie_word_embeddings", false)
	c.QKVBias = c.Family == "qwen2"
	r.oneOf("hidden_act", "silu")
	for _, key := range []string{"attention_bias", "mlp_bias"} {
		if r.flag(key, false) && r.err == nil {
			r.err = mistake("model: %s: %s: true is not supported", r.path, key)
		}
	}
	if r.flag("use_sliding_window", false) && r.err == nil {
		r.err = mistake("model: %s: use_sliding_window: true is not supported", r.path)
	}
	parseRope(c, r)
}

// parseRope reads rope_theta and rope_scaling, or rope_parameters as transformers 5 writes them.
func parseRope(c *Config, r *configReader) {
	c.RopeTheta = r.num("rope_theta", 10000)
	var s struct {
		Type     string  `json:"rope_type"`
		Old      string  `json:"type"`
		Theta    float64 `json:"rope_theta"`
		Factor   float64 `json:"factor"`
		Low      float64 `json:"low_freq_factor"`
		High     float64 `json:"high_freq_factor"`
		Original int     `json:"original_max_position_embeddings"`
	}
	if !r.get("rope_scaling", &s, "an object") {
		r.get("rope_parameters", &s, "an object")
	}
	if s.Theta > 0 {
		c.RopeTheta = s.Theta
	}
	if s.Type == "" {
		s.Type = s.Old
	}
	if s.Type == "" {
		s.Type = "default"
	}
	c.RopeScaling = RopeScaling{s.Type, s.Factor, s.Low, s.High, s.Original}
	bad := func(what string) {
		if r.err == nil {
			r.err = mistake("model: %s: rope_scaling: %s", r.path, what)
		}
	}
	switch s.Type {
	case "default":
	case "linear":
		if s.Factor <= 0 {
			bad("factor must be positive")
		}
	case "llama3":
		if s.Factor <= 0 || s.Low <= 0 || s.High <= s.Low || s.Original <= 0 {
			bad("llama3 needs factor, low_freq_factor < high_freq_factor and original_max_position_embeddings")
		}
	default:
		bad(fmt.Sprintf("type %q is not supported; known: default, linear, llama3", s.Type))
	}
}

func writeLlama(c *Config, out map[string]any) {
	out["hidden_size"], out["num_hidden_layers"], out["num_attention_heads"] = c.Width, c.Layers, c.Heads
	out["num_key_value_heads"], out["head_dim"], out["intermediate_size"] = c.KVHeads, c.HeadDim, c.Hidden
	out["max_position_embeddings"], out["rms_norm_eps"], out["hidden_act"] = c.MaxLength, c.NormEps, "silu"
	rope := map[string]any{"rope_type": c.RopeScaling.Type, "rope_theta": c.RopeTheta}
	if s := c.RopeScaling; s.Type != "default" {
		rope["factor"] = s.Factor
		if s.Type == "llama3" {
			rope["low_freq_factor"], rope["high_freq_factor"] = s.LowFreqFactor, s.HighFreqFactor
			rope["original_max_position_embeddings"] = s.OriginalLength
		}
	}
	delete(out, "rope_scaling")
	delete(out, "rope_theta")
	out["rope_parameters"] = rope
	if c.Family == "llama" {
		out["attention_bias"], out["mlp_bias"] = false, false
	}
}

func llamaMeta(c *Config, get func(string) float64) {
	c.Width, c.Layers, c.Heads = int(get("embedding_length")), int(get("block_count")), int(get("attention.head_count"))
	c.KVHeads, c.Hidden = int(get("attention.head_count_kv")), int(get("feed_forward_length"))
	c.MaxLength, c.NormEps = int(get("context_length")), tidyFloat32(get("attention.layer_norm_rms_epsilon"))
	if c.KVHeads == 0 {
		c.KVHeads = c.Heads
	}
	c.HeadDim = int(get("attention.key_length"))
	if c.HeadDim == 0 && c.Heads > 0 {
		c.HeadDim = c.Width / c.Heads
	}
	c.RopeTheta = get("rope.freq_base")
	if c.RopeTheta == 0 {
		c.RopeTheta = 10000
	}
	c.RopeScaling.Type = "default"
	c.QKVBias = c.Family == "qwen2"
	c.raw = map[string]json.RawMessage{}
}

// tidyFloat32 gives the short decimal that a float32 stands for: 1e-05 rather than 9.999999747378752e-06.
func tidyFloat32(v float64) float64 {
	var out float64
	fmt.Sscan(fmt.Sprint(float32(v)), &out)
	return out
}

func llamaParams(c *Config, qwen3 bool) []spec {
	q, kv := c.Heads*c.HeadDim, c.KVHeads*c.HeadDim
	specs := []spec{one("embed", "model.embed_tokens.weight", "token_embd.weight", initNormal, c.Vocab, c.Width)}
	rotated := func(heads int) int { // llama.cpp interleaves the rotary pairs of the llama architecture only
		if c.Family == "llama" {
			return heads
		}
		return 0
	}
	for l := range c.Layers {
		n, h, g := fmt.Sprintf("layers.%d.", l), fmt.Sprintf("model.layers.%d.", l), fmt.Sprintf("blk.%d.", l)
		specs = append(specs, one(n+"norm1", h+"input_layernorm.weight", g+"attn_norm.weight", initOnes, c.Width))
		qkv := []part{
			{h + "self_attn.q_proj.weight", g + "attn_q.weight", q, rotated(c.Heads)},
			{h + "self_attn.k_proj.weight", g + "attn_k.weight", kv, rotated(c.KVHeads)},
			{h + "self_attn.v_proj.weight", g + "attn_v.weight", kv, 0},
		}
		specs = append(specs, spec{name: n + "qkv", shape: []int{q + 2*kv, c.Width}, parts: qkv, decay: true})
		if c.QKVBias {
			specs = append(specs, spec{name: n + "qkv.bias", shape: []int{q + 2*kv}, init: initZeros, parts: []part{
				{h + "self_attn.q_proj.bias", g + "attn_q.bias", q, 0},
				{h + "self_attn.k_proj.bias", g + "attn_k.bias", kv, 0},
				{h + "self_attn.v_proj.bias", g + "attn_v.bias", kv, 0},
			}})
		}
		if qwen3 {
			specs = append(specs,
				one(n+"qnorm", h+"self_attn.q_norm.weight", g+"attn_q_norm.weight", initOnes, c.HeadDim),
				one(n+"knorm", h+"self_attn.k_norm.weight", g+"attn_k_norm.weight", initOnes, c.HeadDim))
		}
		specs = append(specs,
			one(n+"out", h+"self_attn.o_proj.weight", g+"attn_output.weight", initNormal, c.Width, q),
			one(n+"norm2", h+"post_attention_layernorm.weight", g+"ffn_norm.weight", initOnes, c.Width),
			spec{name: n + "gateup", shape: []int{2 * c.Hidden, c.Width}, decay: true, parts: []part{
				{h + "mlp.gate_proj.weight", g + "ffn_gate.weight", c.Hidden, 0},
				{h + "mlp.up_proj.weight", g + "ffn_up.weight", c.Hidden, 0},
			}},
			one(n+"down", h+"mlp.down_proj.weight", g+"ffn_down.weight", initNormal, c.Width, c.Hidden))
	}
	specs = append(specs, one("norm", "model.norm.weight", "output_norm.weight", initOnes, c.Width))
	if !c.Tied {
		specs = append(specs, one("head", "lm_head.weight", "output.weight", initNormal, c.Vocab, c.Width))
	}
	return specs
}

// llamaGraph builds token ids (N) -> final normed rows (R, C) of the needed positions.
func llamaGraph(b *builder, qwen3 bool) (*gorgonia.Node, error) {
	c := &b.model.Config
	eps := float32(c.NormEps)
	x := &ops.Stream{X: b.try(ops.Embed{W: b.param("embed"), Pad: c.PAD}.Apply(b.graph, b.tokens))}
	for l := range c.Layers {
		b.startLayer()
		n := fmt.Sprintf("layers.%d.", l)
		h := b.try(ops.Norm{Name: n + "norm1", W: b.param(n + "norm1"), Eps: eps}.Apply(b.graph, x))                   // (N, C)
		h = b.try(ops.Linear{Name: n + "qkv", W: b.param(n + "qkv"), Bias: b.maybe(n + "qkv.bias")}.Apply(b.graph, h)) // (N, (H+2K)*D)
		if qwen3 {
			h = b.try(ops.HeadNorm{Name: n + "headnorm", Q: b.param(n + "qnorm"), K: b.param(n + "knorm"),
				Heads: c.Heads, KVHeads: c.KVHeads, D: c.HeadDim, Eps: eps}.Apply(b.graph, h))
		}
		h = b.try(ops.Attention{Name: n + "attention", Layer: l, Heads: c.Heads, KVHeads: c.KVHeads, D: c.HeadDim,
			Scale: float32(1 / math.Sqrt(float64(c.HeadDim)))}.Apply(b.graph, h)) // (N, H*D)
		if l == c.Layers-1 {
			h = b.try(ops.Select{}.Apply(b.graph, h)) // from here on R rows instead of N
		}
		x = &ops.Stream{X: b.try(ops.Linear{Name: n + "out", W: b.param(n + "out"), Add: x}.Apply(b.graph, h))} // (N, C)
		h = b.try(ops.Norm{Name: n + "norm2", W: b.param(n + "norm2"), Eps: eps}.Apply(b.graph, x))
		h = b.try(ops.Linear{Name: n + "gateup", W: b.param(n + "gateup")}.Apply(b.graph, h))                     // (N, 2F)
		h = b.try(ops.Activation{Name: n + "swiglu", F: c.Hidden, Gated: true}.Apply(b.graph, h))                 // (N, F)
		x = &ops.Stream{X: b.try(ops.Linear{Name: n + "down", W: b.param(n + "down"), Add: x}.Apply(b.graph, h))} // (N, C)
		b.endLayer(l, x.X)
	}
	return ops.Norm{Name: "norm", W: b.param("norm"), Eps: eps}.Apply(b.graph, x)
}
