package model

import (
	"cmp"
	"encoding/json"
	"math"
	"reflect"

	"instruct/model/kernel/exact"
)

// Rope is the rotary positions of a layer (Su et al. 2021, arXiv:2104.09864). Two layers of equal Rope share their
// tables.
type Rope struct {
	Theta   float64 // base of the wavelengths; 0: no rotary positions
	Scaling RopeScaling
	Dims    int // numbers of a head that turn, the first ones; 0: all
}

// RopeScaling stretches rotary positions beyond the length a model was trained on. What a kind has no use for is zero.
type RopeScaling struct {
	Type            string  `json:"rope_type"` // see ropeKinds
	Factor          float64 `json:"factor,omitempty"`
	LowFreqFactor   float64 `json:"low_freq_factor,omitempty"`
	HighFreqFactor  float64 `json:"high_freq_factor,omitempty"`
	OriginalLength  int     `json:"original_max_position_embeddings,omitempty"`
	BetaFast        float64 `json:"beta_fast,omitempty"`
	BetaSlow        float64 `json:"beta_slow,omitempty"`
	MScale          float64 `json:"mscale,omitempty"`
	MScaleAllDim    float64 `json:"mscale_all_dim,omitempty"`
	AttentionFactor float64 `json:"attention_factor,omitempty"`
	QueryBeta       float64 `json:"llama_4_scaling_beta,omitempty"` // see kernel.Rope.Query; any kind may have it

	NotTruncated bool         `json:"-"` // yarn: "truncate": false
	Factors      *RopeFactors `json:"-"` // longrope
}

// RopeFactors are the divisors of the frequencies of longrope: in sequences of up to original_max_position_embeddings
// positions, and of more, which are not read here.
type RopeFactors struct {
	Short, Long []float64
	Length      int // max_position_embeddings
}

// dims is how many numbers of a head of size d turn.
func (r *Rope) dims(d int) int { return cmp.Or(r.Dims, d) }

// invFreq returns the inverse frequencies of heads of size d, one for each two numbers that turn, as transformers'
// modeling_rope_utils has them.
func (r *Rope) invFreq(d int) []float32 {
	d = r.dims(d)
	stretch := r.Scaling.kind().stretch
	f := make([]float32, d/2)
	for i := range f {
		v := 1 / exact.Pow(r.Theta, float64(2*i)/float64(d))
		if stretch != nil {
			v = stretch(r, i, d, v)
		}
		f[i] = float32(v)
	}
	return f
}

// amplitude is what cosines and sines are multiplied by.
func (r *Rope) amplitude() float64 {
	if amplitude := r.Scaling.kind().amplitude; amplitude != nil {
		return amplitude(&r.Scaling)
	}
	return 1
}

// queryScale are the scales of rotated queries by position, nil where all are 1.
func (r *Rope) queryScale(positions int) []float32 {
	s := &r.Scaling
	if s.QueryBeta == 0 || s.OriginalLength == 0 {
		return nil
	}
	scale := make([]float32, positions)
	for t := range scale {
		scale[t] = float32(1 + float64(s.QueryBeta*exact.Log(float64(1+t/s.OriginalLength))))
	}
	return scale
}

// ropeKeys is a rope_scaling or rope_parameters object of config.json.
type ropeKeys struct {
	RopeScaling
	Old      string    `json:"type"`
	Theta    float64   `json:"rope_theta"`
	Fraction float64   `json:"partial_rotary_factor"`
	Truncate *bool     `json:"truncate"`
	Short    []float64 `json:"short_factor"`
	Long     []float64 `json:"long_factor"`
}

// ropeNames are the keys of config.json that rotary positions have outside of such an object, and their defaults.
type ropeNames struct {
	theta    string
	base     float64
	fraction string
	part     float64
	original int // original_max_position_embeddings where the file has none
}

