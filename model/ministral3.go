package model

// ministral3Family is the language model of Ministral 3: Mistral with positions stretched by yarn, and queries that
// grow with the logarithm of their position beyond the original length.
//
// Reference: transformers models/ministral3/modeling_ministral3.py.
func ministral3Family() family {
	return llamaLike{
		name: "ministral3", architecture: "Ministral3ForCausalLM", gguf: "mistral3",
		options: decoderOptions{interleaved: true, headDim: 128},
		parse:   parseWindow(0),
		write:   writeWindow,
		meta: func(c *Config, g *ggufMeta) {
			s := &c.Rope.Scaling
			m := s.MScale
			g.real("attention.temperature_scale", &s.QueryBeta, 0)
			g.real("rope.scaling.yarn_log_multiplier", &m, 0)
			if m != 0 && !g.writes() {
				s.MScale, s.MScaleAllDim = m, m
			}
		},
	}.family()
}
