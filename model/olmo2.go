package model

// olmo2Family is OLMo 2: Llama with norms behind the sublayers instead of before them, and one norm over all query
// heads and one over all key heads.
//
// OLMo et al. 2024, arXiv:2501.00656; reference: transformers models/olmo2/modeling_olmo2.py.
func olmo2Family() family {
	return llamaLike{
		name: "olmo2", architecture: "Olmo2ForCausalLM", gguf: "olmo2",
		options: decoderOptions{norms: normsBehind, headNorm: normAllHeads},
		meta: func(_ *Config, g *ggufMeta) {
			var window int
			if g.count("attention.sliding_window", &window); window > 0 {
				g.fail("it is OLMo 3, whose windows are not supported in GGUF files")
			}
		},
	}.family()
}
