package train

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"time"
	"unsafe"

	"instruct/checkpoints"
	"instruct/model"
	"instruct/model/kernel"
)

// finish writes the result of a run that has made all its steps.
func (t *trainer) finish(ctx context.Context, before []bool) (*Result, error) {
	t.progress.done()
	if t.r.LoadBest && t.st.BestStep > 0 && t.st.BestStep != t.st.Step {
		dir := filepath.Join(t.r.OutputDir, fmt.Sprintf("checkpoint-%d", t.st.BestStep))
		src, err := checkpoints.OpenFolder(dir)
		if err != nil {
			return nil, err
		}
		defer src.Close()
		if err := t.assets.Model.Load(dir, src); err != nil {
			return nil, err
		}
		if err := t.assets.Model.Refresh(t.pool); err != nil { // the held-out instructions are answered from it
			return nil, err
		}
		fmt.Fprintf(t.o.Log, "loaded the best checkpoint, of step %d\n", t.st.BestStep)
	}
	if err := t.assets.Save(t.r.OutputDir); err != nil {
		return nil, err
	}
	if err := checkpoints.WriteFile(filepath.Join(t.r.OutputDir, "loss.svg"), lossChart(t.metrics.rows)); err != nil {
		return nil, err
	}
	res := &Result{OutputDir: t.r.OutputDir, Steps: t.st.Step, EvalLoss: math.NaN(), BestLoss: t.st.BestLoss, BestStep: t.st.BestStep,
		WeightsHash: WeightsHash(t.assets.Model)}
	for _, m := range t.metrics.rows { // a resumed run may have had no step to make
		if m.Loss != nil {
			res.Loss = *m.Loss
		}
		if m.EvalLoss != nil {
			res.EvalLoss = *m.EvalLoss
		}
	}
	if t.set.lessons {
		var err error
		if res.Lessons, err = t.reportLessons(ctx, before); err != nil {
			return nil, err
		}
	}
	return res, nil
}

// WeightsHash is the sha256 of all parameters in order, as little-endian float32.
func WeightsHash(m *model.Model) string {
	h := sha256.New()
	for _, x := range m.Tensors() {
		if len(x.Data) > 0 {
			h.Write(unsafe.Slice((*byte)(unsafe.Pointer(&x.Data[0])), 4*len(x.Data)))
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// manifest is run.json: what the run was made from, and what it gave.
type manifest struct {
	Version        string            `json:"version"`
	Go             string            `json:"go"`
	Platform       string            `json:"platform"`
	Kernels        string            `json:"kernels"`
	CPUFeatures    []string          `json:"cpu_features"`
	BinaryHash     string            `json:"binary_sha256,omitempty"` // of the program that ran
	Threads        int               `json:"threads"`
	Arguments      []string          `json:"arguments"`
	Seed           int               `json:"seed"`
	Model          string            `json:"model"`
	Parameters     int               `json:"parameters"`
	Files          map[string]string `json:"files_sha256"`
	TokenizerHash  string            `json:"tokenizer_sha256"`
	TemplateHash   string            `json:"template_sha256"`
	DataHash       string            `json:"train_ids_and_mask_sha256"`
	Rows           int               `json:"rows"`
	HeldOutRows    int               `json:"held_out_rows"`
	Steps          int               `json:"steps"`
	Started        string            `json:"started"`
	Finished       string            `json:"finished,omitempty"`
	Seconds        float64           `json:"seconds,omitempty"`
	Loss           *float64          `json:"loss,omitempty"`
	EvalLoss       *float64          `json:"eval_loss,omitempty"`
	BestStep       int               `json:"best_step,omitempty"`
	WeightsHash    string            `json:"weights_sha256,omitempty"`
	ExactMatch     *float64          `json:"exact_match,omitempty"`
	ExactMatchFrom *float64          `json:"exact_match_before,omitempty"`
}

// writeManifest writes run.json and recipe.yaml, at the start and, with the result, at the end.
func (t *trainer) writeManifest(start time.Time, res *Result) error {
	again := *t.r // run again, the saved recipe starts anew and replaces nothing unasked
	again.Resume, again.Overwrite = "", false
	recipe, err := again.YAML()
	if err != nil {
		return err
	}
	if err := checkpoints.WriteFile(filepath.Join(t.r.OutputDir, "recipe.yaml"), recipe); err != nil {
		return err
	}
	name := t.r.ModelNameOrPath
	if name == "" {
		name = "made from scratch"
	}
	m := manifest{Version: t.o.Version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, Kernels: kernel.Path(), CPUFeatures: kernel.Features(),
		Threads: t.pool.Threads(), Arguments: t.o.Args, Seed: t.r.Seed, Model: name, Parameters: t.assets.Model.Size(), Files: map[string]string{},
		TokenizerHash: t.assets.Tokenizer.Hash(), TemplateHash: t.assets.Template.Hash(), DataHash: t.dataHash,
		Rows: len(t.set.train), HeldOutRows: len(t.set.heldOut), Steps: t.total, Started: start.UTC().Format(time.RFC3339)}
	if exe, err := os.Executable(); err == nil { // where the program cannot be read, the field stays empty
		m.BinaryHash, _ = hashFile(exe)
	}
	for _, list := range [][]string{t.r.Dataset, t.r.EvalDataset} {
		for _, path := range list {
			if path == "lessons" {
				continue
			}
			if m.Files[path], err = hashFile(path); err != nil {
				return err
			}
		}
	}
	if res != nil {
		m.Finished, m.Seconds, m.WeightsHash, m.BestStep = time.Now().UTC().Format(time.RFC3339), res.Seconds, res.WeightsHash, res.BestStep
		m.Loss = &res.Loss
		if finite(res.EvalLoss) {
			m.EvalLoss = &res.EvalLoss
		}
		if l := res.Lessons; l != nil {
			m.ExactMatch = &l.After
			if l.HasBefore {
				m.ExactMatchFrom = &l.Before
			}
		}
	}
	return writeJSON(filepath.Join(t.r.OutputDir, "run.json"), m)
}

func hashFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("train: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("train: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
