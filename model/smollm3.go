package model

// smollm3Family is SmolLM3: Llama without rotary positions in every fourth layer.
//
// Bakouch et al. 2025, huggingface.co/blog/smollm3; without positions: Yang et al. 2025, arXiv:2501.18795; reference:
// transformers models/smollm3/modeling_smollm3.py.
func smollm3Family() family {
	return llamaLike{
		name: "smollm3", architecture: "SmolLM3ForCausalLM", gguf: "smollm3",
		options: decoderOptions{interleaved: true, tied: true, ropeNames: ropeNames{base: 2e6}},
		parse:   parseNoPositions,
		write: func(c *Config, out map[string]any) {
			rotary := make([]int, c.Layers)
			for l := range rotary {
				if c.layerRope(l).Theta > 0 {
					rotary[l] = 1
				}
			}
			out["no_rope_layers"] = rotary
		},
		meta: func(c *Config, g *ggufMeta) { // llama.cpp has no key for it
			if g.writes() {
				return
			}
			c.options.ropes = make([]Rope, max(0, c.Layers))
			for l := range c.options.ropes {
				if (l+1)%4 != 0 {
					c.options.ropes[l] = c.Rope
				}
			}
		},
	}.family()
}

// parseNoPositions reads which layers have rotary positions: 1 in no_rope_layers.
func parseNoPositions(c *Config, r *configReader) {
	interval := r.count("no_rope_layer_interval", 4)
	if interval < 1 {
		r.fail("no_rope_layer_interval is %d; expected a positive number", interval)
		return
	}
	var rotary []int
	for l := range c.Layers {
		rotary = append(rotary, min(1, (l+1)%interval))
	}
	r.get("no_rope_layers", &rotary, "a list of 0 and 1")
	if len(rotary) < c.Layers {
		r.fail("no_rope_layers has %d entries for %d layers", len(rotary), c.Layers)
		return
	}
	for l := range c.Layers {
		if rotary[l] != 0 {
			c.options.ropes = append(c.options.ropes, c.Rope)
		} else {
			c.options.ropes = append(c.options.ropes, Rope{})
		}
	}
}
