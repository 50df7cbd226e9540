package model

// phi3Family is Phi-3, Phi-3.5-mini and Phi-4-mini: Llama with q, k and v in one tensor, and gate and up in another;
// the later ones turn a part of each head and stretch its positions by longrope.
//
// Abdin et al. 2024, arXiv:2404.14219; reference: transformers models/phi3/modeling_phi3.py.
func phi3Family() family {
	return llamaLike{
		name: "phi3", architecture: "Phi3ForCausalLM", gguf: "phi3",
		options: decoderOptions{fusedQKV: true, fusedMLP: true, ropeNames: ropeNames{original: 4096}},
		parse:   parseWindow(0),
		write: func(c *Config, out map[string]any) {
			writeWindow(c, out)
			s := &c.Rope.Scaling
			if s.Type == "default" {
				return
			}
			out["original_max_position_embeddings"] = s.OriginalLength
			// transformers 4 takes these three keys and no others.
			out["rope_scaling"] = map[string]any{"type": s.Type, "short_factor": s.Factors.Short, "long_factor": s.Factors.Long}
		},
		meta: func(c *Config, g *ggufMeta) {
			window := c.options.window(0)
			g.count("attention.sliding_window", &window)
			if !g.writes() {
				c.options.setWindow(window, c.Layers)
			}
		},
	}.family()
}
