package train

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"instruct/checkpoints"
	"instruct/train/recipe"
)

// pairsFile writes pairs, or labelled answers, and gives their path.
func pairsFile(t *testing.T, lines ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pairs.jsonl")
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// somePairs are n pairs whose better answer is short.
func somePairs(n int) (lines []string) {
	for i := range n {
		lines = append(lines, fmt.Sprintf(`{"prompt":"Say %d, please.","chosen":"%d","rejected":"It is %d%s."}`, i, i, i,
			strings.Repeat(", no", i%3)))
	}
	return lines
}

// someLabelled are n labelled answers.
func someLabelled(n int) (lines []string) {
	for i := range n {
		lines = append(lines, fmt.Sprintf(`{"prompt":"Say %d, please.","completion":"%d%s","label":%v}`, i, i,
			strings.Repeat("!", i%3), i%3 == 0))
	}
	return lines
}

// preferring is a recipe that trains a tiny model with a loss of preferences.
func preferring(t *testing.T, loss string) recipe.Recipe {
	t.Helper()
	lines := somePairs(18)
	if loss == "kto" {
		lines = someLabelled(18)
	}
	return set(t, small(t), "dataset", pairsFile(t, lines...), "loss_type", loss, "per_device_train_batch_size", "3",
		"gradient_accumulation_steps", "2", "max_steps", "6", "eval_fraction", "0.2", "learning_rate", "1e-3")
}

// TestPreferencesAgainAndOn: a run has the same bits with 1 and 2 threads, and when it is stopped and goes on, where
// the reference comes from the checkpoint.
func TestPreferencesAgainAndOn(t *testing.T) {
	losses := []string{"sigmoid", "orpo", "kto"}
	if testing.Short() {
		losses = losses[:1]
	}
	for _, loss := range losses {
		t.Run(loss, func(t *testing.T) {
			r := preferring(t, loss)
			want := mustRun(t, set(t, r, "threads", "1"))
			sameBits(t, mustRun(t, set(t, r, "threads", "2")), want)
			r = set(t, r, "output_dir", t.TempDir(), "threads", "2")
			sameBits(t, mustResume(t, r, 3), want)
			steps, _ := readMetrics(t, r)
			last := steps[len(steps)-1].Rewards
			if last == nil || last.Margins == nil || loss != "kto" && last.Accuracies == nil {
				t.Errorf("no rewards in %+v", last)
			}
		})
	}
}

// TestReferenceIsTheModelBefore: the first step's loss of DPO is log 2, whatever the model, since the reference's
// log-probabilities have the bits of the model's.
func TestReferenceIsTheModelBefore(t *testing.T) {
	r := set(t, preferring(t, "sigmoid"), "max_steps", "2", "eval_strategy", "steps", "eval_steps", "1")
	mustRun(t, r)
	steps, evaluations := readMetrics(t, r)
	const ln2 = 0.6931471805599453
	if *steps[0].Loss != ln2 || *evaluations[0].EvalLoss != ln2 {
		t.Errorf("the first loss is %v, held out %v, want log 2", *steps[0].Loss, *evaluations[0].EvalLoss)
	}
	last := evaluations[len(evaluations)-1]
	if *last.EvalLoss >= ln2 || *last.EvalRewards.Margins <= 0 || *last.EvalRewards.Accuracies < 0.5 {
		t.Errorf("nothing was learned: %v, %+v", *last.EvalLoss, *last.EvalRewards)
	}
}

// TestReferenceOfACheckpoint: a checkpoint whose reference is gone, or another, is refused.
func TestReferenceOfACheckpoint(t *testing.T) {
	r := set(t, preferring(t, "ipo"), "save_strategy", "steps", "save_steps", "1", "max_steps", "1")
	mustRun(t, r)
	c, _, err := checkpoints.Latest(r.OutputDir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(c.Path, checkpoints.SumsFile)); err != nil { // as of older programs
		t.Fatal(err)
	}
	r = set(t, r, "resume_from_checkpoint", "true", "max_steps", "2")
	for text, want := range map[string]string{
		`{"train":[1],"held_out":[]}`: "is not what the run wrote",
		`{"train":[1`:                 "reference.json: unexpected end",
		"":                            "go on from another checkpoint",
	} {
		path := filepath.Join(c.Path, referenceFile)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if text == "" {
			os.Remove(path)
		}
		_, err := Run(t.Context(), r, silent(nil))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// TestNoPairs: a loss of preferences says which row it cannot use.
func TestNoPairs(t *testing.T) {
	alpaca := `{"instruction":"Say a.","output":"a"}`
	pair := `{"prompt":"Say a.","chosen":"a","rejected":"b"}`
	same := `{"prompt":"Say a.","chosen":"a","rejected":"a"}`
	for _, x := range []struct{ loss, want string }{
		{"sigmoid\n" + pair + "\n" + alpaca, "pairs.jsonl:2: the loss learns from pairs of answers"},
		{"kto\n" + alpaca, "pairs.jsonl:1: the loss learns from answers that are labelled"},
		{"orpo\n" + same, "none of the 1 pairs can be learned from (the first:"},
	} {
		lines := strings.Split(x.loss, "\n")
		r := set(t, small(t), "dataset", pairsFile(t, lines[1:]...), "loss_type", lines[0], "eval_fraction", "0")
		_, err := Run(t.Context(), r, silent(nil))
		if err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: %v, want %q", lines[0], err, x.want)
		}
	}
}

// TestPreferencesAsAStage: answers first, then preferences, whose reference is the model that the answers made.
func TestPreferencesAsAStage(t *testing.T) {
	r := set(t, preferring(t, "sigmoid"), "stages",
		`[{"loss_type": "nll", "max_steps": 2}, {"max_steps": 3}]`, "warmup_steps", "0")
	mustRun(t, r)
	steps, _ := readMetrics(t, r)
	if len(steps) != 3 || steps[0].Rewards == nil || *steps[0].Rewards.Margins != 0 ||
		*steps[2].Rewards.Margins == 0 {
		t.Errorf("%d steps, the last of the margin %v", len(steps), *steps[len(steps)-1].Rewards.Margins)
	}
}
