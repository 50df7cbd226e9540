package recipe

import "fmt"

// lossChecks are those of what is added to the cross-entropy of instruction tuning.
func (r *Recipe) lossChecks() []check {
	_, prefers := r.Preference()
	ofNLL := func(key string, value float64, say string) check {
		return check{!prefers || value == 0, key, value,
			fmt.Sprintf("it belongs to the cross-entropy, and loss_type is %s; %s", r.LossType, say)}
	}
	return []check{
		{r.SmoothingFactor >= 0 && r.SmoothingFactor < 1, "label_smoothing_factor", r.SmoothingFactor,
			"it must be 0 or more, and below 1; 0.1 is usual"},
		{r.ZLoss >= 0 && r.ZLoss < 1, "z_loss", r.ZLoss, "it must be 0 or more, and below 1; 1e-4 is usual"},
		{r.NEFTune >= 0 && r.NEFTune < 1000, "neftune_noise_alpha", r.NEFTune, "it must be 0 or more; 5 to 15 are usual"},
		{!prefers || len(r.DropRows) == 0, "", nil, fmt.Sprintf("drop_rows withholds rows from the cross-entropy; of "+
			"loss_type %s the loss of a row hangs on others: take the rows out of the file", r.LossType)},
		ofNLL("label_smoothing_factor", r.SmoothingFactor, "remove it (label_smoothing is that of preferences)"),
		ofNLL("z_loss", r.ZLoss, "remove it"),
		ofNLL("neftune_noise_alpha", r.NEFTune, "remove it: the answers to a prompt share its embeddings"),
	}
}
