package recipe

import (
	"fmt"

	"instruct/train/preference"
)

// NLL is the loss_type of instruction tuning: the cross-entropy of the answers.
const NLL = "nll"

// Preference is the loss of preferences that the recipe asks for; ok is false where it asks for none.
func (r *Recipe) Preference() (k preference.Kind, ok bool) { return preference.Find(r.LossType) }

// PreferenceSettings are the numbers of the loss.
func (r *Recipe) PreferenceSettings() preference.Settings {
	return preference.Settings{Beta: r.Beta, LabelSmoothing: r.Smoothing, RPOAlpha: r.RPOAlpha,
		SimPOGamma: r.SimPOGamma, Desirable: r.Desirable, Undesirable: r.Undesirable}
}

// preferenceChecks are those of the keys of preferences. A key that the loss does not use must be left alone.
func (r *Recipe) preferenceChecks() []check {
	k, prefers := r.Preference()
	if !prefers && r.LossType != NLL {
		return nil // it was said
	}
	own := Default()
	pairs := prefers && !k.Labelled
	var out []check
	for _, key := range []struct {
		name       string
		value, own float64
		used       bool
	}{
		{"beta", r.Beta, own.Beta, prefers},
		{"label_smoothing", r.Smoothing, own.Smoothing, k.Smooths},
		{"rpo_alpha", r.RPOAlpha, own.RPOAlpha, pairs && !k.WholeNLL},
		{"simpo_gamma", r.SimPOGamma, own.SimPOGamma, k.Name == "simpo"},
		{"desirable_weight", r.Desirable, own.Desirable, k.Labelled},
		{"undesirable_weight", r.Undesirable, own.Undesirable, k.Labelled},
	} {
		out = append(out, check{key.used || key.value == key.own, key.name, key.value,
			fmt.Sprintf("loss_type %s does not use it; leave it out, or take another loss_type", r.LossType)})
	}
	return append(out,
		check{r.Beta > 0, "beta", r.Beta, "it must be above 0; usual are 0.01 to 0.5, of simpo 2 to 10"},
		check{r.Smoothing >= 0 && r.Smoothing < 0.5, "label_smoothing", r.Smoothing, "it must be at least 0 and below 0.5"},
		check{r.RPOAlpha >= 0 && r.Desirable >= 0 && r.Undesirable >= 0, "", nil,
			"rpo_alpha, desirable_weight and undesirable_weight must not be negative"},
		check{!prefers || len(r.DatasetWeights) == 0, "", nil, "dataset_weights mixes rows of instructions and texts; " +
			"the pairs of a loss of preferences are joined: leave it out"},
		check{!prefers || r.AssistantOnly, "", nil,
			"a loss of preferences is of answers: assistant_only_loss false has no meaning with it"},
		check{!k.Labelled || r.BatchSize > 1, "per_device_train_batch_size", r.BatchSize,
			"kto compares with the answers to other prompts of a micro-batch: it must be at least 2"})
}
