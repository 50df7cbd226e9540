package train

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"instruct/checkpoints"
	"instruct/model/pretrained"
	"instruct/train/recipe"
)

// state is what a checkpoint holds beside weights and moments.
type state struct {
	Counters
	Place
	best
	origin
	beginning
	Recipe   recipe.Recipe `json:"recipe"`
	DataHash string        `json:"data_hash"` // of all training ids and masks

	ReferenceHash string `json:"reference_sha256,omitempty"` // of the file beside it
	Due           bool   `json:"evaluation_due,omitempty"`   // that of the last step was stopped
}

const (
	configFile    = "config.json"
	optimizerFile = "optimizer.safetensors"
	trainerFile   = "trainer_state.json" // the progress under the names that transformers uses
)

// mayChange lists the keys that a resumed run may have other values of: they change no bit of what was computed, or
// (the length of the run) only what comes.
var mayChange = []string{"max_steps", "num_train_epochs", "eval_strategy", "eval_steps", "save_strategy", "save_steps",
	"save_total_limit", "explain", "explain_dtype", "load_best_model_at_end", "logging_steps", "output_dir",
	"overwrite_output_dir", "resume_from_checkpoint", "threads", "gradient_checkpointing", "early_stopping_patience",
	"early_stopping_threshold",
	"report_to"}

func checkpointDir(r *recipe.Recipe, step int) string {
	return filepath.Join(r.OutputDir, fmt.Sprintf("checkpoint-%d", step))
}

// trainerState is trainer_state.json.
func (u *run) trainerState() map[string]any {
	r, done := u.Recipe, u.trainer.Done
	hf := map[string]any{"global_step": done.Step, "epoch": u.Cursor.Passes(), "max_steps": u.Steps,
		"num_input_tokens_seen": done.NumTokens, "train_batch_size": r.BatchSize, "logging_steps": r.LoggingSteps,
		"eval_steps": r.EvalSteps, "save_steps": r.SaveSteps, "is_local_process_zero": true, "is_world_process_zero": true,
		"log_history": history(u.metrics.rows)}
	if u.best.Step > 0 {
		hf["best_metric"], hf["best_global_step"] = u.best.Loss, u.best.Step
	}
	return hf
}

// mostHistory bounds trainer_state.json, which every checkpoint has anew; metrics.jsonl has every row.
const mostHistory = 1000

// history is at most about twice mostHistory of the rows: the last ones, and of those before every n-th.
func history(rows []Metric) []Metric {
	before := max(0, len(rows)-mostHistory)
	every := before/mostHistory + 1
	if every == 1 {
		return rows
	}
	var kept []Metric
	for i := 0; i < before; i += every {
		kept = append(kept, rows[i])
	}
	return append(kept, rows[before:]...)
}

func writeJSON(path string, v any) error {
	text, err := jsonText(v)
	if err != nil {
		return err
	}
	return checkpoints.WriteFile(path, text)
}

// jsonText is a value as the files of a run have it.
func jsonText(v any) ([]byte, error) {
	text, err := json.MarshalIndent(v, "", "  ")
	return append(text, '\n'), err
}

// findCheckpoint turns resume_from_checkpoint into a folder whose files are as they were written. The notes name newer
// checkpoints of the run that are damaged.
func findCheckpoint(r *recipe.Recipe) (path string, notes []string, err error) {
	switch strings.ToLower(r.Resume) {
	case "", "false", "no":
		return "", nil, nil
	case "auto":
		if _, err := os.Stat(filepath.Join(r.OutputDir, manifestFile)); err != nil || Finished(r.OutputDir) {
			return "", nil, nil
		}
		path, notes, _, err = newestOf(r.OutputDir)
		return path, notes, err
	case "true", "yes", "latest":
		path, notes, of, err := newestOf(r.OutputDir)
		if err == nil && of == 0 {
			err = mistake("resume_from_checkpoint: there is no checkpoint in %s", r.OutputDir)
		}
		return path, notes, err
	}
	if err := checkpoints.Recover(filepath.Dir(filepath.Clean(r.Resume))); err != nil {
		return "", nil, err
	}
	if path, notes, of, err := newestOf(r.Resume); err != nil || of > 0 { // a run: its last checkpoint is meant
		return path, notes, err
	}
	if _, err := os.Stat(filepath.Join(r.Resume, checkpoints.StateFile)); err != nil {
		return "", nil, mistake("resume_from_checkpoint: %s is no checkpoint: it has no readable state.json (%s)%s",
			r.Resume, checkpoints.Reason(err), foreignCheckpoint(r.Resume))
	}
	if err := checkpoints.CheckSums(r.Resume); err != nil {
		return "", nil, mistake("resume_from_checkpoint: %w; go on from another checkpoint", err)
	}
	return r.Resume, nil, nil
}

