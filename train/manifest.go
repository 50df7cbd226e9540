package train

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"instruct/checkpoints"
	"instruct/data"
	"instruct/model/kernel"
)

// namedDropped is how many rows that were left out are named in run.json.
const namedDropped = 100

// Manifest is run.json: what the run was made from, and what it gave.
type Manifest struct {
	Version        string            `json:"version"`
	Go             string            `json:"go"`
	Platform       string            `json:"platform"`
	Kernels        string            `json:"kernels"`
	CPUFeatures    []string          `json:"cpu_features"`
	BinaryHash     string            `json:"binary_sha256,omitempty"` // of the program that ran
	Threads        int               `json:"threads"`
	Arguments      []string          `json:"arguments"`
	Seed           int               `json:"seed"`
	DataSeed       int               `json:"data_seed"`
	Model          string            `json:"model"`
	BaseFiles      map[string]string `json:"base_files_sha256,omitempty"` // of Model, but for its tokenizer
	Parameters     int               `json:"parameters"`
	Files          map[string]string `json:"files_sha256"`
	RecipeHash     string            `json:"recipe_sha256"` // of recipe.yaml
	TokenizerHash  string            `json:"tokenizer_sha256"`
	TemplateHash   string            `json:"template_sha256"`
	DataHash       string            `json:"train_ids_and_mask_sha256"`
	Audit          *data.Audit       `json:"audit,omitempty"`            // of the training rows
	ReferenceHash  string            `json:"reference_sha256,omitempty"` // of a loss of preferences
	Rows           int               `json:"rows"`
	HeldOutRows    int               `json:"held_out_rows"`
	Withheld       int               `json:"withheld_rows,omitempty"` // among Rows: drop_rows names them
	FileRows       int               `json:"rows_of_files,omitempty"` // where a part of them was read
	Steps          int               `json:"steps"`
	Stages         []stageResult     `json:"stages,omitempty"` // those before, of a run of several
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

// writeManifest writes run.json and recipe.yaml, at the start and, with the result, at the end. run.json comes first:
// it makes the folder one of a run, which another may replace wherever this one is killed.
func (u *run) writeManifest(res *Result) error {
	m, recipe, err := u.manifest()
	if err != nil {
		return err
	}
	if res != nil {
		m.finish(res)
	}
	text, err := jsonText(m)
	if err != nil {
		return err
	}
	if res != nil && !u.o.scratch {
		if err := u.writePapers(&m); err != nil {
			return err
		}
		if err := u.record(&m, text); err != nil {
			return err
		}
	}
	if err := checkpoints.WriteFile(filepath.Join(u.Recipe.OutputDir, manifestFile), text); err != nil {
		return err
	}
	return checkpoints.WriteFile(filepath.Join(u.Recipe.OutputDir, recipeFile), recipe)
}

// manifest says what the run was made from, and gives the text of recipe.yaml.
func (u *run) manifest() (m Manifest, recipe []byte, err error) {
	r := u.Recipe
	again := *r // run again, the saved recipe starts anew and replaces nothing unasked
	st := u.o.staged
	if st != nil && st.number == st.of {
		again = *st.whole
	}
	again.Resume, again.Overwrite, again.OutputDir = "", false, u.becomes()
	again = again.For(r.OutputDir)
	if recipe, err = again.YAML(); err != nil {
		return m, nil, err
	}
	sum := sha256.Sum256(recipe)
	m = Manifest{Version: u.o.Version, RecipeHash: hex.EncodeToString(sum[:]), Go: runtime.Version(),
		Platform: runtime.GOOS + "/" + runtime.GOARCH,
		Kernels:  kernel.Path(), CPUFeatures: kernel.Features(), Threads: u.Pool.Threads(), Arguments: u.o.Args, Seed: r.Seed,
		DataSeed: r.DataSeed, Model: r.ModelNameOrPath, BaseFiles: u.origin.Base,
		Parameters: u.Model.Size(), Files: map[string]string{},
		TokenizerHash: u.Model.Tokenizer.Hash(), TemplateHash: u.Model.Template.Hash(), DataHash: u.rows.audit().Hash,
		ReferenceHash: u.referenceHash(), Rows: u.rows.count(), HeldOutRows: u.rows.countHeldOut(), Steps: u.Steps,
		Withheld: u.rows.train.Withheld(), FileRows: u.rows.beginning.Rows, Started: u.start.UTC().Format(time.RFC3339)}
	if m.Model == "" {
		m.Model = "made from scratch"
	}
	if exe, err := os.Executable(); err == nil && u.binary == "" { // where the program cannot be read, it stays empty
		u.binary, _ = checkpoints.HashFile(exe)
	}
	m.BinaryHash = u.binary
	audit := *u.rows.audit()
	audit.DroppedRows = audit.DroppedRows[:min(len(audit.DroppedRows), namedDropped)]
	m.Audit = &audit
	for _, f := range slices.Concat(u.origin.Data, u.origin.HeldOut) {
		m.Files[f.Path] = f.Hash
	}
	if st != nil && st.number == st.of {
		m.Stages = st.before
	}
	return m, recipe, nil
}

// finish fills in the result.
func (m *Manifest) finish(res *Result) {
	m.Finished = time.Now().UTC().Format(time.RFC3339)
	m.Seconds = res.Seconds
	m.WeightsHash = res.WeightsHash
	m.BestStep = res.BestStep
	m.Loss = &res.Loss
	if finite(res.EvalLoss) {
		m.EvalLoss = &res.EvalLoss
	}
	if res.Report != nil {
		before, after, asked := res.Report.Shares()
		m.ExactMatch = &after
		if asked {
			m.ExactMatchFrom = &before
		}
	}
}
