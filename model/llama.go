package model

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"

	"gorgonia.org/gorgonia"

	"instruct/model/ops"
)

// llamaFamily is Llama.
//
// Touvron et al. 2023, arXiv:2302.13971; reference: transformers models/llama/modeling_llama.py.
func llamaFamily() family {
	f := decoderFamily("llama", "LlamaForCausalLM", decoderOptions{interleaved: true})
	f.write = func(c *Config, out map[string]any) {
		writeLlama(c, out)
		out["attention_bias"], out["mlp_bias"] = false, false
	}
	return f
}

// decoderOptions are what the decoders in the way of Llama differ in: attention with rotary positions, a gated MLP, and
// RMSNorms between them. A family gives its own; what config.json says of them is added when it is read.
type decoderOptions struct {
	norms       normPlaces         // where a layer has its norms
	headNorm    headNormKind       // of queries and keys
	qkvBias     bool               // q, k and v have biases
	activation  ops.ActivationKind // of the MLP
	headDim     int                // head_dim where config.json has none; 0: C/H
	interleaved bool               // GGUF files hold the rows of q and k as interleaved rotary pairs

	embedScale     float64 // of the embedding's rows; 0: 1
	residualScale  float64 // of what a sublayer's matrix adds to the stream, with norms before only; 0: 1
	logitScale     float64 // of the logits; 0: 1
	attentionScale float64 // of the scores; 0: 1/sqrt(D)

	windows []int  // by layer: positions that a query sees, its own included, 0 for all before it; nil: all everywhere
	ropes   []Rope // by layer; nil: Config.Rope everywhere
}

// normPlaces says where a layer has its norms; f is one of its two sublayers and x the stream.
type normPlaces uint8

const (
	normsBefore normPlaces = iota // x + f(norm x); Xiong et al. 2020, arXiv:2002.04745
	normsBehind                   // x + norm(f x); Liu et al. 2022, arXiv:2111.09883
	normsBoth                     // x + norm(f(norm x)); Ding et al. 2021, arXiv:2105.13290
)

func (n normPlaces) before() bool { return n != normsBehind }
func (n normPlaces) behind() bool { return n != normsBefore }

// headNormKind is the norm of queries and keys before they are rotated.
type headNormKind uint8

const (
	noHeadNorm   headNormKind = iota
	normEachHead              // over the D numbers of each head, with one weight for all
	normAllHeads              // over the H*D numbers of q and the K*D of k
)

// window is how many positions a query of layer l sees; 0: all before it.
func (o *decoderOptions) window(l int) int {
	if o.windows == nil {
		return 0
	}
	return o.windows[l]
}

// layerRope is the rotary positions of layer l.
func (c *Config) layerRope(l int) Rope {
	if c.options.ropes == nil {
		return c.Rope
	}
	return c.options.ropes[l]
}

// scoreScale is the scale of the attention's scores.
func (c *Config) scoreScale() float32 {
	return float32(cmp.Or(c.options.attentionScale, 1/math.Sqrt(float64(c.HeadDim))))
}

// decoderFamily is a family of such decoders.
func decoderFamily(name, architecture string, o decoderOptions) family {
	return family{
		name: name, architecture: architecture, gguf: name,
		parse:  func(c *Config, r *configReader) { c.options = o; parseLlama(c, r) },
		write:  writeLlama,
		params: llamaParams,
		graph:  llamaGraph,
		meta:   func(c *Config, get func(string) float64) { c.options = o; llamaMeta(c, get) },
	}
}

func parseLlama(c *Config, r *configReader) {
	c.Vocab, c.Width = r.count("vocab_size", -1), r.count("hidden_size", -1)
	c.Layers, c.Heads = r.count("num_hidden_layers", -1), r.count("num_attention_heads", -1)
	c.Hidden = r.count("intermediate_size", -1)
	c.KVHeads = r.count("num_key_value_heads", c.Heads)
	head := c.options.headDim
	if head == 0 && c.Heads > 0 {
		head = c.Width / c.Heads
	}
	c.HeadDim = r.count("head_dim", head)
	c.MaxLength = r.count("max_position_embeddings", 2048)
	c.NormEps = r.num("rms_norm_eps", 1e-6)
	c.Tied = r.flag("tie_word_embeddings", false)
	r.oneOf("hidden_act", "silu")
	for _, key := range []string{"attention_bias", "mlp_bias", "use_sliding_window"} {
		if r.flag(key, false) {
			r.fail("%s: true is not supported", key)
		}
	}
	c.Rope = parseRope(r)
}

