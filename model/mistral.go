package model

import "slices"

// mistralFamily is Mistral 7B and what is made like it: Llama, in version 0.1 with a window in every layer. Its GGUF
// files are Llama's, without the window.
//
// Jiang et al. 2023, arXiv:2310.06825; reference: transformers models/mistral/modeling_mistral.py.
func mistralFamily() family {
	return llamaLike{
		name: "mistral", architecture: "MistralForCausalLM",
		parse: parseWindow(4096),
		write: writeWindow,
		stored: func(c *Config) { // Llama's, which have no windows: as far as the window reaches, there are none
			llama := llamaFamily()
			c.family, c.options.interleaved = &llama, true
			if w := c.options.window(0); w > 0 {
				c.MaxLength, c.options.windows = min(c.MaxLength, w), nil
			}
		},
	}.family()
}

// parseWindow reads the window of all layers, which is def where the key is absent, and none where it is null.
func parseWindow(def int) func(c *Config, r *configReader) {
	return func(c *Config, r *configReader) {
		w := r.countOrNone("sliding_window", def)
		if w < 0 {
			r.fail("sliding_window is %d; expected a positive number, or null", w)
		}
		c.options.setWindow(w, c.Layers)
	}
}

func (o *decoderOptions) setWindow(w, layers int) {
	if w > 0 && layers > 0 {
		o.windows = slices.Repeat([]int{w}, layers)
	}
}

func writeWindow(c *Config, out map[string]any) {
	out["sliding_window"] = nil
	if w := c.options.window(0); w > 0 {
		out["sliding_window"] = w
	}
}
