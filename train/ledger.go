package train

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"instruct/checkpoints"
	"instruct/model/pretrained"
	"instruct/train/record"
)

// Kinds of entries in the ledger of a run.
const (
	kindTrained  = "train"  // the run made its steps
	kindStopped  = "stop"   // it was stopped, and can go on
	kindImported = "import" // it was taken back from elsewhere, with a checkpoint to go on from
)

// ledgerRun is what an entry says of a run beside the hashes of files.
type ledgerRun struct {
	Time           string   `json:"time"`
	Author         string   `json:"author"` // who ran it
	Version        string   `json:"version"`
	BinaryHash     string   `json:"binary_sha256,omitempty"`
	Model          string   `json:"model"`
	TokenizerHash  string   `json:"tokenizer_sha256"`
	TemplateHash   string   `json:"template_sha256"`
	DataHash       string   `json:"train_ids_and_mask_sha256"`
	Rows           int      `json:"rows"`
	HeldOutRows    int      `json:"held_out_rows"`
	StepsMade      int      `json:"steps_made"`
	Steps          int      `json:"steps"`
	WeightsHash    string   `json:"weights_sha256,omitempty"` // of the final model in float32
	EvalLoss       *float64 `json:"eval_loss,omitempty"`
	ExactMatch     *float64 `json:"exact_match,omitempty"` // share of the lessons' suite
	ExactMatchFrom *float64 `json:"exact_match_before,omitempty"`
}

// record writes an entry of the run as it stands; text is run.json as it will be, or nil where it stays as it is.
func (u *run) record(m *Manifest, text []byte) error {
	dir, kind := u.Recipe.OutputDir, kindStopped
	now, err := record.Hashes(dir, recordedNames(dir)...)
	if err != nil {
		return err
	}
	if text != nil {
		kind = kindTrained
		sum := sha256.Sum256(text)
		now[manifestFile] = hex.EncodeToString(sum[:])
	}
	files, err := record.Changed(dir, now)
	if err != nil {
		return err
	}
	files.Outside = u.outside()
	return record.Append(dir, kind, ledgerRun{Time: time.Now().UTC().Format(time.RFC3339), Author: record.Author(""),
		Version: m.Version, BinaryHash: m.BinaryHash, Model: m.Model, TokenizerHash: m.TokenizerHash,
		TemplateHash: m.TemplateHash, DataHash: m.DataHash, Rows: m.Rows, HeldOutRows: m.HeldOutRows,
		StepsMade: u.trainer.Done.Step, Steps: m.Steps, WeightsHash: m.WeightsHash, EvalLoss: m.EvalLoss,
		ExactMatch: m.ExactMatch, ExactMatchFrom: m.ExactMatchFrom}, files)
}

// recordStop writes an entry of a run that was stopped.
func (u *run) recordStop() error {
	m, _, err := u.manifest()
	if err != nil {
		return err
	}
	return u.record(&m, nil)
}

// recordedNames are the files and folders of a run that its ledger names, as far as they are there.
func recordedNames(dir string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		if ReadsOfRun(e.Name()) {
			names = append(names, e.Name())
		}
	}
	return names
}

// ReadsOfRun tells whether a path in the folder of a run is one that a run writes, or that something is read from: the
// ledger names it.
func ReadsOfRun(path string) bool {
	first, _, inside := strings.Cut(path, "/")
	for _, prefix := range []string{"checkpoint-", "stage-", explainDir} {
		if strings.HasPrefix(first, prefix) {
			return true
		}
	}
	return !inside && path != record.File && slices.Contains(append(runFiles(), lineageFile, cardFile), path)
}

// outside are the files elsewhere that the run was made from, by their path from its folder.
func (u *run) outside() map[string]string {
	all := map[string]string{}
	dir := u.Recipe.OutputDir
	for _, f := range slices.Concat(u.origin.Data, u.origin.HeldOut) {
		all[record.From(dir, f.Path)] = f.Hash
	}
	for path, sum := range pretrained.ByPath(u.Recipe.ModelNameOrPath, u.origin.Base) {
		all[record.From(dir, path)] = sum
	}
	return all
}

// checkLedger holds a run against its ledger, where it has one.
func (v *verification) checkLedger(ctx context.Context) (bool, error) {
	if _, err := os.Stat(filepath.Join(v.dir, record.File)); err != nil {
		return false, nil
	}
	a, err := record.Verify(ctx, v.dir, record.AuditOptions{Reads: ReadsOfRun, Inside: true})
	if err != nil {
		return true, err
	}
	v.Checks = append(v.Checks, a.Checks...)
	return true, nil
}

// checkSums holds a run without a ledger, of an older program, against the hashes that it kept.
func (v *verification) checkSums() {
	if v.record.RecipeHash != "" {
		now, err := checkpoints.HashFile(filepath.Join(v.dir, recipeFile))
		if err != nil {
			now = err.Error()
		}
		v.same(recipeFile, v.record.RecipeHash, now)
	}
	list, err := checkpoints.List(v.dir)
	if err != nil {
		v.note("checkpoints", err.Error())
	}
	for _, c := range list {
		wrong := ""
		if err := checkpoints.CheckSums(c.Path); err != nil {
			wrong = err.Error()
		}
		v.note(filepath.Base(c.Path), wrong)
	}
}

// becomes is the folder that the run will lie in.
func (u *run) becomes() string { return cmp.Or(u.o.becomes, u.Recipe.OutputDir) }

// goOnWithLedger copies the record that the run goes on from, where there is none yet.
func (u *run) goOnWithLedger() error {
	path := filepath.Join(u.Recipe.OutputDir, record.File)
	if u.o.ledger == "" || fileThere(path) {
		return nil
	}
	text, err := os.ReadFile(u.o.ledger)
	if errors.Is(err, fs.ErrNotExist) { // a run of an older program
		return nil
	}
	if err != nil {
		return err
	}
	return checkpoints.WriteFile(path, text)
}