func writeLlama(c *Config, out map[string]any) {
	maps.Copy(out, map[string]any{
		"hidden_size": c.Width, "num_hidden_layers": c.Layers, "intermediate_size": c.Hidden,
		"num_attention_heads": c.Heads, "num_key_value_heads": c.KVHeads, "head_dim": c.HeadDim,
		"max_position_embeddings": c.MaxLength, "rms_norm_eps": c.NormEps, "hidden_act": "silu",
	})
	c.Rope.write(out)
}

func llamaMeta(c *Config, get func(string) float64) {
	c.Width, c.Hidden = int(get("embedding_length")), int(get("feed_forward_length"))
	c.Layers = int(get("block_count"))
	c.Heads = int(get("attention.head_count"))
	c.KVHeads = cmp.Or(int(get("attention.head_count_kv")), c.Heads)
	c.MaxLength = int(get("context_length"))
	c.NormEps = tidyFloat32(get("attention.layer_norm_rms_epsilon"))
	c.HeadDim = int(get("attention.key_length"))
	if c.HeadDim == 0 && c.Heads > 0 {
		c.HeadDim = c.Width / c.Heads
	}
	c.Rope = Rope{cmp.Or(get("rope.freq_base"), 10000), RopeScaling{Type: "default"}}
	c.raw = map[string]json.RawMessage{}
}

// tidyFloat32 gives the short decimal that a float32 stands for: 1e-05 rather than 9.999999747378752e-06.
func tidyFloat32(v float64) float64 {
	var out float64
	fmt.Sscan(fmt.Sprint(float32(v)), &out)
	return out
}

func llamaParams(c *Config) []spec {
	specs := []spec{one("embed", "model.embed_tokens.weight", "token_embd.weight", initNormal, c.Vocab, c.Width)}
	for l := range c.Layers {
		specs = append(specs, llamaLayer(c, l)...)
	}
	specs = append(specs, one("norm", "model.norm.weight", "output_norm.weight", initOnes, c.Width))
	if !c.Tied {
		specs = append(specs, one("head", "lm_head.weight", "output.weight", initNormal, c.Vocab, c.Width))
	}
	return specs
}

// llamaLayer is the parameters of layer l.
func llamaLayer(c *Config, l int) (specs []spec) {
	o, q, kv := &c.options, c.Heads*c.HeadDim, c.KVHeads*c.HeadDim
	n, h, g := fmt.Sprintf("layers.%d.", l), fmt.Sprintf("model.layers.%d.", l), fmt.Sprintf("blk.%d.", l)
	add := func(s ...spec) { specs = append(specs, s...) }
	norm := func(name, hf, gguf string, size int) {
		add(one(n+name, h+hf+".weight", g+gguf+".weight", initOnes, size))
	}
	qkv := func(kind string) []part {
		parts := []part{
			{h + "self_attn.q_proj." + kind, g + "attn_q." + kind, q, 0},
			{h + "self_attn.k_proj." + kind, g + "attn_k." + kind, kv, 0},
			{h + "self_attn.v_proj." + kind, g + "attn_v." + kind, kv, 0},
		}
		if o.interleaved {
			parts[0].heads, parts[1].heads = c.Heads, c.KVHeads
		}
		return parts
	}

	if o.norms.before() {
		norm("norm1", "input_layernorm", "attn_norm", c.Width)
	}
	add(spec{name: n + "qkv", shape: []int{q + 2*kv, c.Width}, parts: qkv("weight"), decay: true})
	if o.qkvBias {
		add(spec{name: n + "qkv.bias", shape: []int{q + 2*kv}, init: initZeros, parts: qkv("bias")})
	}
	switch o.headNorm {
	case normEachHead:
		norm("qnorm", "self_attn.q_norm", "attn_q_norm", c.HeadDim)
		norm("knorm", "self_attn.k_norm", "attn_k_norm", c.HeadDim)
	case normAllHeads:
		norm("qnorm", "self_attn.q_norm", "attn_q_norm", q)
		norm("knorm", "self_attn.k_norm", "attn_k_norm", kv)
	}
	add(one(n+"out", h+"self_attn.o_proj.weight", g+"attn_output.weight", initNormal, c.Width, q))
	if o.norms.behind() {
		norm("behind1", "post_attention_layernorm", "post_attention_norm", c.Width)
	}
	switch o.norms {
	case normsBefore:
		norm("norm2", "post_attention_layernorm", "ffn_norm", c.Width)
	case normsBoth:
		norm("norm2", "pre_feedforward_layernorm", "ffn_norm", c.Width)
	}
	add(spec{name: n + "gateup", shape: []int{2 * c.Hidden, c.Width}, decay: true, parts: []part{
		{h + "mlp.gate_proj.weight", g + "ffn_gate.weight", c.Hidden, 0},
		{h + "mlp.up_proj.weight", g + "ffn_up.weight", c.Hidden, 0},
	}}, one(n+"down", h+"mlp.down_proj.weight", g+"ffn_down.weight", initNormal, c.Width, c.Hidden))
	if o.norms.behind() {
		norm("behind2", "post_feedforward_layernorm", "post_ffw_norm", c.Width)
	}
	return specs
}

