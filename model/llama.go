package model

import (
	"cmp"
	"fmt"
	"maps"

	"gorgonia.org/gorgonia"

	"instruct/model/ops"
)

// llamaFamily is Llama.
//
// Touvron et al. 2023, arXiv:2302.13971; reference: transformers models/llama/modeling_llama.py.
func llamaFamily() family {
	return llamaLike{
		name: "llama", architecture: "LlamaForCausalLM", gguf: "llama",
		options: decoderOptions{interleaved: true},
		write: func(c *Config, out map[string]any) {
			out["attention_bias"], out["mlp_bias"] = c.options.biases&biasOut != 0, c.options.biases&biasMLP != 0
		},
	}.family()
}

// llamaLike is a family of decoders in the way of Llama: attention with rotary positions, a gated MLP, and RMSNorms
// between them. It says what its files have beyond those of Llama, nil where that is nothing.
type llamaLike struct {
	name, architecture, gguf string // as in family
	options                  decoderOptions

	parse func(c *Config, r *configReader)    // of config.json, after Llama's keys
	write func(c *Config, out map[string]any) // of config.json, over Llama's keys
	meta  func(c *Config, g *ggufMeta)        // of GGUF metadata, after Llama's keys, both ways

	stored func(c *Config) // as in family
}

func (d llamaLike) family() family {
	return family{
		name: d.name, architecture: d.architecture, gguf: d.gguf,
		parse: func(c *Config, r *configReader) {
			c.options = d.options
			parseLlama(c, r)
			if d.parse != nil {
				d.parse(c, r)
			}
		},
		write: func(c *Config, out map[string]any) {
			writeLlama(c, out)
			if d.write != nil {
				d.write(c, out)
			}
		},
		meta: func(c *Config, g *ggufMeta) {
			if !g.writes() {
				c.options = d.options
			}
			llamaMeta(c, g)
			if d.meta != nil {
				d.meta(c, g)
			}
		},
		params: llamaParams,
		graph:  llamaGraph,
		stored: d.stored,
	}
}

// key is what a key of config.json is called.
func (o *decoderOptions) key(name string) string { return cmp.Or(o.keys[name], name) }

func parseLlama(c *Config, r *configReader) {
	o := &c.options
	c.Vocab, c.Width = r.count("vocab_size", -1), r.count("hidden_size", -1)
	c.Layers, c.Heads = r.count("num_hidden_layers", -1), r.count("num_attention_heads", -1)
	c.checkLayers(r.fail)
	c.Hidden = r.count(o.key("intermediate_size"), -1)
	c.KVHeads = r.count("num_key_value_heads", c.Heads)
	head := o.headDim
	if head == 0 && c.Heads > 0 {
		head = c.Width / c.Heads
	}
	c.HeadDim = r.count("head_dim", head)
	c.MaxLength = r.count("max_position_embeddings", 2048)
	c.NormEps = r.num(o.key("rms_norm_eps"), 1e-6)
	c.Tied = r.flag("tie_word_embeddings", o.tied)
	r.oneOf(o.key("hidden_act"), o.activations()...)
	if r.flag("attention_bias", false) {
		o.biases |= biasAttention
	}
	if r.flag("mlp_bias", false) {
		o.biases |= biasMLP
	}
	if r.flag("use_sliding_window", false) {
		r.fail("use_sliding_window: true is not supported")
	}
	c.Rope = parseRope(c, r)
}

// checkLayers bounds the number of layers, of which each gets entries in lists.
func (c *Config) checkLayers(fail func(string, ...any)) {
	const most = 1 << 12
	if c.Layers < 0 || c.Layers > most {
		fail("%d layers; expected 1 to %d", c.Layers, most)
		c.Layers = 0
	}
}

// activations are the names of the MLP's nonlinearity in config.json.
func (o *decoderOptions) activations() []string {
	if o.activation == ops.GeGLU {
		return []string{"gelu_pytorch_tanh"}
	}
	return []string{"silu"}
}

func writeLlama(c *Config, out map[string]any) {
	o := &c.options
	maps.Copy(out, map[string]any{
		"hidden_size": c.Width, "num_hidden_layers": c.Layers, o.key("intermediate_size"): c.Hidden,
		"num_attention_heads": c.Heads, "num_key_value_heads": c.KVHeads, "head_dim": c.HeadDim,
		"max_position_embeddings": c.MaxLength, o.key("rms_norm_eps"): c.NormEps,
		o.key("hidden_act"): o.activations()[0],
	})
	if f := c.Rope.Scaling.Factors; f != nil {
		out["max_position_embeddings"] = f.Length
	}
	if o.biases&biasOut != 0 {
		out["attention_bias"] = true
	}
	if o.biases&biasMLP != 0 {
		out["mlp_bias"] = true
	}
	if c.Rope.Theta > 0 {
		c.Rope.write(c, out)
	}
}

