package train

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"instruct/checkpoints"
	"instruct/model/pretrained"
	"instruct/train/recipe"
	"instruct/train/record"
)

// What a run writes into its folder beside the model and its checkpoints.
const (
	manifestFile = "run.json"
	recipeFile   = "recipe.yaml"
	metricsFile  = "metrics.jsonl"
	chartFile    = "loss.svg"
	eventsFile   = "events.out.tfevents.1.instruct" // TensorBoard reads what has tfevents in its name
)

// runFiles are what a run writes into its folder beside checkpoints: what describes the weights goes first when an
// older run is replaced, so that nothing half removed looks like a model.
func runFiles() []string {
	return slices.Concat(pretrained.Files(), []string{manifestFile, recipeFile, metricsFile, chartFile, eventsFile,
		referenceFile, samplesFile, pageFile, record.File})
}

// outputError is the error of the output folder.
func outputError(r *recipe.Recipe, err error) error {
	return mistake("output_dir %s: %s", r.OutputDir, checkpoints.Reason(err))
}

// goesOn tells whether the run goes on in the folder of its checkpoint.
func goesOn(r *recipe.Recipe, checkpoint string) bool {
	return checkpoint != "" && recipe.SameFile(filepath.Dir(filepath.Clean(checkpoint)), r.OutputDir)
}

// checkOutput refuses an output folder that holds something else than an earlier run that may be replaced, or what
// checkpoint goes on with. It changes nothing.
func checkOutput(r *recipe.Recipe, checkpoint string) error {
	entries, err := os.ReadDir(r.OutputDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return outputError(r, err)
	}
	entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool { // such as .gitkeep
		return strings.HasPrefix(e.Name(), ".") && !strings.HasPrefix(e.Name(), ".checkpoint-")
	})
	switch {
	case goesOn(r, checkpoint):
		return checkNewest(r.OutputDir, checkpoint)
	case len(entries) > 0 && !r.Overwrite:
		return mistake("output_dir %s is not empty; use --overwrite_output_dir to replace the run in it, "+
			"--resume_from_checkpoint true to go on with it, or another --output_dir", r.OutputDir)
	case len(entries) > 0 && r.ModelNameOrPath != "" && replaces(r.OutputDir, r.ModelNameOrPath):
		return mistake("output_dir %s holds the model to tune, %s, and would be replaced; set another --output_dir",
			r.OutputDir, r.ModelNameOrPath)
	case len(entries) > 0 && !isRun(r.OutputDir):
		return mistake("output_dir %s holds no earlier run (no %s, no checkpoint), so --overwrite_output_dir replaces "+
			"nothing in it; set another --output_dir", r.OutputDir, manifestFile)
	}
	return nil
}

// checkNewest refuses a checkpoint of a run that has a newer one which is not damaged.
func checkNewest(dir, checkpoint string) error {
	list, err := checkpoints.List(dir)
	for _, c := range slices.Backward(list) {
		if recipe.SameFile(c.Path, checkpoint) {
			break
		}
		if checkpoints.CheckSums(c.Path) == nil {
			return mistake("resume_from_checkpoint: %s is older than %s beside it; remove the newer ones, "+
				"or set another --output_dir", checkpoint, c.Path)
		}
	}
	return err
}

// lock keeps other runs out of the output folder, as soon as there is one, until the run is closed.
func (u *run) lock(dir string) error {
	if u.unlock != nil {
		return nil
	}
	unlock, ok, err := checkpoints.Lock(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return mistake("output_dir %s: %s", dir, checkpoints.Reason(err))
	case !ok:
		return mistake("output_dir %s: another run is at work in it; wait for its end, or set another --output_dir", dir)
	}
	u.unlock = unlock
	return nil
}

// isRun tells whether a folder is that of a run, if only one that was stopped early.
func isRun(dir string) bool {
	for _, name := range []string{manifestFile, metricsFile} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return true
		}
	}
	if list, _ := checkpoints.List(dir); len(list) > 0 {
		return true
	}
	first := filepath.Join(dir, stageName(1)) // of a run that was stopped in it
	return filepath.Base(dir) != stageName(1) && isRun(first)
}

// makeOutput makes the output folder, keeps other runs out of it, and prepares it.
func (u *run) makeOutput() error {
	r := u.Recipe
	if err := os.MkdirAll(r.OutputDir, 0o755); err != nil {
		return outputError(r, err)
	}
	if err := u.lock(r.OutputDir); err != nil {
		return err
	}
	return prepareOutput(r, u.resumed)
}

// prepareOutput makes the folder that is there ready for a run, or refuses it as [checkOutput] does. An older run is
// removed here, so it must be called after everything that the new one reads was found good.
func prepareOutput(r *recipe.Recipe, checkpoint string) error {
	if err := checkOutput(r, checkpoint); err != nil {
		return err
	}
	wrap := func(err error) error { return outputError(r, err) }
	if err := checkWritable(r.OutputDir); err != nil {
		return wrap(err)
	}
	err := errors.Join(checkpoints.Clean(r.OutputDir), checkpoints.Clean(filepath.Join(r.OutputDir, explainDir)),
		checkpoints.Sweep(r.OutputDir))
	if err != nil || goesOn(r, checkpoint) {
		return err
	}
	return clearRun(r.OutputDir)
}

// checkWritable makes sure that a folder takes files before hours are spent.
func checkWritable(dir string) error {
	f, err := os.CreateTemp(dir, ".writable.tmp-*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// clearRun removes an older run's files and checkpoints, and nothing else. run.json goes last: wherever this is killed,
// the folder stays one of a run, which the next start may replace.
func clearRun(dir string) error {
	remove := func(name string) error {
		path := filepath.Join(dir, name)
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return mistake("output_dir %s: cannot remove %s: %s", dir, path, checkpoints.Reason(err))
		}
		return nil
	}
	for _, name := range runFiles() {
		if name == manifestFile {
			continue
		}
		if err := remove(name); err != nil {
			return err
		}
	}
	if err := clearExplain(dir); err != nil {
		return err
	}
	if err := removeBundles(dir); err != nil {
		return mistake("output_dir %s: %w", dir, err)
	}
	if err := removeCard(dir); err != nil {
		return mistake("output_dir %s: %s", dir, checkpoints.Reason(err))
	}
	list, err := checkpoints.List(dir)
	for _, c := range list {
		if err := c.Remove(); err != nil {
			return mistake("output_dir %s: %w", dir, err)
		}
	}
	if err != nil {
		return err
	}
	return remove(manifestFile)
}

// replaces tells whether clearing dir of a run would remove the model or checkpoint in path.
func replaces(dir, path string) bool {
	path = filepath.Clean(path)
	checkpoint := strings.HasPrefix(filepath.Base(path), "checkpoint-")
	return recipe.SameFile(path, dir) || checkpoint && recipe.SameFile(filepath.Dir(path), dir)
}
