package train

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"instruct/checkpoints"
	"instruct/model/kernel"
	"instruct/model/pretrained"
	"instruct/train/recipe"
	"instruct/train/record"
)

// lineageFile says where a run that was taken back has been.
const lineageFile = "lineage.json"

// lineage is lineage.json.
type lineage struct {
	Checkpoint   string `json:"checkpoint"` // that was handed over
	WeightsThere string `json:"weights_sha256_handed_over"`
	Folder       string `json:"handed_over_in"`
	From         int    `json:"steps_before"`
	To           int    `json:"steps_after"`
	Weights      string `json:"weights_sha256"`
}

// TakenBack is what [TakeBack] made.
type TakenBack struct {
	Checkpoint  string
	Step, Steps int
	WeightsHash string
}

// TakeBack makes a run of what the script of a folder of [HandOver] gave: out, with a checkpoint that training goes on
// from, the losses of the steps, and lineage.json; where all steps are made, the model as well.
func TakeBack(dir, out string) (*TakenBack, error) {
	h, st, err := readHandover(dir)
	if err != nil {
		return nil, err
	}
	result := filepath.Join(dir, handoverResult)
	rows, err := stepsMade(filepath.Join(result, metricsFile), h.Step)
	if err != nil {
		return nil, err
	}
	last, err := readStep(filepath.Join(dir, handoverPlan), h.Step+len(rows))
	if err != nil {
		return nil, err
	}
	m, err := pretrained.Outline(filepath.Join(result, handoverModel), "")
	if err != nil {
		return nil, err
	}
	if err := m.ReadWeights(kernel.F32); err != nil {
		return nil, err
	}
	defer m.Close()
	for _, t := range m.Tensors() {
		if slices.ContainsFunc(t.Data, func(v float32) bool { return !finite(float64(v)) }) {
			return nil, mistake("import %s: tensor %s has values that are no numbers; the run has diverged", result, t.Name)
		}
	}
	moments := filepath.Join(result, optimizerFile)
	if err := checkMoments(moments, m); err != nil {
		return nil, err
	}
	st.Counters, st.Place = last.Done, last.After
	st.Recipe.OutputDir = out
	back := &TakenBack{Checkpoint: checkpointDir(&st.Recipe, last.Step), Step: last.Step, Steps: h.Steps,
		WeightsHash: m.WeightsHash()}
	line := lineage{h.Checkpoint, h.WeightsHash, dir, h.Step, last.Step, back.WeightsHash}
	err = checkpoints.NewDir(out, func(tmp string) error {
		return writeTakenBack(tmp, m, moments, st, rows, line, h.Steps)
	})
	return back, err
}

// writeTakenBack fills the folder of the run.
func writeTakenBack(
	out string, m *pretrained.Model, moments string, st *state, rows []Metric, line lineage, steps int,
) error {
	dir := filepath.Join(out, fmt.Sprintf("checkpoint-%d", line.To))
	if err := os.Mkdir(dir, 0o777); err != nil {
		return err
	}
	if err := m.Save(dir); err != nil {
		return err
	}
	if line.To == steps {
		if err := m.Save(out); err != nil {
			return err
		}
	}
	if err := checkpoints.CopyFile(moments, filepath.Join(dir, optimizerFile)); err != nil {
		return err
	}
	hf := map[string]any{"global_step": line.To, "max_steps": steps, "num_input_tokens_seen": st.Counters.NumTokens,
		"log_history": rows}
	if err := writeJSON(filepath.Join(dir, trainerFile), hf); err != nil {
		return err
	}
	if err := writeJSON(filepath.Join(dir, checkpoints.StateFile), st); err != nil {
		return err
	}
	if err := checkpoints.WriteSums(dir); err != nil {
		return err
	}
	var text bytes.Buffer
	for _, row := range rows {
		line, err := json.Marshal(row)
		if err != nil {
			return err
		}
		text.Write(append(line, '\n'))
	}
	if err := checkpoints.WriteFile(filepath.Join(out, metricsFile), text.Bytes()); err != nil {
		return err
	}
	again := st.Recipe.For(st.Recipe.OutputDir)
	again.Resume, again.Overwrite = "", false
	yaml, err := again.YAML()
	if err != nil {
		return err
	}
	if err := checkpoints.WriteFile(filepath.Join(out, recipeFile), yaml); err != nil {
		return err
	}
	if err := writeJSON(filepath.Join(out, lineageFile), line); err != nil {
		return err
	}
	now, err := record.Hashes(out, recordedNames(out)...)
	if err != nil {
		return err
	}
	return record.Append(out, kindImported, ledgerImport{Time: time.Now().UTC().Format(time.RFC3339),
		Author: record.Author(""), lineage: line}, record.Files{Own: now})
}

// ledgerImport is what the first entry of a run that was taken back says.
type ledgerImport struct {
	Time   string `json:"time"`
	Author string `json:"author"` // who took it back
	lineage
}

// readHandover reads handover.json.
func readHandover(dir string) (h handover, st *state, err error) {
	path := filepath.Join(dir, handoverConfig)
	text, err := os.ReadFile(path)
	if err != nil {
		return h, nil, mistake("import %s: it is no folder of `instruct export RUN --to trl`: %s: %s", dir, handoverConfig,
			checkpoints.Reason(err))
	}
	st = &state{Recipe: recipe.Default()}
	if err = json.Unmarshal(text, &h); err == nil {
		err = json.Unmarshal(h.State, st)
	}
	if err != nil {
		return h, nil, mistake("import %s: %v", path, err)
	}
	return h, st, nil
}

// stepsMade reads the steps that the script made: all those after step, in order.
func stepsMade(path string, step int) ([]Metric, error) {
	rows, err := readSteps(path, step)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, mistake("import: nothing came back yet: %s: %s; run continue.py first", path, checkpoints.Reason(err))
	case err != nil:
		return nil, mistake("import %w", err)
	case len(rows) == 0:
		return nil, mistake("import %s: no step was made", path)
	}
	return rows, nil
}

// readStep finds a step in plan.jsonl.
func readStep(path string, step int) (s handoverStep, err error) {
	f, err := os.Open(path)
	if err != nil {
		return s, mistake("import: %s: %s", path, checkpoints.Reason(err))
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 64<<20)
	for n := 1; lines.Scan(); n++ {
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
			return s, mistake("import %s:%d: %v", path, n, err)
		}
		if s.Step == step {
			return s, nil
		}
	}
	return s, mistake("import %s: it has no step %d, which was made", path, step)
}

// checkMoments makes sure that a file has both moments of every tensor of the model.
func checkMoments(path string, m *pretrained.Model) error {
	src, err := checkpoints.OpenSafetensors(path)
	if err != nil {
		return err
	}
	defer src.Close()
	for _, t := range m.Tensors() {
		for _, prefix := range []string{"exp_avg.", "exp_avg_sq."} {
			if shape, ok := src.Shape(prefix + t.Name); !ok || !slices.Equal(shape, t.Shape) {
				return mistake("import %s: it has no %s of shape %v", path, prefix+t.Name, t.Shape)
			}
		}
	}
	return nil
}
