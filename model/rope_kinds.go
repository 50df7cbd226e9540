package model

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"instruct/model/kernel/exact"
)

// ropeKind is a way to stretch rotary positions. Reference: transformers modeling_rope_utils.py.
type ropeKind struct {
	name      string
	check     func(s *RopeScaling, c *Config, d int) string // completes s, or says what is wrong; nil: it has no keys
	stretch   func(r *Rope, i, d int, v float64) float64    // the inverse frequency v of pair i of d/2; nil: v
	amplitude func(s *RopeScaling) float64                  // of cosines and sines; nil: 1
}

// ropeKinds lists every kind; a new one is a line here.
func ropeKinds() []ropeKind {
	return []ropeKind{
		{name: "default"},
		{name: "linear", check: checkFactor, stretch: stretchLinear}, // Chen et al. 2023, arXiv:2306.15595
		{name: "llama3", check: checkLlama3, stretch: stretchLlama3}, // Grattafiori et al. 2024, arXiv:2407.21783
		{name: "yarn", check: checkYarn, stretch: stretchYarn, amplitude: yarnAmplitude},
		{name: "longrope", check: checkLongRope, stretch: stretchLongRope, amplitude: longRopeAmplitude},
		// Other frequencies begin beyond max_position_embeddings, which is as far as sequences go here.
		{name: "dynamic", check: checkFactor},
	}
}

func findRopeKind(name string) (ropeKind, bool) {
	kinds := ropeKinds()
	i := slices.IndexFunc(kinds, func(k ropeKind) bool { return k.name == name })
	if i < 0 {
		return ropeKind{}, false
	}
	return kinds[i], true
}

// kind is that of s; of a value that nobody has set, "default".
func (s *RopeScaling) kind() ropeKind {
	k, _ := findRopeKind(s.Type)
	return k
}

func ropeKindNames() string {
	var names []string
	for _, k := range ropeKinds() {
		names = append(names, k.name)
	}
	return strings.Join(names, ", ")
}

func quoted(s string) string { return strconv.Quote(s) }

func checkFactor(s *RopeScaling, _ *Config, _ int) string {
	if s.Factor <= 0 {
		return "factor must be positive"
	}
	return ""
}

func stretchLinear(r *Rope, _, _ int, v float64) float64 { return v / r.Scaling.Factor }

func checkLlama3(s *RopeScaling, _ *Config, _ int) string {
	if s.Factor <= 0 || s.LowFreqFactor <= 0 || s.HighFreqFactor <= s.LowFreqFactor || s.OriginalLength <= 0 {
		return "llama3 needs factor, low_freq_factor < high_freq_factor and original_max_position_embeddings"
	}
	return ""
}

func stretchLlama3(r *Rope, _, _ int, v float64) float64 {
	s := &r.Scaling
	wavelen := 2 * math.Pi / v
	low, high := float64(s.OriginalLength)/s.LowFreqFactor, float64(s.OriginalLength)/s.HighFreqFactor
	switch {
	case wavelen > low:
		return v / s.Factor
	case wavelen >= high:
		smooth := (float64(s.OriginalLength)/wavelen - s.LowFreqFactor) / (s.HighFreqFactor - s.LowFreqFactor)
		return (1-smooth)*v/s.Factor + float64(smooth*v)
	}
	return v
}

func checkYarn(s *RopeScaling, c *Config, _ int) string {
	if s.OriginalLength <= 0 {
		s.OriginalLength = c.MaxLength
	}
	if s.Factor <= 0 {
		s.Factor = float64(c.MaxLength) / float64(s.OriginalLength)
	}
	if s.Factor <= 0 || s.BetaFast < 0 || s.BetaSlow < 0 {
		return "yarn needs a positive factor, and beta_fast and beta_slow that are not negative"
	}
	return ""
}

// stretchYarn divides slow frequencies, keeps fast ones, and blends those between (Peng et al. 2023, arXiv:2309.00071):
// with b turns in the original length a pair lies at d·ln(length/(2πb)) / (2·ln theta) of the d/2.
func stretchYarn(r *Rope, i, d int, v float64) float64 {
	s := &r.Scaling
	at := func(turns float64) float64 {
		return float64(d) * exact.Log(float64(s.OriginalLength)/(turns*2*math.Pi)) / (2 * exact.Log(r.Theta))
	}
	fast, slow := s.betas()
	low, high := at(fast), at(slow)
	if !s.NotTruncated {
		low, high = math.Floor(low), math.Ceil(high)
	}
	low, high = max(low, 0), min(high, float64(d-1))
	if low == high {
		high += 0.001
	}
	ramp := min(1, max(0, (float64(i)-low)/(high-low)))
	return float64(ramp*(v/s.Factor)) + float64((1-ramp)*v)
}

func (s *RopeScaling) betas() (fast, slow float64) {
	fast, slow = s.BetaFast, s.BetaSlow
	if fast == 0 {
		fast = 32
	}
	if slow == 0 {
		slow = 1
	}
	return fast, slow
}

func yarnAmplitude(s *RopeScaling) float64 {
	g := func(m float64) float64 {
		if s.Factor <= 1 {
			return 1
		}
		return 1 + float64(0.1*m*exact.Log(s.Factor))
	}
	switch {
	case s.AttentionFactor != 0:
		return s.AttentionFactor
	case s.MScale != 0 && s.MScaleAllDim != 0:
		return g(s.MScale) / g(s.MScaleAllDim)
	}
	return g(1)
}

// checkLongRope bounds the model's sequences by the length beyond which all their positions have other frequencies.
func checkLongRope(s *RopeScaling, c *Config, d int) string {
	f := s.Factors
	if f == nil || len(f.Short) != d/2 || len(f.Long) != d/2 || slices.Min(f.Short) <= 0 {
		return "longrope needs short_factor and long_factor, positive numbers, one for each two of the " +
			strconv.Itoa(d) + " that turn in a head"
	}
	if s.OriginalLength <= 1 {
		s.OriginalLength = c.MaxLength
	}
	if s.Factor == 0 {
		s.Factor = float64(f.Length) / float64(s.OriginalLength)
	}
	c.MaxLength = min(c.MaxLength, s.OriginalLength)
	return ""
}

// stretchLongRope divides each frequency by a number of its own (Ding et al. 2024, arXiv:2402.13753).
func stretchLongRope(r *Rope, i, _ int, v float64) float64 { return v / r.Scaling.Factors.Short[i] }

func longRopeAmplitude(s *RopeScaling) float64 {
	switch {
	case s.AttentionFactor != 0:
		return s.AttentionFactor
	case s.Factor <= 1:
		return 1
	}
	return math.Sqrt(1 + exact.Log(s.Factor)/exact.Log(float64(s.OriginalLength)))
}
