package recipe

import (
	"slices"
	"strings"
	"testing"
)

// TestMixtureOfStages: a stage may have a mixture, whose paths are paths, and does not take the weights of other data.
func TestMixtureOfStages(t *testing.T) {
	r := sound(t)
	_, err := r.ParseYAML("r.yaml", []byte("dataset: [x, y]\ndataset_weights: [1, 2]\nstages:\n"+
		"  - dataset:\n      - {path: a.txt, weight: 0.5}\n      - {path: b.txt, weight: 2}\n"+
		"  - dataset: [c, d, e]\n  - seed: 1\n"))
	if err != nil {
		t.Fatal(err)
	}
	r.Stages = r.Stages.eachPath(func(_ string, path *string) { *path = "in/" + *path })
	stages, err := r.StageList()
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"in/a.txt in/b.txt 0.5 2", "in/c in/d in/e", "x y 1 2"} {
		if got := strings.Join(slices.Concat(stages[i].Dataset, stages[i].DatasetWeights), " "); got != want {
			t.Errorf("stage %d has %s, want %s", i+1, got, want)
		}
	}
}

// TestLossTermsAreOfInstructions refuses them, and mixtures, beside a loss of preferences, and parts beside an adapter.
func TestLossTermsAreOfInstructions(t *testing.T) {
	for _, x := range []struct{ key, value, with, want string }{
		{"label_smoothing_factor", "0.1", "loss_type=sigmoid", "label_smoothing is that of preferences"},
		{"z_loss", "1e-4", "loss_type=ipo", "z_loss is 0.0001; it belongs to the cross-entropy"},
		{"neftune_noise_alpha", "5", "loss_type=kto", "share its embeddings"},
		{"dataset_weights", "1", "loss_type=sigmoid", "dataset_weights mixes rows of instructions"},
		{"unfreeze_layers", "2", "lora_r=4", "modules_to_save trains modules whole"},
	} {
		key, value, _ := strings.Cut(x.with, "=")
		r := set(t, sound(t), x.key, x.value, key, value).Resolved()
		if err := r.Validate(); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s with %s: %v, want %q", x.key, x.with, err, x.want)
		}
	}
}
