package train

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"instruct/checkpoints"
	"instruct/model"
	"instruct/model/ops"
)

// state is what a checkpoint holds beside weights and moments. The order of the rows is a function of seed and epoch, so
// a place in the data is two numbers.
type state struct {
	Step          int     `json:"step"`
	Epoch         int     `json:"epoch"`    // epoch of the next micro-batch, from 0
	Position      int     `json:"position"` // micro-batches of that epoch already used
	NumTokens     int     `json:"num_tokens"`
	TrainedTokens int     `json:"trained_tokens"`
	BestLoss      float64 `json:"best_eval_loss"`
	BestStep      int     `json:"best_step"` // 0: no evaluation yet
	Recipe        Recipe  `json:"recipe"`
	DataHash      string  `json:"data_hash"` // of all training ids and masks
}

// mayChange lists the keys that a resumed run may have other values of: they change no bit of what was computed, or
// (the length of the run) only what comes.
var mayChange = []string{"max_steps", "num_train_epochs", "eval_strategy", "eval_steps", "save_strategy", "save_steps", "save_total_limit",
	"load_best_model_at_end", "logging_steps", "output_dir", "overwrite_output_dir", "resume_from_checkpoint", "threads", "gradient_checkpointing"}

const momentMean, momentVariance = "exp_avg.", "exp_avg_sq."

// saveCheckpoint writes checkpoint-N: a whole Hugging Face folder with optimizer.safetensors, trainer_state.json and
// state.json. It appears whole or not at all.
func (t *trainer) saveCheckpoint() error {
	dst := filepath.Join(t.r.OutputDir, fmt.Sprintf("checkpoint-%d", t.st.Step))
	err := checkpoints.SaveDir(dst, func(tmp string) error {
		if err := t.assets.Save(tmp); err != nil {
			return err
		}
		m := named(momentMean, tensors(t.assets.Model, func(p *ops.Param) []float32 { return t.opt.m[p] }))
		v := named(momentVariance, tensors(t.assets.Model, func(p *ops.Param) []float32 { return t.opt.v[p] }))
		if err := checkpoints.WriteSafetensors(filepath.Join(tmp, "optimizer.safetensors"), append(m, v...), map[string]string{"format": "pt"}, checkpoints.F32); err != nil {
			return err
		}
		t.st.Recipe, t.st.DataHash = *t.r, t.dataHash
		hf := map[string]any{"global_step": t.st.Step, "epoch": t.epoch(), "max_steps": t.total, "num_input_tokens_seen": t.st.NumTokens,
			"train_batch_size": t.r.BatchSize, "logging_steps": t.r.LoggingSteps, "eval_steps": t.r.EvalSteps, "save_steps": t.r.SaveSteps,
			"is_local_process_zero": true, "is_world_process_zero": true, "log_history": t.metrics.history()}
		if t.st.BestStep > 0 {
			hf["best_metric"], hf["best_global_step"] = t.st.BestLoss, t.st.BestStep
		}
		if err := writeJSON(filepath.Join(tmp, "trainer_state.json"), hf); err != nil {
			return err
		}
		return writeJSON(filepath.Join(tmp, "state.json"), t.st)
	})
	if err != nil {
		return fmt.Errorf("train: save checkpoint of step %d: %w", t.st.Step, err)
	}
	t.saved = t.st.Step
	if t.st.BestStep > 0 {
		return checkpoints.Rotate(t.r.OutputDir, t.r.SaveLimit, t.st.BestStep)
	}
	return checkpoints.Rotate(t.r.OutputDir, t.r.SaveLimit)
}

func writeJSON(path string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return checkpoints.WriteFile(path, append(text, '\n'))
}

// findCheckpoint turns resume_from_checkpoint into a folder.
func findCheckpoint(r *Recipe) (string, error) {
	switch strings.ToLower(r.Resume) {
	case "", "false", "no":
		return "", nil
	case "true", "yes", "latest":
		if err := checkpoints.Recover(r.OutputDir); err != nil {
			return "", err
		}
		c, ok, err := checkpoints.Latest(r.OutputDir)
		if err != nil {
			return "", err
		}
		if !ok {
			return "", mistake("resume_from_checkpoint: there is no checkpoint in %s", r.OutputDir)
		}
		return c.Path, nil
	}
	if err := checkpoints.Recover(filepath.Dir(filepath.Clean(r.Resume))); err != nil {
		return "", err
	}
	if _, err := os.Stat(filepath.Join(r.Resume, checkpoints.StateFile)); err != nil {
		return "", mistake("resume_from_checkpoint: %s is no checkpoint: it has no readable state.json (%s)", r.Resume, errorText(err))
	}
	return r.Resume, nil
}