// llamaGraph builds token ids (N) -> final normed rows (R, C) of the needed positions.
func llamaGraph(b *builder) (*gorgonia.Node, error) {
	c, o := &b.model.Config, &b.model.Config.options
	eps := float32(c.NormEps)
	norm := func(name string, x, add *ops.Stream) *gorgonia.Node {
		return b.try(ops.Norm{Name: name, W: b.param(name), Eps: eps, Add: add}.Apply(b.graph, x))
	}
	// read is what a sublayer begins with: its matrix on the stream x, or on the norm of it.
	read := func(matrix, before string, x *ops.Stream) *gorgonia.Node {
		l := ops.Linear{Name: matrix, W: b.param(matrix), Bias: b.maybe(matrix + ".bias")}
		if o.norms.before() {
			return b.try(l.Apply(b.graph, norm(before, x, nil)))
		}
		l.Read = x
		return b.try(l.Apply(b.graph, x.X))
	}
	// add is what it ends with: x plus its matrix on h, or plus the norm of that.
	add := func(matrix, behind string, h *gorgonia.Node, x *ops.Stream) *ops.Stream {
		l := ops.Linear{Name: matrix, W: b.param(matrix)}
		if o.norms.behind() {
			h = b.try(l.Apply(b.graph, h))
			return &ops.Stream{X: norm(behind, &ops.Stream{X: h}, x)}
		}
		l.Add, l.AddScale = x, float32(o.residualScale)
		return &ops.Stream{X: b.try(l.Apply(b.graph, h))}
	}

	embed := ops.Embed{W: b.param("embed"), Pad: c.PAD, Scale: float32(o.embedScale)}
	x := b.stream(embed)
	for l := b.from; l < b.to; l++ {
		b.startLayer()
		n := fmt.Sprintf("layers.%d.", l)
		h := read(n+"qkv", n+"norm1", x) // (N, (H+2K)*D)
		if o.headNorm != noHeadNorm {
			h = b.try(ops.HeadNorm{Name: n + "headnorm", Q: b.param(n + "qnorm"), K: b.param(n + "knorm"),
				Heads: c.Heads, KVHeads: c.KVHeads, D: c.HeadDim, Eps: eps}.Apply(b.graph, h))
		}
		h = b.try(ops.Attention{Name: n + "attention", Layer: l, Heads: c.Heads, KVHeads: c.KVHeads, D: c.HeadDim,
			Scale: c.scoreScale(), Window: o.window(l), Rope: b.rope(l)}.Apply(b.graph, h)) // (N, H*D)
		if l == c.Layers-1 {
			h = b.try(ops.Select{}.Apply(b.graph, h)) // from here on R rows instead of N
		}
		x = add(n+"out", n+"behind1", h, x) // (N, C)
		h = read(n+"gateup", n+"norm2", x)  // (N, 2F)
		act := ops.Activation{Name: n + o.activation.String(), F: c.Hidden, Kind: o.activation}
		h = b.try(act.Apply(b.graph, h))     // (N, F)
		x = add(n+"down", n+"behind2", h, x) // (N, C)
		b.endLayer(l, x.X)
	}
	if b.to < c.Layers {
		return x.X, nil
	}
	return norm("norm", x, nil), nil
}