func llamaMeta(c *Config, g *ggufMeta) {
	length := c.MaxLength
	if f := c.Rope.Scaling.Factors; f != nil {
		length = f.Length
	}
	g.count("context_length", &length)
	if !g.writes() {
		c.MaxLength = length
	}
	g.count("embedding_length", &c.Width)
	g.count("block_count", &c.Layers)
	c.checkLayers(g.fail)
	g.everywhere("feed_forward_length", &c.Hidden)
	g.everywhere("attention.head_count", &c.Heads)
	g.everywhere("attention.head_count_kv", &c.KVHeads)
	c.KVHeads = cmp.Or(c.KVHeads, c.Heads)
	g.real("attention.layer_norm_rms_epsilon", &c.NormEps, 0)
	g.count("attention.key_length", &c.HeadDim)
	if c.HeadDim == 0 && c.Heads > 0 {
		c.HeadDim = c.Width / c.Heads
	}
	if g.writes() {
		g.count("attention.value_length", &c.HeadDim)
	} else {
		for tensor, place := range map[string]biasPlaces{"attn_q": biasQKV, "attn_output": biasOut, "ffn_up": biasMLP} {
			if g.has("blk.0." + tensor + ".bias") {
				c.options.biases |= place
			}
		}
	}
	g.rope(c)
}

func llamaParams(c *Config) []spec {
	o := &c.options
	specs := []spec{one("embed", "model.embed_tokens.weight", "token_embd.weight", initNormal, c.Vocab, c.Width)}
	for l := range c.Layers {
		specs = append(specs, llamaLayer(c, l)...)
	}
	specs = append(specs, o.norm("norm", "model."+o.tensor("norm"), o.tensor("output_norm"), c.Width))
	if !c.Tied {
		specs = append(specs, one("head", "lm_head.weight", "output.weight", initNormal, c.Vocab, c.Width))
	}
	return specs
}

// tensor is what a tensor is called.
func (o *decoderOptions) tensor(name string) string { return cmp.Or(o.names[name], name) }

// norm is the parameter of a norm.
func (o *decoderOptions) norm(name, hf, gguf string, size int) spec {
	s := one(name, hf+".weight", gguf+".weight", initOnes, size)
	if o.plusOne {
		s.init, s.parts[0].plusOne = initZeros, true
	}
	return s
}

// layerSpecs collects the parameters of a layer. Names are those behind the layer's.
type layerSpecs struct {
	c           *Config
	n, hf, gguf string // what stands before the names: of parameters, in Hugging Face's files, in GGUF files
	specs       []spec
}

func (s *layerSpecs) add(specs ...spec) { s.specs = append(s.specs, specs...) }

func (s *layerSpecs) norm(name, hf, gguf string, size int) {
	o := &s.c.options
	s.add(o.norm(s.n+name, s.hf+o.tensor(hf), s.gguf+o.tensor(gguf), size))
}

// stacked is a tensor of a matrix that may be stacked of several, with its rows; the heads are those of rotary pairs.
type stacked struct {
	hf, gguf    string
	rows, heads int
}

// matrix adds the weight (rows, in) of stacked tensors and, where there is one, their bias.
func (s *layerSpecs) matrix(name string, in int, bias bool, tensors ...stacked) {
	o, rows := &s.c.options, 0
	parts := func(kind string) (out []part) {
		for _, t := range tensors {
			p := part{name: s.hf + o.tensor(t.hf) + kind, gguf: s.gguf + o.tensor(t.gguf) + kind, rows: t.rows}
			if o.interleaved {
				p.heads = t.heads
			}
			out = append(out, p)
		}
		return out
	}
	for _, t := range tensors {
		rows += t.rows
	}
	s.add(spec{name: s.n + name, shape: []int{rows, in}, parts: parts(".weight"), decay: true})
	if bias {
		s.add(spec{name: s.n + name + ".bias", shape: []int{rows}, init: initZeros, parts: parts(".bias")})
	}
}

// attention adds the parameters of attention.
func (s *layerSpecs) attention() {
	c := s.c
	o, q, kv := &c.options, c.Heads*c.HeadDim, c.KVHeads*c.HeadDim
	qkv := []stacked{{"self_attn.q_proj", "attn_q", q, c.Heads}, {"self_attn.k_proj", "attn_k", kv, c.KVHeads},
		{"self_attn.v_proj", "attn_v", kv, 0}}
	if o.fusedQKV {
		qkv = []stacked{{"self_attn.qkv_proj", "attn_qkv", q + 2*kv, 0}}
	}
	s.matrix("qkv", c.Width, o.biases&biasQKV != 0, qkv...)
	switch o.headNorm {
	case normEachHead:
		s.norm("qnorm", "self_attn.q_norm", "attn_q_norm", c.HeadDim)
		s.norm("knorm", "self_attn.k_norm", "attn_k_norm", c.HeadDim)
	case normAllHeads:
		s.norm("qnorm", "self_attn.q_norm", "attn_q_norm", q)
		s.norm("knorm", "self_attn.k_norm", "attn_k_norm", kv)
	}
	s.matrix("out", q, o.biases&biasOut != 0, stacked{"self_attn.o_proj", "attn_output", c.Width, 0})
}

