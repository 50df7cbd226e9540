package model

import (
	"cmp"
	"math"

	"instruct/model/kernel/exact"
)

// Rope is the rotary positions of a layer (Su et al. 2021, arXiv:2104.09864). Two layers of equal Rope share their
// tables.
type Rope struct {
	Theta   float64 // base of the wavelengths; 0: no rotary positions
	Scaling RopeScaling
}

// RopeScaling stretches rotary positions beyond the length a model was trained on.
type RopeScaling struct {
	Type           string  `json:"rope_type"` // "default", "linear" or "llama3"
	Factor         float64 `json:"factor"`
	LowFreqFactor  float64 `json:"low_freq_factor"`                  // llama3
	HighFreqFactor float64 `json:"high_freq_factor"`                 // llama3
	OriginalLength int     `json:"original_max_position_embeddings"` // llama3
}

// invFreq returns the d/2 inverse frequencies of heads of size d, as transformers' modeling_rope_utils has them.
func (r *Rope) invFreq(d int) []float32 {
	f := make([]float32, d/2)
	for i := range f {
		f[i] = float32(r.Scaling.stretch(1 / exact.Pow(r.Theta, float64(2*i)/float64(d))))
	}
	return f
}

// stretch scales the inverse frequency v.
func (s *RopeScaling) stretch(v float64) float64 {
	switch s.Type {
	case "linear":
		return v / s.Factor
	case "llama3":
		wavelen := 2 * math.Pi / v
		low, high := float64(s.OriginalLength)/s.LowFreqFactor, float64(s.OriginalLength)/s.HighFreqFactor
		switch {
		case wavelen > low:
			return v / s.Factor
		case wavelen >= high:
			smooth := (float64(s.OriginalLength)/wavelen - s.LowFreqFactor) / (s.HighFreqFactor - s.LowFreqFactor)
			return (1-smooth)*v/s.Factor + float64(smooth*v)
		}
	}
	return v
}

// ropeKeys is a rope_scaling or rope_parameters object of config.json.
type ropeKeys struct {
	RopeScaling
	Old   string  `json:"type"`
	Theta float64 `json:"rope_theta"`
}

// parseRope reads rope_theta and rope_scaling, or rope_parameters as transformers 5 writes them. Where they differ,
// what transformers 5 takes counts: rope_scaling before rope_parameters, and a rope_theta inside before the one outside
// (modeling_rope_utils.py, convert_rope_params_to_dict).
func parseRope(r *configReader) Rope {
	const outside = "rope_theta"
	theta := r.num(outside, 10000)
	var s ropeKeys
	key := "rope_scaling"
	r.get(key, &s, "an object")
	if s == (ropeKeys{}) {
		key = "rope_parameters"
		r.get(key, &s, "an object")
	}
	if r.has(outside) && s.Theta > 0 && s.Theta != theta {
		r.note("%s is %g, and %g in %s, which is taken; transformers 4 takes the other one", outside, theta, s.Theta, key)
	}
	return s.rope(r, theta)
}

// write puts the rotary positions into a config.json as transformers 5 reads them, and as transformers 4 and programs
// of its time do, which take a rope_theta of 10000 where there is none.
func (r *Rope) write(out map[string]any) {
	p := r.parameters()
	out["rope_parameters"], out["rope_theta"], out["rope_scaling"] = p, r.Theta, nil
	if r.Scaling.Type != "default" {
		out["rope_scaling"] = p
	}
}

// rope checks the object; theta is that of a file which has it elsewhere.
func (s *ropeKeys) rope(r *configReader, theta float64) Rope {
	if s.Theta > 0 {
		theta = s.Theta
	}
	s.Type = cmp.Or(s.Type, s.Old, "default")
	switch s.Type {
	case "default":
	case "linear":
		if s.Factor <= 0 {
			r.fail("rope_scaling: factor must be positive")
		}
	case "llama3":
		if s.Factor <= 0 || s.LowFreqFactor <= 0 || s.HighFreqFactor <= s.LowFreqFactor || s.OriginalLength <= 0 {
			r.fail("rope_scaling: llama3 needs factor, low_freq_factor < high_freq_factor and original_max_position_embeddings")
		}
	default:
		r.fail("rope_scaling: type %q is not supported; known: default, linear, llama3", s.Type)
	}
	return Rope{theta, s.RopeScaling}
}

// parameters is the rope_parameters object of config.json.
func (r *Rope) parameters() map[string]any {
	s := &r.Scaling
	out := map[string]any{"rope_type": s.Type, "rope_theta": r.Theta}
	if s.Type != "default" {
		out["factor"] = s.Factor
	}
	if s.Type == "llama3" {
		out["low_freq_factor"] = s.LowFreqFactor
		out["high_freq_factor"] = s.HighFreqFactor
		out["original_max_position_embeddings"] = s.OriginalLength
	}
	return out
}
