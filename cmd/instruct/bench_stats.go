package main

import (
	"fmt"
	"slices"

	"instruct/train/bench"
)

// What counts as worse: the median rose by a tenth, and chance alone would put the sides so far apart in less than one
// of 500 comparisons.
const (
	minEffect = 1.10
	maxChance = 0.002
)

// comparison is one measured quantity on both sides.
type comparison struct {
	Metric string  `json:"metric"`
	Base   float64 `json:"base"` // median
	This   float64 `json:"this"` // median
	Ratio  float64 `json:"ratio"`
	Noise  float64 `json:"noise"` // half the distance of the quartiles over the median, the larger of the sides'
	P      float64 `json:"p"`     // chance of this or a clearer rise, if both sides were the same
	Worse  bool    `json:"worse"`
	Better bool    `json:"better"`
	Noisy  bool    `json:"noisy"` // a rise that counts as worse would not have been told from noise
}

func (c comparison) String() string {
	verdict := "within limits"
	switch {
	case c.Worse:
		verdict = "worse"
	case c.Better:
		verdict = "better"
	case c.Noisy:
		verdict = "too noisy to tell"
	}
	return fmt.Sprintf("# %-16s %14.0f %14.0f %6.3fx %6.1f%% %7.4f  %s",
		c.Metric, c.Base, c.This, c.Ratio, 100*c.Noise, c.P, verdict)
}

// isTime tells whether the quantity is wall or processor time.
func (c comparison) isTime() bool { return c.Metric == "ns/op" || c.Metric == "cpu-ns/op" }

// comparisons compares what both sides measured.
func comparisons(base, this []*bench.Result) []comparison {
	var all []comparison
	for _, m := range []struct {
		name string
		of   func(*bench.Result) float64
	}{
		{"ns/op", func(r *bench.Result) float64 { return r.NsPerStep }},
		{"cpu-ns/op", func(r *bench.Result) float64 { return r.CPUNsPerStep }},
		{"peak-RSS-bytes", func(r *bench.Result) float64 { return float64(r.PeakRSS) }},
		{"allocs/op", func(r *bench.Result) float64 { return r.AllocsPerStep }},
	} {
		var x, y []float64
		for i := range base {
			x = append(x, m.of(base[i]))
			y = append(y, m.of(this[i]))
		}
		if c := compare(m.name, x, y); c.Base != 0 && c.This != 0 { // else one side does not know it
			all = append(all, c)
		}
	}
	return all
}

// compare judges whether a quantity rose (worse) or fell (better) from base to this by more than noise explains.
func compare(metric string, base, this []float64) comparison {
	c := comparison{Metric: metric, Base: quantile(base, 0.5), This: quantile(this, 0.5)}
	c.Noise = max(noise(base), noise(this))
	c.P = chance(base, this)
	if c.Base > 0 {
		c.Ratio = c.This / c.Base
	}
	c.Worse = c.Ratio > minEffect && c.P < maxChance
	c.Better = c.Ratio < 1/minEffect && chance(this, base) < maxChance
	if c.This > 0 {
		c.Noisy = !c.Worse && !c.Better && chance(base, scaled(this, minEffect*c.Base/c.This)) >= maxChance
	}
	return c
}

// scaled is what would have been measured had the median been another one.
func scaled(x []float64, factor float64) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = v * factor
	}
	return out
}

// noise is half the distance of the quartiles, over the median.
func noise(x []float64) float64 {
	if m := quantile(x, 0.5); m > 0 {
		return (quantile(x, 0.75) - quantile(x, 0.25)) / 2 / m
	}
	return 0
}

// quantile returns the value below which the fraction q of x lies, interpolated.
func quantile(x []float64, q float64) float64 {
	s := slices.Sorted(slices.Values(x))
	at := q * float64(len(s)-1)
	i := int(at)
	if i+1 == len(s) {
		return s[i]
	}
	return s[i] + (at-float64(i))*(s[i+1]-s[i])
}

// chance is the one-sided Mann-Whitney U test (Mann and Whitney 1947), exact and with ties: among all ways to deal the
// measurements out to two sides of these sizes, the share in which the second side's ranks add up to at least what
// they do.
func chance(base, this []float64) float64 {
	all := slices.Concat(base, this)
	slices.Sort(all)
	rank := func(v float64) int { // twice the mean rank of the values equal to v
		lo, _ := slices.BinarySearch(all, v)
		hi := lo
		for hi < len(all) && all[hi] == v {
			hi++
		}
		return lo + hi + 1
	}
	observed, most := 0, 2*len(all)*len(this)
	for _, v := range this {
		observed += rank(v)
	}
	ways := make([][]float64, len(this)+1) // ways[k][s]: how many choices of k measurements have the sum of ranks s
	for k := range ways {
		ways[k] = make([]float64, most+1)
	}
	ways[0][0] = 1
	for _, v := range all {
		r := rank(v)
		for k := len(this); k > 0; k-- {
			for s := most; s >= r; s-- {
				ways[k][s] += ways[k-1][s-r]
			}
		}
	}
	total, extreme := 0.0, 0.0
	for s, w := range ways[len(this)] {
		total += w
		if s >= observed {
			extreme += w
		}
	}
	return extreme / total
}
