package experiment

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"math"
	"slices"
	"strings"

	"instruct/train"
	"instruct/train/recipe"
)

// Comparison is runs in groups: those of one group differ in the seed alone.
type Comparison struct {
	Keys   []string // that differ between groups, in the order of the recipe; then data and base model, by content
	Groups []Group
	Left   []Run // runs that are not finished, which count in no group
}

// Group is the runs of one recipe with other seeds.
type Group struct {
	Values []string // of Comparison.Keys
	Runs   []Run
}

// apart are the keys that do not part groups: the seed, and what says nothing of what was trained how.
func apart() []string { return append(train.Aside(), "seed") }

// Compare puts runs into groups, in the order in which each first occurs.
func Compare(all []Run) *Comparison {
	c := &Comparison{}
	var values []map[string]string
	for _, r := range all {
		if !r.Finished() {
			c.Left = append(c.Left, r)
			continue
		}
		v := decides(&r)
		at := slices.IndexFunc(values, func(other map[string]string) bool { return maps.Equal(v, other) })
		if at < 0 {
			at = len(values)
			values = append(values, v)
			c.Groups = append(c.Groups, Group{})
		}
		c.Groups[at].Runs = append(c.Groups[at].Runs, r)
	}
	for _, key := range keys() {
		if !slices.ContainsFunc(values, func(v map[string]string) bool { return v[key] != values[0][key] }) {
			continue
		}
		c.Keys = append(c.Keys, key)
		for i := range c.Groups {
			c.Groups[i].Values = append(c.Groups[i].Values, values[i][key])
		}
	}
	for _, g := range c.Groups {
		slices.SortStableFunc(g.Runs, func(a, b Run) int { return cmp.Compare(a.Recipe.Seed, b.Recipe.Seed) })
	}
	return c
}

// What decides a run beside its recipe: the contents of files that the recipe has paths of.
const dataFiles, baseModel = "data files", "base model"

func keys() (all []string) {
	for _, k := range recipe.Keys() {
		if !slices.Contains(apart(), k.Name) {
			all = append(all, k.Name)
		}
	}
	return append(all, dataFiles, baseModel)
}

// decides is what decides a run, but for its seed, as text.
func decides(r *Run) map[string]string {
	v := r.Recipe.Values()
	maps.DeleteFunc(v, func(key, _ string) bool { return slices.Contains(apart(), key) })
	v[dataFiles], v[baseModel] = contents(r.Manifest.Files), contents(r.Manifest.BaseFiles)
	return v
}

// contents is a short name for what is in files, wherever they lie.
func contents(files map[string]string) string {
	if len(files) == 0 {
		return ""
	}
	hashes := slices.Sorted(maps.Values(files))
	sum := sha256.Sum256([]byte(strings.Join(hashes, " ")))
	return hex.EncodeToString(sum[:4])
}

// Estimate is a mean over seeds with its 95 % interval, by Student's t.
type Estimate struct {
	Mean float64
	Half float64 // half the width of the interval; NaN of a single run
	N    int     // runs that have the figure
}

// Estimate is that of a figure over the runs of a group. Runs without it do not count.
func (g *Group) Estimate(of func(*Run) float64) Estimate {
	var x []float64
	for i := range g.Runs {
		if v := of(&g.Runs[i]); !math.IsNaN(v) {
			x = append(x, v)
		}
	}
	e := Estimate{math.NaN(), math.NaN(), len(x)}
	if len(x) == 0 {
		return e
	}
	sum, squares := 0.0, 0.0
	for _, v := range x {
		sum += v
	}
	n := float64(len(x))
	e.Mean = sum / n
	if len(x) > 1 {
		for _, v := range x {
			squares += float64((v - e.Mean) * (v - e.Mean))
		}
		e.Half = float64(student95(len(x)-1) * math.Sqrt(squares/(n-1)/n))
	}
	return e
}

// student95 is the 97.5 % point of Student's t distribution: from a table up to 30 degrees of freedom, above by the
// expansion of Cornish and Fisher (Abramowitz and Stegun 26.7.5), within 1e-4.
func student95(freedom int) float64 {
	table := []float64{12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281, 2.2010, 2.1788,
		2.1604, 2.1448, 2.1314, 2.1199, 2.1098, 2.1009, 2.0930, 2.0860, 2.0796, 2.0739, 2.0687, 2.0639, 2.0595, 2.0555,
		2.0518, 2.0484, 2.0452, 2.0423}
	if freedom <= len(table) {
		return table[freedom-1]
	}
	const z = 1.959964
	n := float64(freedom)
	return z + (z*z*z+z)/4/n + (5*z*z*z*z*z+16*z*z*z+3*z)/96/n/n
}

// Figure is one of the figures that are compared.
type Figure struct {
	Name   string // for people
	Column string // of the CSV file
	Of     func(*Run) float64
	Digits int
}

// Figures are those that at least one run has.
func (c *Comparison) Figures() []Figure {
	all := []Figure{
		{"held-out loss", "eval_loss", func(r *Run) float64 { return r.Eval }, 4},
		{"best held-out", "best_eval_loss", func(r *Run) float64 { return r.Best }, 4},
		{"training loss", "loss", func(r *Run) float64 { return r.Loss }, 4},
		{"exact match %", "exact_match_percent", func(r *Run) float64 { return 100 * r.Exact }, 1},
		{"seconds", "seconds", func(r *Run) float64 { return r.Seconds }, 1},
	}
	return slices.DeleteFunc(all, func(f Figure) bool {
		for _, g := range c.Groups {
			if g.Estimate(f.Of).N > 0 {
				return false
			}
		}
		return true
	})
}
