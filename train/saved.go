package train

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"instruct/checkpoints"
	"instruct/model/kernel"
	"instruct/model/pretrained"
	"instruct/train/recipe"
)

// Saved is a run as its folder tells it.
type Saved struct {
	Dir      string
	Manifest Manifest
	Recipe   recipe.Recipe
	Rows     []Metric // of metrics.jsonl; none where there is no such file
}

// ReadRun reads what the folder of a run says of it. What lies there may be a run that is not finished.
func ReadRun(dir string) (*Saved, error) {
	s, err := readSaved(dir)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, metricsFile)
	text, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return nil, mistake("%s: %s", path, checkpoints.Reason(err))
	}
	n := 0
	for line := range bytes.Lines(text) {
		n++
		if line[len(line)-1] != '\n' {
			break // of a process that was killed while it wrote
		}
		var row Metric
		if err := json.Unmarshal(line, &row); err != nil {
			return nil, mistake("%s:%d: %v", path, n, err)
		}
		s.Rows = append(s.Rows, row)
	}
	return s, nil
}

// readSaved reads a run's manifest and its recipe.
func readSaved(dir string) (*Saved, error) {
	s := &Saved{Dir: dir, Recipe: recipe.Default()}
	text, err := os.ReadFile(filepath.Join(dir, manifestFile))
	if err != nil {
		return nil, mistake("%s: %s; name the folder of a run", dir, checkpoints.Reason(err))
	}
	if err := json.Unmarshal(text, &s.Manifest); err != nil {
		return nil, mistake("%s: %s: %v", dir, manifestFile, err)
	}
	if _, err := s.Recipe.Read(filepath.Join(dir, recipeFile)); err != nil {
		return nil, mistake("%s: %w", dir, err)
	}
	return s, nil
}

// Finished tells whether the run made all its steps.
func (s *Saved) Finished() bool { return s.Manifest.Finished != "" }

// CheckWeights says what is wrong with the weights of a finished run: an error of reading them, or that they are not
// those that the run recorded.
func (s *Saved) CheckWeights() error {
	now, err := weightsHash(s.Dir)
	if err == nil && now != s.Manifest.WeightsHash {
		err = fmt.Errorf("the weights of %s are not those of the run: recorded sha256 %s, now %s", s.Dir,
			s.Manifest.WeightsHash, now)
	}
	return err
}

// weightsHash reads the weights of a model folder and hashes them.
func weightsHash(dir string) (string, error) {
	m, err := pretrained.Outline(dir, "")
	if err != nil {
		return "", err
	}
	if err := m.ReadWeights(kernel.F32); err != nil {
		return "", err
	}
	defer m.Close()
	return m.WeightsHash(), nil
}

// IsRun tells whether a folder is that of a run that has begun: it has a manifest and a recipe.
func IsRun(dir string) bool {
	for _, name := range []string{manifestFile, recipeFile} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			return false
		}
	}
	return true
}

// Aside are the keys that say nothing of what was trained how.
func Aside() []string {
	return []string{"output_dir", "overwrite_output_dir", "resume_from_checkpoint", "threads", "logging_steps",
		"gradient_checkpointing", "save_strategy", "save_steps", "save_total_limit", "report_to"}
}

// SameRecipe tells whether the run was made by a recipe; else the error names a key that differs. Where its folder
// lies, how often it is saved or said how far it is, and threads do not count.
func (s *Saved) SameRecipe(r recipe.Recipe) error {
	now, was := recipe.Default(), recipe.Default()
	r = r.Resolved().For(s.Dir)
	text, err := r.YAML()
	if err != nil {
		return err
	}
	if _, err := now.ParseYAML(recipeFile, text); err != nil {
		return err
	}
	path := filepath.Join(s.Dir, recipeFile)
	if text, err = os.ReadFile(path); err != nil {
		return mistake("%s: %s", path, checkpoints.Reason(err))
	}
	if _, err := was.ParseYAML(path, text); err != nil { // paths from its folder, as those of now
		return err
	}
	if now.DType == recipe.AutoDType {
		now.DType = was.DType
	}
	if key, is, before := now.Changed(&was, Aside()); key != "" {
		return mistake("%s holds a run of another recipe: %s is %q there, and %q here", s.Dir, key, before, is)
	}
	return nil
}
