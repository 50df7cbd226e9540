package eval

import (
	"slices"

	"instruct/model/kernel/rng"
)

// Difference is the mean of a difference between two models on the same tests, with its 95 % interval.
type Difference struct {
	Mean float64 `json:"mean"`
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

const (
	resamples     = 10_000
	bootstrapSeed = 1
)

// bootstrap is the mean of differences and its percentile interval by the bootstrap (Efron 1979, Annals of Statistics
// 7): the middle 95 % of the means of 10,000 samples of as many tests, drawn with replacement. Tests are drawn, not
// answers, so the two of a test stay a pair. The draws are the same for the same number of tests.
func bootstrap(differences []float64) Difference {
	n := len(differences)
	if n == 0 {
		return Difference{}
	}
	mean := func(sum float64) float64 { return sum / float64(n) }
	var d Difference
	sum := 0.0
	for _, x := range differences {
		sum += x
	}
	d.Mean = mean(sum)
	r := rng.NewRand(bootstrapSeed, "paired bootstrap", 0, 0)
	means := make([]float64, resamples)
	for i := range means {
		sum := 0.0
		for range n {
			sum += differences[r.Intn(n)]
		}
		means[i] = mean(sum)
	}
	slices.Sort(means)
	d.Low, d.High = quantile(means, 0.025), quantile(means, 0.975)
	return d
}

// quantile is that of sorted numbers, between two of them on the line that joins them.
func quantile(sorted []float64, q float64) float64 {
	at := float64(q * float64(len(sorted)-1))
	i := min(int(at), len(sorted)-2)
	part := at - float64(i)
	return sorted[i] + float64(part*(sorted[i+1]-sorted[i]))
}
