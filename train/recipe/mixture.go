package recipe

import (
	"math"
	"strconv"
)

// MixtureWeights are the weights of the data sets of a mixture, one each; nil where they are joined.
func (r *Recipe) MixtureWeights() ([]float64, error) {
	var weights []float64
	for i, text := range r.DatasetWeights {
		x, err := strconv.ParseFloat(text, 64)
		if err != nil || !(x > 0) || math.IsInf(x, 0) {
			return nil, mistake("dataset_weights: number %d is %q; expected a number above 0", i+1, text)
		}
		weights = append(weights, x)
	}
	if n := len(weights); n > 0 && n != len(r.Dataset) {
		return nil, mistake("dataset_weights has %d numbers, and dataset %d names; give one for each", n, len(r.Dataset))
	}
	return weights, nil
}
