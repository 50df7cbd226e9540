package experiment

import (
	"math"
	"testing"

	"instruct/train"
	"instruct/train/recipe"
)

// run makes a finished run of a recipe with a seed and a last held-out loss.
func run(seed int, rate, loss float64) Run {
	s := &train.Saved{Dir: "r", Recipe: recipe.Default(), Rows: []train.Metric{{Step: 0, EvalLoss: new(float64(9))},
		{Step: 1, Loss: &loss, NumTokens: 10, TokensPerSec: 5}, {Step: 2, Loss: &loss, NumTokens: 30, TokensPerSec: 10},
		{Step: 2, EvalLoss: &loss}}}
	s.Recipe.Seed, s.Recipe.LearningRate, s.Recipe.OutputDir = seed, rate, "any"
	s.Manifest.Finished = "yes"
	return figures(s)
}

// TestEstimate compares mean and interval with those of R: t.test(c(1.0, 1.2, 1.7)).
func TestEstimate(t *testing.T) {
	c := Compare([]Run{run(3, 1e-4, 1.7), run(1, 1e-4, 1.0), run(1, 3e-4, 1.5), run(2, 1e-4, 1.2)})
	if len(c.Groups) != 2 || len(c.Keys) != 1 || c.Keys[0] != "learning_rate" || c.Groups[1].Values[0] != "0.0003" {
		t.Fatalf("%+v", c)
	}
	if seeds := c.Groups[0].Runs; seeds[0].Recipe.Seed != 1 || seeds[2].Recipe.Seed != 3 {
		t.Error("the runs of a group are not ordered by seed")
	}
	e := c.Groups[0].Estimate(func(r *Run) float64 { return r.Eval })
	if e.N != 3 || math.Abs(e.Mean-1.3) > 1e-12 || math.Abs(e.Half-0.8957) > 1e-4 {
		t.Errorf("%+v", e)
	}
	if got := c.Groups[0].Runs[0]; got.Seconds != 4 || got.Best != 1 || got.BestStep != 2 || got.Steps() != 2 {
		t.Errorf("%+v", got)
	}
	if e := c.Groups[1].Estimate(func(r *Run) float64 { return r.Eval }); e.text(3, 1) != "1.500" {
		t.Errorf("of one run: %s", e.text(3, 1))
	}
}

func TestStudent95(t *testing.T) {
	for freedom, want := range map[int]float64{1: 12.7062, 30: 2.0423, 31: 2.0395, 60: 2.0003, 1000: 1.9623} {
		if got := student95(freedom); math.Abs(got-want) > 1e-4 {
			t.Errorf("%d: %v, want %v", freedom, got, want)
		}
	}
}

func TestParseAxis(t *testing.T) {
	for text, want := range map[string]string{"lr=1e-4, 3e-4": "learning_rate", "seed=1": "seed"} {
		if a, err := ParseAxis(text); err != nil || a.Key != want {
			t.Errorf("%s: %+v, %v", text, a, err)
		}
	}
	if got := fileWord("data/größe x.jsonl"); got != "gr--e-x.jsonl" {
		t.Errorf("%q", got)
	}
}
