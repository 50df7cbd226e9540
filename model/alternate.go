package model

import "cmp"

// The kinds of attention that config.json names for each layer.
const (
	fullAttention    = "full_attention"
	slidingAttention = "sliding_attention"
	legacyAttention  = "attention" // of the first, in old files
)

// layerTypes reads layer_types, nil where there is none.
func (r *configReader) layerTypes(layers int) []string {
	var types []string
	r.get("layer_types", &types, "a list of names")
	if types != nil && len(types) != layers {
		r.fail("layer_types has %d entries for %d layers", len(types), layers)
	}
	return types
}

// patternTypes are the types of layers of which every n-th sees everything.
func patternTypes(layers, n int) []string {
	types := make([]string, max(0, layers))
	for l := range types {
		types[l] = slidingAttention
		if n < 1 || (l+1)%n == 0 {
			types[l] = fullAttention
		}
	}
	return types
}

// alternate gives layers of one type the whole sequence and the rotary positions full, those of the other a window and
// the positions local.
func (o *decoderOptions) alternate(types []string, window int, full, local Rope, fail func(string, ...any)) {
	for l, t := range types {
		switch {
		case t == fullAttention:
			o.windows, o.ropes = append(o.windows, 0), append(o.ropes, full)
		case t == slidingAttention && window > 0:
			o.windows, o.ropes = append(o.windows, window), append(o.ropes, local)
		case t == slidingAttention:
			fail("layer %d is %s, but sliding_window is %d", l, t, window)
		default:
			fail("layer_types: layer %d is %q; known: %s, %s", l, t, fullAttention, slidingAttention)
		}
	}
}

// alternation is what [decoderOptions.alternate] was given; without layers of the other type local is full, and the
// window 0.
func (o *decoderOptions) alternation(full Rope) (types []string, window int, local Rope) {
	local = full
	for l, w := range o.windows {
		t := fullAttention
		if w > 0 {
			t, window, local = slidingAttention, w, o.ropes[l]
		}
		types = append(types, t)
	}
	return types, window, local
}

// parseTwoRopes reads the rotary positions of the two types of layers: transformers 5 has them by type in
// rope_parameters, older files have rope_theta and rope_scaling of layers that see everything and rope_local_base_freq
// of the others.
func parseTwoRopes(c *Config, r *configReader) (full, local Rope) {
	var byType map[string]*ropeKeys
	var old ropeKeys
	r.get("rope_parameters", &byType, "an object of two objects")
	r.get("rope_scaling", &old, "an object")
	keys := map[string]*ropeKeys{fullAttention: &old, slidingAttention: {}}
	for t, k := range byType {
		switch {
		case k == nil:
		case t == fullAttention && r.has("rope_scaling"):
			old.Theta = cmp.Or(old.Theta, k.Theta)
		default:
			keys[t] = k
		}
	}
	full = keys[fullAttention].rope(c, r, r.num("rope_theta", gemmaTheta), 1)
	local = keys[slidingAttention].rope(c, r, r.num("rope_local_base_freq", gemmaLocalTheta), 1)
	return full, local
}
