package train

import (
	"fmt"
	"os"
	"path/filepath"

	"instruct/checkpoints"
	"instruct/model/kernel"
)

// explainDir is the folder of a run with the weights that explain: true keeps: checkpoint-N with the model alone, apart
// from the checkpoints that a run goes on from, so that they are neither rotated nor resumed.
const explainDir = "explain"

// explainKept is how many of them there are at the most, the run's model among them.
const explainKept = 8

// explains tells whether the weights after a step are kept: explainKept are, at equal distances, and those at the end
// are the run's model.
func (u *run) explains(step int) bool {
	return u.Recipe.Explain && step < u.Steps && step*explainKept/u.Steps > (step-1)*explainKept/u.Steps
}

// explainBytes is the room that they take.
func (u *run) explainBytes() int64 {
	if !u.Recipe.Explain {
		return 0
	}
	each := u.modelBytes()
	if u.explainRounded() {
		each /= 2
	}
	return int64(min(explainKept, u.Steps)-1) * each
}

// explainRounded tells whether they are kept in bf16: an adapter is small, and kept as it is.
func (u *run) explainRounded() bool {
	return u.Recipe.ExplainDType == kernel.BF16.String() && u.Model.Adapter() == nil
}

// sayExplain says it before the run begins.
func (u *run) sayExplain() {
	if n := min(explainKept, u.Steps) - 1; u.Recipe.Explain && n > 0 {
		fmt.Fprintf(u.o.Log, "explain   weights are kept at %d steps of the run, %s in %s\n", n, bytesText(u.explainBytes()),
			filepath.Join(u.Recipe.OutputDir, explainDir))
	}
}

// keepExplain keeps the model as it is.
func (u *run) keepExplain() error {
	dir := filepath.Join(u.Recipe.OutputDir, explainDir)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return outputError(u.Recipe, err)
	}
	dir = filepath.Join(dir, fmt.Sprintf("checkpoint-%d", u.trainer.Done.Step))
	err := checkpoints.SaveDir(dir, func(tmp string) error {
		sums := checkpoints.Sums{}
		err := u.trainer.ema.during(func() error {
			if u.explainRounded() {
				return u.Model.SaveAs(tmp, u.Recipe.ExplainDType, 0)
			}
			return u.Model.SaveSummed(tmp, sums)
		})
		if err != nil {
			return err
		}
		err = writeJSON(filepath.Join(tmp, checkpoints.StateFile), map[string]int{"step": u.trainer.Done.Step})
		if err != nil {
			return err
		}
		return sums.Write(tmp)
	})
	if err != nil {
		return fmt.Errorf("train: keep the weights of step %d: %w", u.trainer.Done.Step, err)
	}
	return nil
}

// clearExplain removes what an earlier run kept.
func clearExplain(dir string) error {
	kept := filepath.Join(dir, explainDir)
	list, err := checkpoints.List(kept)
	if err != nil {
		return nil // there is none
	}
	for _, c := range list {
		if err := c.Remove(); err != nil {
			return mistake("output_dir %s: %w", dir, err)
		}
	}
	if err := checkpoints.Clean(kept); err != nil {
		return err
	}
	os.Remove(kept) // where there is something else in it, it stays
	return nil
}
