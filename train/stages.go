package train

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"instruct/checkpoints"
	"instruct/model"
	"instruct/model/pretrained"
	"instruct/train/recipe"
)

// staged is what a run knows of the stages that it is one of.
type staged struct {
	number, of int
	whole      *recipe.Recipe // with all stages; the last one, whose folder is that of the whole run, keeps it
	before     []stageResult
}

// stageResult is a stage in run.json.
type stageResult struct {
	Folder      string `json:"folder"` // beside run.json
	WeightsHash string `json:"weights_sha256"`
}

// stageDir is the folder of a stage, from 1: the last one's is that of the run.
func stageDir(r *recipe.Recipe, number, of int) string {
	if number == of {
		return r.OutputDir
	}
	return filepath.Join(r.OutputDir, stageName(number))
}

func stageName(number int) string { return fmt.Sprintf("stage-%d", number) }

// runStages makes one run of every stage, each on the model that the one before it made. Going on, stages that are done
// are left as they are.
func runStages(ctx context.Context, r recipe.Recipe, o Options) (res *Result, err error) {
	r = r.Resolved()
	stages, err := r.StageList()
	if err != nil {
		return nil, err
	}
	goOn, err := goesOnStaged(&r)
	if err != nil {
		return nil, err
	}
	if err := checkStages(&r, stages, goOn); err != nil {
		return nil, err
	}
	at := staged{of: len(stages), whole: &r}
	for i := range stages {
		s := &stages[i]
		at.number = i + 1
		s.OutputDir, s.Overwrite, s.Resume = stageDir(&r, at.number, at.of), true, ""
		if goOn {
			s.Resume = "auto"
		}
		if i > 0 {
			s.ModelNameOrPath, s.ModelConfig, s.TokenizerName = stageDir(&r, i, at.of), "", ""
		}
		hash, done, err := stageDone(s, goOn)
		if err != nil {
			return nil, err
		}
		if !done {
			if !o.Quiet {
				fmt.Fprintf(o.Log, "stage     %d of %d\n", at.number, at.of)
			}
			stage := o
			stage.staged = &at
			res, err = Run(ctx, *s, stage)
			if ctx.Err() != nil && at.number < at.of {
				return nil, at.stopped(s, o, err)
			}
			if err != nil {
				return nil, err
			}
			hash = res.WeightsHash
		}
		at.before = append(at.before, stageResult{stageName(at.number), hash})
	}
	return res, nil
}

// goesOnStaged tells whether a run of several stages goes on where it was stopped. As of a single run, auto begins anew
// where the run was finished.
func goesOnStaged(r *recipe.Recipe) (bool, error) {
	auto, goOn, err := r.GoesOn()
	switch {
	case err != nil || !goOn || !Finished(r.OutputDir):
		return goOn, err
	case auto:
		return false, nil
	}
	return false, mistake("resume_from_checkpoint: the run in %s is finished", r.OutputDir)
}

// stopped is the end of a run that was stopped in a stage, or right after it.
func (at *staged) stopped(s *recipe.Recipe, o Options, err error) error {
	_, done, _ := stageDone(s, true)
	if !done {
		return err
	}
	fmt.Fprintf(o.Log, "stage %d of %d is done\ngo on with %s\n", at.number, at.of, o.goOn())
	return ErrInterrupted
}

// checkStages refuses what a single run would refuse of its folder, and removes the stages of an older run.
func checkStages(r *recipe.Recipe, stages []recipe.Recipe, goOn bool) error {
	whole := *r
	whole.Overwrite = r.Overwrite || goOn // but only what is a run
	if err := checkOutput(&whole, ""); err != nil || goOn {
		return err
	}
	for i := range stages {
		if err := missing(&stages[i], i > 0); err != nil {
			return mistake("stage %d: %w", i+1, err)
		}
	}
	if err := checkAdapters(r, stages); err != nil {
		return err
	}
	older, err := olderStages(r)
	if err != nil {
		return err
	}
	for _, dir := range older {
		if err := removeRun(dir); err != nil {
			return err
		}
	}
	if !isRun(r.OutputDir) {
		return nil
	}
	return clearRun(r.OutputDir) // what an older run says of itself would be taken for the new one's
}