// parseRope reads rope_theta and rope_scaling, or rope_parameters as transformers 5 writes them. Where they differ,
// what transformers 5 takes counts: rope_scaling before rope_parameters, and a rope_theta inside before the one outside
// (modeling_rope_utils.py, convert_rope_params_to_dict).
func parseRope(c *Config, r *configReader) Rope {
	n := c.options.ropeNames
	outside := cmp.Or(n.theta, "rope_theta")
	theta := r.num(outside, cmp.Or(n.base, 10000))
	var s ropeKeys
	key := "rope_scaling"
	r.get(key, &s, "an object")
	if reflect.ValueOf(s).IsZero() {
		key = "rope_parameters"
		r.get(key, &s, "an object")
	}
	if r.has(outside) && s.Theta > 0 && s.Theta != theta {
		r.note("%s is %g, and %g in %s, which is taken; transformers 4 takes the other one", outside, theta, s.Theta, key)
	}
	part := r.num(cmp.Or(n.fraction, "partial_rotary_factor"), cmp.Or(n.part, 1))
	return s.rope(c, r, theta, cmp.Or(s.Fraction, part))
}

// write puts the rotary positions into a config.json as transformers 5 reads them, and as transformers 4 and programs
// of its time do, which take a rope_theta of 10000 where there is none.
func (r *Rope) write(c *Config, out map[string]any) {
	n, p := c.options.ropeNames, r.parameters(c.HeadDim)
	out["rope_parameters"], out[cmp.Or(n.theta, "rope_theta")], out["rope_scaling"] = p, r.Theta, nil
	if r.Dims > 0 {
		out[cmp.Or(n.fraction, "partial_rotary_factor")] = p["partial_rotary_factor"]
	}
	if r.Scaling.Type != "default" {
		out["rope_scaling"] = p
	}
}

// rope checks the object; theta and the part of a head that turns are those of a file which has them elsewhere.
func (s *ropeKeys) rope(c *Config, r *configReader, theta, part float64) Rope {
	if s.Theta != 0 {
		theta = s.Theta
	}
	if !(theta >= 0 && theta <= math.MaxFloat32) {
		r.fail("rope_theta is %g; expected a positive number", theta)
	}
	s.Type = cmp.Or(s.Type, s.Old, "default")
	if len(s.Short)+len(s.Long) > 0 {
		s.Factors = &RopeFactors{s.Short, s.Long, c.MaxLength}
		if s.Type == "su" || s.Type == "yarn" {
			s.Type = "longrope" // its names in old files
		}
	}
	if s.Type != "default" {
		inside := cmp.Or(s.OriginalLength, c.options.ropeNames.original)
		s.OriginalLength = r.count("original_max_position_embeddings", inside)
	}
	s.NotTruncated = s.Truncate != nil && !*s.Truncate
	rope := Rope{Theta: theta, Scaling: s.RopeScaling}
	if part < 1 {
		rope.Dims = int(float64(c.HeadDim) * part)
	}
	if part > 1 || part < 1 && rope.Dims < 2 {
		r.fail("partial_rotary_factor is %g; expected at most 1, and enough for 2 of the %d numbers of a head", part,
			c.HeadDim)
	}
	if wrong := rope.check(c); wrong != "" {
		r.fail("rope_scaling: %s", wrong)
	}
	return rope
}

// check completes the positions from c, or says what is wrong with them.
func (r *Rope) check(c *Config) string {
	k, known := findRopeKind(r.Scaling.Type)
	if !known {
		return "type " + quoted(r.Scaling.Type) + " is not supported; known: " + ropeKindNames()
	}
	if k.check == nil {
		r.Scaling = RopeScaling{Type: r.Scaling.Type}
		return ""
	}
	return k.check(&r.Scaling, c, r.dims(c.HeadDim))
}

// parameters is the rope_parameters object of config.json for heads of size d.
func (r *Rope) parameters(d int) map[string]any {
	s, out := &r.Scaling, map[string]any{}
	text, err := json.Marshal(s)
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	if err != nil {
		panic(err) // numbers of a file that was read
	}
	out["rope_theta"] = r.Theta
	if r.Dims > 0 {
		out["partial_rotary_factor"] = float64(r.Dims) / float64(d)
	}
	if s.NotTruncated {
		out["truncate"] = false
	}
	if s.Factors != nil {
		out["short_factor"], out["long_factor"] = s.Factors.Short, s.Factors.Long
	}
	return out
}
