package eval

import (
	"math"
	"slices"
)

// Row is one line of results: how many tests of a group pass, or the mean of a metric, 0 to 1, with the 95 % interval
// of Wilson (1927, JASA 22), which is that of a share; for the mean of scores between 0 and 1 it is too wide rather
// than too narrow. The held-out loss, which Unit tells from a share, is the mean over all tokens of the rows, with the
// interval of a ratio of two sums over rows (see ratioInterval).
type Row struct {
	Suite string `json:"suite"`
	// Group is "" for all tests, "metric NAME", "tag NAME", "kind NAME", "rule ID (severity)" or "held-out loss".
	Group string  `json:"group"`
	Unit  string  `json:"unit,omitempty"` // "" for a share, 0 to 1
	N     int     `json:"n"`
	Mean  float64 `json:"mean"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// Rows summarises samples: all tests first, then kinds, tags and metrics in the order of their first use.
func (s *Suite) Rows(samples []Sample) []Row {
	var names []string
	scores := map[string][]float64{}
	add := func(name string, score float64) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
		scores[name] = append(scores[name], score)
	}
	for i := range s.Tests {
		s.Tests[i].eachGroup(&samples[i], add)
	}
	var rows []Row
	for _, name := range names {
		r := Row{Suite: s.Name, Group: name, N: len(scores[name])}
		for _, x := range scores[name] {
			r.Mean += x / float64(r.N)
		}
		r.Low, r.High = wilson(r.Mean, r.N)
		rows = append(rows, r)
	}
	if r := s.lossRow(samples); r.N > 0 {
		rows = append(rows, r)
	}
	return rows
}

// eachGroup names the groups that a test counts in, by [Row].Group, with its score in each.
func (t *Test) eachGroup(x *Sample, add func(name string, score float64)) {
	pass := 0.0
	if x.Pass {
		pass = 1
	}
	add("", pass)
	if t.Kind != "" {
		add("kind "+t.Kind, pass)
	}
	for _, tag := range t.Tags {
		add("tag "+tag, pass)
	}
	for _, m := range x.Metrics {
		add("metric "+m.Name, m.Score)
	}
}

// wilson is the 95 % interval of a share p of n.
func wilson(p float64, n int) (low, high float64) {
	if n == 0 {
		return 0, 1
	}
	const z = 1.959963984540054
	m := float64(n)
	centre := (p + z*z/(2*m)) / (1 + z*z/m)
	half := float64(z / (1 + z*z/m) * math.Sqrt(float64(p*(1-p))/m+z*z/(4*m*m)))
	return max(0, float64(centre)-half), min(1, float64(centre)+half)
}

// Comparison is what two models did on the same tests.
type Comparison struct {
	Fixed []int // tests that pass now and did not before
	Lost  []int // tests that passed before and do not now
	// P is the chance of so uneven a change, or a more uneven one, if fixing and losing were equally likely: the exact
	// test of McNemar (1947, Psychometrika 12), two-sided.
	P float64
	// Pass and Score are how much larger the share of passing tests and the mean score are now.
	Pass, Score Difference
}

// Compare compares the samples of a model with those of an older one.
func Compare(before, now []Sample) Comparison {
	var c Comparison
	pass, score := make([]float64, len(now)), make([]float64, len(now))
	for i := range now {
		switch {
		case now[i].Pass && !before[i].Pass:
			c.Fixed = append(c.Fixed, i)
			pass[i] = 1
		case !now[i].Pass && before[i].Pass:
			c.Lost = append(c.Lost, i)
			pass[i] = -1
		}
		score[i] = now[i].Score - before[i].Score
	}
	c.Pass, c.Score = bootstrap(pass), bootstrap(score)
	c.P = mcNemar(len(c.Fixed), len(c.Lost))
	return c
}

// mcNemar is the two-sided binomial probability of a and b out of a+b with chance 1/2.
func mcNemar(a, b int) float64 {
	n, sum := a+b, 0.0
	choose := math.Pow(0.5, float64(n)) // of 0 out of n
	for k := range min(a, b) + 1 {
		sum += choose
		choose *= float64(n-k) / float64(k+1)
	}
	return min(1, 2*sum)
}