// checkAdapters refuses a stage that cannot train on the adapter that the stage before it leaves.
func checkAdapters(r *recipe.Recipe, stages []recipe.Recipe) error {
	left := "" // what leaves an adapter
	if r.ModelNameOrPath != "" && pretrained.IsAdapter(r.ModelNameOrPath) {
		left = r.ModelNameOrPath + " is"
	}
	for i := range stages {
		s := &stages[i]
		none := "adapter: none asks for training every weight"
		if s.Freezes() {
			none = "unfreeze_layers and unfrozen_parameters are of whole models"
		}
		if left != "" && (s.Adapter == "none" || s.Freezes()) {
			return mistake("stage %d: %s an adapter, and %s; stop before it, merge (`instruct model merge`), and make "+
				"another run of the rest", i+1, left, none)
		}
		if i > 0 && s.LoRAR > 0 && stages[i-1].LoRAR > 0 {
			_, err := adapterOf(s, &model.AdapterConfig{R: stages[i-1].LoRAR, Alpha: stages[i-1].LoRAAlpha,
				RSLoRA: stages[i-1].RSLoRA, DoRA: stages[i-1].DoRA})
			if err != nil {
				return mistake("stage %d: it trains on the adapter of stage %d: its lora_ keys must be the same", i+1, i)
			}
		}
		if s.LoRAR > 0 {
			left = fmt.Sprintf("stage %d makes", i+1)
		}
	}
	return nil
}

// olderStages are the folders of an older run's stages that are to be removed.
func olderStages(r *recipe.Recipe) (dirs []string, err error) {
	for number := 1; ; number++ {
		dir := filepath.Join(r.OutputDir, stageName(number))
		switch _, err := os.Stat(dir); {
		case errors.Is(err, fs.ErrNotExist):
			return dirs, nil
		case !isRun(dir):
			return nil, mistake("output_dir %s: %s is no run, and in the way of one", r.OutputDir, dir)
		case r.ModelNameOrPath != "" && replaces(dir, r.ModelNameOrPath):
			return nil, mistake("output_dir %s holds the model to tune, %s, and would be replaced; set another --output_dir",
				r.OutputDir, r.ModelNameOrPath)
		}
		dirs = append(dirs, dir)
	}
}

// removeRun removes an older run and its folder, which stays where there is something else in it.
func removeRun(dir string) error {
	if err := clearRun(dir); err != nil {
		return err
	}
	if err := os.Remove(dir); err != nil {
		return mistake("%s cannot be removed: %s", dir, checkpoints.Reason(err))
	}
	return nil
}

// stageDone tells whether a stage was finished, by the same recipe.
func stageDone(s *recipe.Recipe, goOn bool) (weights string, done bool, err error) {
	if !goOn || !Finished(s.OutputDir) {
		return "", false, nil
	}
	var m Manifest
	text, err := os.ReadFile(filepath.Join(s.OutputDir, manifestFile))
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	if err != nil {
		return "", false, err
	}
	saved := recipe.Default()
	if _, err := saved.Read(filepath.Join(s.OutputDir, recipeFile)); err != nil {
		return "", false, err
	}
	may := slices.Concat(mayChange, []string{"model_name_or_path", "dataset", "eval_dataset", "chat_template"})
	may = slices.DeleteFunc(may, func(key string) bool { return key == "max_steps" || key == "num_train_epochs" })
	now := recipe.Default()
	written, err := s.YAML()
	if err == nil {
		_, err = now.ParseYAML("stage", written)
	}
	if err != nil {
		return "", false, err
	}
	if key, now, before := now.Changed(&saved, may); key != "" {
		return "", false, mistake("resume: %s is %q now and was %q when the stage in %s was made; a resumed run must keep it",
			key, now, before, s.OutputDir)
	}
	return m.WeightsHash, true, nil
}