// newestOf is the newest checkpoint of a run that is not damaged, of how many there are.
func newestOf(dir string) (path string, notes []string, of int, err error) {
	if err := checkpoints.Recover(dir); err != nil {
		return "", nil, 0, err
	}
	c, ok, damaged, err := checkpoints.Newest(dir)
	if err != nil || !ok && len(damaged) == 0 {
		return "", nil, 0, err
	}
	if !ok {
		return "", nil, len(damaged), mistake("resume_from_checkpoint: no checkpoint of %s is as it was written: %w; "+
			"begin anew with --overwrite_output_dir", dir, damaged[0])
	}
	for _, d := range damaged {
		notes = append(notes, fmt.Sprintf("a newer checkpoint is passed over: %v", d))
	}
	return c.Path, notes, len(damaged) + 1, nil
}

// foreignCheckpoint says what to do with a folder that other programs go on from.
func foreignCheckpoint(dir string) string {
	for _, name := range []string{"optimizer.pt", "optimizer.bin", "scheduler.pt", configFile} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return "; its weights can be tuned as a model, with --model_name_or_path " + dir
		}
	}
	return ""
}

// checkWhole refuses a checkpoint that lacks a file that the run needs to go on, before anything is read.
func checkWhole(dir string) error {
	if dir == "" {
		return nil
	}
	model := []string{configFile, "model.safetensors"}
	if pretrained.IsAdapter(dir) {
		model = []string{"adapter_model.safetensors"}
	}
	for _, name := range append(model, "tokenizer.json", optimizerFile) {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			return mistake("resume_from_checkpoint: %s is not whole: %s: %s; go on from another checkpoint", dir, name,
				checkpoints.Reason(err))
		}
	}
	return nil
}

// possible refuses a state that no step of this run can have left.
func (u *run) possible(st *state) error {
	if st.Counters.Step < 1 || st.NumTokens < 0 || st.TrainedTokens < 0 {
		return fmt.Errorf("step %d after %d tokens, %d of them trained, is no step of a run", st.Counters.Step, st.NumTokens,
			st.TrainedTokens)
	}
	if st.best.Step < 0 || st.best.Step > st.Counters.Step {
		return fmt.Errorf("the best step is %d of %d", st.best.Step, st.Counters.Step)
	}
	return u.Cursor.reached(st.Place, st.Counters.Step)
}

// restore loads moments and counters from a checkpoint; the weights, or their average, were loaded with the model.
func (u *run) restore(dir string) error {
	st, err := readState(dir)
	if err != nil {
		return mistake("resume: %w", err)
	}
	if err := u.sameRun(st, dir); err != nil {
		return err
	}
	if err := u.possible(st); err != nil {
		return mistake("resume: %s: %w; go on from another checkpoint", filepath.Join(dir, checkpoints.StateFile), err)
	}
	if st.ReferenceHash != "" {
		f, err := readReference(dir, st.ReferenceHash)
		if err != nil {
			return err
		}
		u.use(f)
	}
	if err := u.Setup.restoreMoments(u.trainer, dir, st); err != nil {
		return err
	}
	u.Cursor.Place = st.Place
	u.best = st.best
	u.due = st.Due
	u.saved = st.Counters.Step
	return nil
}

// readState reads the state.json of a checkpoint.
func readState(dir string) (*state, error) {
	path := filepath.Join(dir, checkpoints.StateFile)
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %s", path, checkpoints.Reason(err))
	}
	st := state{Recipe: recipe.Default()} // keys that are younger than the checkpoint have their defaults
	if err := json.Unmarshal(text, &st); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &st, nil
}

// restoreMoments gives a trainer the moments of a checkpoint, the weights under an average, and the counters.
func (s *Setup) restoreMoments(t *Trainer, dir string, st *state) error {
	src, err := checkpoints.OpenSafetensors(filepath.Join(dir, optimizerFile))
	if err != nil {
		return err
	}
	defer src.Close()
	for _, x := range t.tensors() {
		if shape, ok := src.Shape(x.Name); !ok || !slices.Equal(shape, x.Shape) {
			return mistake("resume: %s: %s has no %s of shape %v", dir, optimizerFile, x.Name, x.Shape)
		}
		if err := src.Read(x.Name, x.Data); err != nil {
			return err
		}
	}
	t.opt.steps = st.Counters.Step
	t.Done = st.Counters
	return nil
}