// shortConv adds the parameters of a short convolution.
func (s *layerSpecs) shortConv(taps int) {
	width := s.c.Width
	s.matrix("qkv", width, false, stacked{"conv.in_proj", "shortconv.in_proj", 3 * width, 0})
	s.add(one(s.n+"conv", s.hf+"conv.conv.weight", s.gguf+"shortconv.conv.weight", initNormal, width, 1, taps))
	s.matrix("out", width, false, stacked{"conv.out_proj", "shortconv.out_proj", width, 0})
}

// llamaLayer is the parameters of layer l.
func llamaLayer(c *Config, l int) []spec {
	o := &c.options
	s := &layerSpecs{c: c, n: fmt.Sprintf("layers.%d.", l), hf: fmt.Sprintf("model.layers.%d.", l),
		gguf: fmt.Sprintf("blk.%d.", l)}
	gateUp := []stacked{{"mlp.gate_proj", "ffn_gate", c.Hidden, 0}, {"mlp.up_proj", "ffn_up", c.Hidden, 0}}
	if o.fusedMLP {
		gateUp = []stacked{{"mlp.gate_up_proj", "ffn_up", 2 * c.Hidden, 0}}
	}

	if o.norms.before() {
		s.norm("norm1", "input_layernorm", "attn_norm", c.Width)
	}
	if taps := o.convTaps(l); taps > 0 {
		s.shortConv(taps)
	} else {
		s.attention()
	}
	if o.norms.behind() {
		s.norm("behind1", "post_attention_layernorm", "post_attention_norm", c.Width)
	}
	switch o.norms {
	case normsBefore:
		s.norm("norm2", "post_attention_layernorm", "ffn_norm", c.Width)
	case normsBoth:
		s.norm("norm2", "pre_feedforward_layernorm", "ffn_norm", c.Width)
	}
	s.matrix("gateup", c.Width, o.biases&biasMLP != 0, gateUp...)
	s.matrix("down", c.Hidden, o.biases&biasMLP != 0, stacked{"mlp.down_proj", "ffn_down", c.Width, 0})
	if o.norms.behind() {
		s.norm("behind2", "post_feedforward_layernorm", "post_ffw_norm", c.Width)
	}
	return s.specs
}

// attention is the heads of layer l on packed qkv (N, (H+2K)*D).
func (b *builder) attention(l int, qkv *gorgonia.Node) *gorgonia.Node {
	c, o := &b.model.Config, &b.model.Config.options
	n := fmt.Sprintf("layers.%d.", l)
	if o.headNorm != noHeadNorm {
		qkv = b.try(ops.HeadNorm{Name: n + "headnorm", Q: b.param(n + "qnorm"), K: b.param(n + "knorm"),
			PlusOne: o.plusOne, Heads: c.Heads, KVHeads: c.KVHeads, D: c.HeadDim, Eps: float32(c.NormEps),
		}.Apply(b.graph, qkv))
	}
	return b.try(ops.Attention{Name: n + "attention", Layer: l, Heads: c.Heads, KVHeads: c.KVHeads, D: c.HeadDim,
		Scale: c.scoreScale(), Window: o.window(l), Rope: b.rope(l)}.Apply(b.graph, qkv))
}

// llamaGraph builds token ids (N) -> final normed rows (R, C) of the needed positions.
func llamaGraph(b *builder) (*gorgonia.Node, error) {
	c, o := &b.model.Config, &b.model.Config.options
	eps := float32(c.NormEps)
	norm := func(name string, x, add *ops.Stream) *gorgonia.Node {
		return b.try(ops.Norm{Name: name, W: b.param(name), PlusOne: o.plusOne, Eps: eps, Add: add}.Apply(b.graph, x))
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
		l := ops.Linear{Name: matrix, W: b.param(matrix), Bias: b.maybe(matrix + ".bias")}
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
		h := read(n+"qkv", n+"norm1", x) // (N, (H+2K)*D), or (N, 3C)
		if o.convTaps(l) > 0 {
			conv := ops.ShortConv{Name: n + "conv", Layer: l, W: b.param(n + "conv")}
			h = b.try(conv.Apply(b.graph, h)) // (N, C)
		} else {
			h = b.attention(l, h) // (N, H*D)
		}
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