// restore loads moments and counters from a checkpoint; the weights were loaded with the assets.
func (t *trainer) restore(dir string) error {
	path := filepath.Join(dir, "state.json")
	text, err := os.ReadFile(path)
	if err != nil {
		return mistake("resume: %s: %s", path, errorText(err))
	}
	st := state{Recipe: DefaultRecipe()} // keys that are younger than the checkpoint have their defaults
	if err := json.Unmarshal(text, &st); err != nil {
		return mistake("resume: %s: %v", path, err)
	}
	if err := sameRecipe(dir, &st.Recipe, t.r); err != nil {
		return err
	}
	if st.DataHash != t.dataHash {
		return mistake("resume: the training data, tokenizer or template differ from those of %s; a resumed run must see the same rows", dir)
	}
	src, err := checkpoints.OpenSafetensors(filepath.Join(dir, "optimizer.safetensors"))
	if err != nil {
		return err
	}
	defer src.Close()
	read := func(prefix string, tensors []model.Tensor) error {
		for _, x := range tensors {
			if shape, ok := src.Shape(prefix + x.Name); !ok || !slices.Equal(shape, x.Shape) {
				return mistake("resume: %s: optimizer.safetensors has no %s of shape %v", dir, prefix+x.Name, x.Shape)
			}
			if err := src.Read(prefix+x.Name, x.Data); err != nil {
				return err
			}
		}
		return nil
	}
	if err := read(momentMean, tensors(t.assets.Model, func(p *ops.Param) []float32 { return t.opt.m[p] })); err != nil {
		return err
	}
	if err := read(momentVariance, tensors(t.assets.Model, func(p *ops.Param) []float32 { return t.opt.v[p] })); err != nil {
		return err
	}
	t.opt.steps, t.st, t.saved = st.Step, st, st.Step
	return nil
}

// sameRecipe checks that nothing that decides a run's bits has changed.
func sameRecipe(dir string, old, now *Recipe) error {
	a, b := reflect.ValueOf(old).Elem(), reflect.ValueOf(now).Elem()
	for i := range a.NumField() {
		key := a.Type().Field(i).Tag.Get("key")
		if !slices.Contains(mayChange, key) && text(a.Field(i)) != text(b.Field(i)) {
			return mistake("resume: %s is %q now and was %q in %s; a resumed run must keep it", key, text(b.Field(i)), text(a.Field(i)), dir)
		}
	}
	return nil
}

// runFiles are what a run writes into its folder beside checkpoints: what describes the weights goes first when an older
// run is replaced, so that nothing half removed looks like a model.
func runFiles() []string {
	return []string{"config.json", "run.json", "recipe.yaml", "metrics.jsonl", "loss.svg", "model.safetensors", "generation_config.json",
		"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja"}
}

// prepareOutput makes the output folder, or refuses one that holds something else than what checkpoint goes on with.
// An older run is removed here, so it must be called after everything that the new one reads was found good.
func prepareOutput(r *Recipe, checkpoint string) error {
	wrap := func(err error) error { return mistake("output_dir %s: %s", r.OutputDir, errorText(err)) }
	entries, err := os.ReadDir(r.OutputDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return wrap(err)
	}
	goesOn := checkpoint != "" && sameFile(filepath.Dir(filepath.Clean(checkpoint)), r.OutputDir)
	switch {
	case goesOn:
		if c, ok, err := checkpoints.Latest(r.OutputDir); err != nil {
			return err
		} else if ok && !sameFile(c.Path, checkpoint) {
			return mistake("resume_from_checkpoint: %s is older than %s beside it; remove the newer ones, or set another --output_dir", checkpoint, c.Path)
		}
	case len(entries) > 0 && !r.Overwrite:
		return mistake("output_dir %s is not empty; use --overwrite_output_dir to replace the run in it, --resume_from_checkpoint true to go on with it, or another --output_dir", r.OutputDir)
	case len(entries) > 0 && r.ModelNameOrPath != "" && replaces(r.OutputDir, r.ModelNameOrPath):
		return mistake("output_dir %s holds the model to tune, %s, and would be replaced; set another --output_dir", r.OutputDir, r.ModelNameOrPath)
	}
	if err := os.MkdirAll(r.OutputDir, 0o755); err != nil {
		return wrap(err)
	}
	if err := checkWritable(r.OutputDir); err != nil {
		return wrap(err)
	}
	if err := checkpoints.Clean(r.OutputDir); err != nil || goesOn {
		return err
	}
	return clearRun(r.OutputDir)
}

// checkWritable makes sure that a folder takes files before hours are spent.
func checkWritable(dir string) error {
	f, err := os.CreateTemp(dir, ".writable-*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// clearRun removes an older run's files and checkpoints, and nothing else.
func clearRun(dir string) error {
	remove := func(path string) error {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return mistake("output_dir %s: cannot remove %s: %s", dir, path, errorText(err))
		}
		return nil
	}
	for _, name := range runFiles() {
		if err := remove(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	list, err := checkpoints.List(dir)
	if err != nil {
		return err
	}
	for _, c := range list {
		// state.json goes first: what a kill leaves behind is no longer a whole checkpoint.
		if err := remove(filepath.Join(c.Path, checkpoints.StateFile)); err != nil {
			return err
		}
		if err := os.RemoveAll(c.Path); err != nil {
			return mistake("output_dir %s: cannot remove %s: %s", dir, c.Path, errorText(err))
		}
	}
	return nil
}

// sameFile tells whether two paths lead to the same existing file or folder.
func sameFile(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

// replaces tells whether clearing dir of a run would remove the model or checkpoint in path.
func replaces(dir, path string) bool {
	path = filepath.Clean(path)
	return sameFile(path, dir) || strings.HasPrefix(filepath.Base(path), "checkpoint-") && sameFile(filepath.Dir(path), dir)
}
