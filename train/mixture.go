package train

import (
	"fmt"

	"instruct/data"
)

// shares are the parts of the mixture that dataset_weights asks for, nil without, and a note on each.
func (s *Setup) shares() ([]data.Share, error) {
	r := s.Recipe
	weights, err := r.MixtureWeights()
	if err != nil || weights == nil {
		return nil, err
	}
	parts := s.rows.train.Parts
	for len(parts) < len(weights) {
		parts = append(parts, 0)
	}
	for i, n := range parts {
		if n == 0 {
			return nil, mistake("dataset_weights: %s has no row to train on", r.Dataset[i])
		}
	}
	shares, err := data.Mixture(parts, weights)
	if err != nil {
		return nil, err
	}
	total := s.rows.train.Len()
	for i, x := range shares {
		s.rows.notes = append(s.rows.notes, fmt.Sprintf("%s: %d of the %d rows of an epoch (%.3g %%), each of its %d rows "+
			"%.3g times", r.Dataset[i], x.Quota, total, 100*float64(x.Quota)/float64(total), x.Rows,
			float64(x.Quota)/float64(x.Rows)))
	}
	return shares, nil
}
