package main

import (
	"strings"
	"testing"
)

// TestKeysOfTuning gives the keys of docs/tuning.md as flags and in a recipe: each changes the weights, in its own
// way, and bad values are one message.
func TestKeysOfTuning(t *testing.T) {
	workdir(t)
	write(t, "recipe.yaml", recipeText)
	write(t, "more.jsonl", read(t, "rows.jsonl"))
	weights := map[string]string{}
	for _, keys := range []string{
		"",
		"--ema_decay 0.5",
		"--label_smoothing_factor 0.1",
		"--z_loss 0.001",
		"--neftune_noise_alpha 5",
		"--unfreeze_layers 1",
		"--unfrozen_parameters model.norm",
		"--dataset rows.jsonl,more.jsonl --dataset_weights 0.7,0.3",
	} {
		o := call(t, "", trainOut+" --max_steps 2 --overwrite_output_dir --quiet "+keys)
		if o.code != exitDone {
			t.Fatalf("%s: exit code %d: %s", keys, o.code, o.err)
		}
		hash := runJSON(t, "out").Weights
		if other, ok := weights[hash]; ok {
			t.Errorf("%q and %q give the same weights", keys, other)
		}
		weights[hash] = keys
	}
	write(t, "recipe.yaml", recipeText+"z_loss: 0.001\nmax_steps: 2\n")
	if o := call(t, "", trainOut+" --overwrite_output_dir --quiet"); o.code != exitDone {
		t.Fatalf("exit code %d: %s", o.code, o.err)
	}
	if keys := weights[runJSON(t, "out").Weights]; keys != "--z_loss 0.001" {
		t.Errorf("a key of a recipe is not the flag's: the weights are those of %q", keys)
	}
	for keys, said := range map[string]string{
		"--ema_decay 1":                    "ema_decay",
		"--label_smoothing_factor 1.5":     "label_smoothing_factor",
		"--z_loss -1":                      "z_loss",
		"--neftune_noise_alpha -1":         "neftune_noise_alpha",
		"--unfreeze_layers 99":             "unfreeze_layers",
		"--unfrozen_parameters nothing":    "unfrozen_parameters",
		"--dataset_weights 0.7,0.3":        "dataset_weights",
		"--loss_type orpo --z_loss 0.001 ": "z_loss",
	} {
		o := call(t, "", trainOut+" --overwrite_output_dir "+keys)
		if o.code != exitMistake || strings.Count(o.err, "\ninstruct: ") > 1 {
			t.Errorf("%s: exit code %d: %s", keys, o.code, o.err)
		}
		has(t, o.err, said)
	}
}
