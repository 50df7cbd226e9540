package train

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"instruct/checkpoints"
	"instruct/data"
	"instruct/train/recipe"
	"instruct/train/record"
)

// kindForgot is the kind of an entry in the ledger of a run of which rows were forgotten.
const kindForgot = "forget"

// Forgetting is a run of which rows are to be forgotten: the run again with them withheld, as drop_rows has it, from
// the last checkpoint before the first step that used one of them. Up to there the two runs are the same.
type Forgetting struct {
	Dir     string
	Rows    []string // their sources
	Alike   []string // other rows that were trained and say almost the same
	First   int      // the first step that used one of them; 0: none did
	From    int      // the step of the checkpoint that is gone on from; 0: the beginning
	Steps   int      // of the run
	Seconds float64  // that the steps from there took
	Gone    []string // what the new run will not have: weights that saw the rows
	Notes   []string

	recipe  recipe.Recipe // with the rows withheld
	weights string        // of the run as it is
	data    string        // hash of ids and mask with the rows withheld
	hashes  []string      // of the rows
	o       Options
}

// Forgotten is what came of it.
type Forgotten struct {
	Before, Now string // sha256 of the weights in float32
	Kept        []string
}

// PlanForget finds the rows of a run, given as drop_rows has them, or as a file (@FILE) of the rows themselves, and
// what forgetting them takes. It changes nothing.
func PlanForget(ctx context.Context, dir string, rows []string, o Options) (*Forgetting, error) {
	s, err := readSaved(dir)
	if err != nil {
		return nil, mistake("forget %w", err)
	}
	m := &s.Manifest
	f := &Forgetting{Dir: dir, recipe: s.Recipe, weights: m.WeightsHash, o: o}
	if why := f.cannot(m); why != "" {
		return nil, mistake("forget %s: %s", dir, why)
	}
	steps, err := readSteps(filepath.Join(dir, metricsFile), 0)
	if err != nil {
		return nil, mistake("forget: %w", err)
	}
	f.Steps = len(steps)
	before, err := f.read(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer before.Close()
	if now := before.rows.audit().Hash; now != m.DataHash {
		return nil, mistake("forget %s: its data, tokenizer or template are not those that it was trained on (hash of ids "+
			"and mask %.12s, recorded %.12s); `instruct verify %[1]s --steps 1` names what differs", dir, now, m.DataHash)
	}
	if rows, err = f.named(ctx, before, rows); err != nil {
		return nil, err
	}
	after, err := f.read(ctx, rows)
	if err != nil {
		return nil, err
	}
	defer after.Close()
	f.recipe.DropRows, f.data = after.Recipe.DropRows, after.rows.audit().Hash
	if err := f.find(ctx, before, after, steps); err != nil {
		return nil, err
	}
	f.findCheckpoint()
	f.Seconds = m.Seconds * float64(f.Steps-f.From) / float64(max(1, f.Steps))
	if f.recipe.TokenizerName == "bpe" && f.recipe.ModelNameOrPath == "" {
		f.Notes = append(f.Notes, "the tokenizer was trained on all rows, and stays; train anew without them to change it")
	}
	return f, nil
}

// cannot is why rows of a run cannot be forgotten, "" where they can.
func (f *Forgetting) cannot(m *Manifest) string {
	switch _, prefers := f.recipe.Preference(); {
	case m.Finished == "":
		return "it is not finished; go on with it first (--resume_from_checkpoint true)"
	case f.recipe.Stages != "":
		return "it was trained in stages, each on the model of the one before; train anew with drop_rows in its stages"
	case prefers:
		return "its loss is of preferences (loss_type " + f.recipe.LossType + "), where a row cannot be withheld; train " +
			"anew without the rows"
	}
	return ""
}

// read reads the rows of the run, more of them withheld.
func (f *Forgetting) read(ctx context.Context, rows []string) (*Setup, error) {
	r := f.recipe.Resolved()
	r.DropRows = slices.Concat(r.DropRows, rows)
	r.OutputDir = os.TempDir() // nothing is written but tokens that do not fit the memory
	return NewSetup(ctx, &r, SetupOptions{Model: f.Dir, SkipHeldOut: true, Log: f.o.Log, Terminal: f.o.Terminal,
		Available: f.o.Available})
}

// find finds the rows, the first step that used one, and others that say almost the same.
func (f *Forgetting) find(ctx context.Context, before, after *Setup, steps []Metric) error {
	past := &Past{Setup: after, recipe: f.recipe, Steps: steps}
	trained, wanted := map[string]bool{}, map[string]bool{}
	examples := map[int]bool{}
	for i := range past.Rows() {
		was, err := before.rows.train.Example(i)
		if err != nil {
			return err
		}
		now, err := past.Row(i)
		if err != nil {
			return err
		}
		if !now.Withheld {
			trained[now.Source] = true
		}
		if !now.Withheld || was.Withheld {
			continue
		}
		examples[i] = true
		if !wanted[now.Source] {
			wanted[now.Source] = true
			f.Rows = append(f.Rows, now.Source)
		}
		f.hashes = append(f.hashes, data.Hash([]data.Example{was}))
	}
	if len(f.Rows) == 0 {
		return mistake("forget %s: none of the rows was trained; there is nothing to forget", f.Dir)
	}
	for step, rows := range past.Visits() {
		if slices.ContainsFunc(rows, func(i int) bool { return examples[i] }) {
			f.First = step + 1
			break
		}
	}
	var texts []data.Row
	for row, err := range past.DataRows(ctx) {
		if err == nil && wanted[row.Source] {
			texts = append(texts, row)
		}
	}
	alike, err := data.Alike(texts, past.DataRows(ctx))
	if err != nil {
		return err
	}
	for _, source := range slices.Concat(alike...) {
		if trained[source] && !slices.Contains(f.Alike, source) {
			f.Alike = append(f.Alike, source)
		}
	}
	slices.Sort(f.Alike)
	return nil
}

// findCheckpoint finds the last whole checkpoint before the rows were used.
func (f *Forgetting) findCheckpoint() {
	last := f.Steps
	if f.First > 0 {
		last = f.First - 1
	}
	for _, below := range []string{"", explainDir} {
		list, _ := checkpoints.List(filepath.Join(f.Dir, below))
		for _, c := range list {
			if err := checkpoints.CheckSums(c.Path); err != nil {
				f.Notes = append(f.Notes, fmt.Sprintf("a checkpoint is passed over: %v", err))
			} else if c.Step <= last && below == "" {
				f.From = c.Step
			}
			if c.Step > last {
				f.Gone = append(f.Gone, filepath.Join(below, filepath.Base(c.Path)))
			}
		}
	}
}

// making is the folder in which the run is made again; it is put into the place of the old one when it is whole.
func (f *Forgetting) making() string {
	dir := filepath.Clean(f.Dir)
	return filepath.Join(filepath.Dir(dir), "."+filepath.Base(dir)+".forgetting")
}

// MendForget puts right what a process left that was killed while it put a new run or behaviour into the place of dir.
func MendForget(dir string) error {
	if path, err := filepath.Abs(dir); err == nil {
		dir = path
	}
	return checkpoints.PutBack(dir)
}

// Do makes the run again and puts it into the place of the old one, which stays until then. What was stopped goes on
// when it is called again with the same rows.
func (f *Forgetting) Do(ctx context.Context) (*Forgotten, error) {
	unlock, ok, err := checkpoints.Lock(f.Dir)
	if err != nil {
		return nil, mistake("forget %s: %s", f.Dir, checkpoints.Reason(err))
	}
	if !ok {
		return nil, mistake("forget %s: another run is at work in it; wait for its end", f.Dir)
	}
	defer unlock()
	resume, err := f.prepare()
	if err != nil {
		return nil, err
	}
	making := f.making()
	if !Finished(making) {
		r := f.recipe
		r.OutputDir, r.Resume, r.Overwrite = making, resume, true
		o := f.o
		o.Out, o.becomes, o.ledger = io.Discard, f.Dir, filepath.Join(f.Dir, record.File)
		if _, err := Run(ctx, r, o); err != nil {
			return nil, err
		}
	}
	s, err := readSaved(making)
	if err != nil {
		return nil, err
	}
	out := &Forgotten{Before: f.weights, Now: s.Manifest.WeightsHash}
	if out.Kept, err = f.carry(); err != nil {
		return nil, err
	}
	if err := f.record(out); err != nil {
		return nil, err
	}
	return out, checkpoints.ReplaceDir(f.Dir, making)
}

// prepare makes the folder with what both runs have, or finds the one of before. It gives what the run goes on from.
func (f *Forgetting) prepare() (resume string, err error) {
	making := f.making()
	if fileThere(filepath.Join(making, manifestFile)) {
		was := recipe.Default()
		if _, err := was.Read(filepath.Join(making, recipeFile)); err != nil {
			return "", mistake("forget: %w", err)
		}
		if slices.Equal(was.DropRows, f.recipe.DropRows) {
			return "auto", nil
		}
		fmt.Fprintf(f.o.Log, "note: other rows were being forgotten before; that is begun anew with these\n")
	}
	if err := os.RemoveAll(making); err != nil {
		return "", err
	}
	if f.From == 0 {
		return "", nil
	}
	err = checkpoints.SaveDir(making, f.begin)
	return filepath.Join(making, filepath.Base(checkpointDir(&f.recipe, f.From))), err
}

// begin fills the folder with the steps that both runs have.
func (f *Forgetting) begin(tmp string) error {
	for _, below := range []string{"", explainDir} {
		list, err := checkpoints.List(filepath.Join(f.Dir, below))
		if err != nil {
			return err
		}
		for _, c := range list {
			if c.Step > f.From || checkpoints.CheckSums(c.Path) != nil {
				continue
			}
			to := filepath.Join(tmp, below, filepath.Base(c.Path))
			if err := checkpoints.Link(c.Path, to); err != nil {
				return err
			}
			if below == "" {
				if err := f.withhold(to); err != nil {
					return err
				}
			}
		}
	}
	s, err := ReadRun(f.Dir)
	if err != nil {
		return err
	}
	var text []byte
	for _, row := range s.Rows {
		if row.Step > f.From {
			continue
		}
		line, err := json.Marshal(row)
		if err != nil {
			return err
		}
		text = append(append(text, line...), '\n')
	}
	return checkpoints.WriteFile(filepath.Join(tmp, metricsFile), text)
}

// withhold makes a checkpoint that is before the rows' first use one of the run without them.
func (f *Forgetting) withhold(dir string) error {
	path := filepath.Join(dir, checkpoints.StateFile)
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	st := state{Recipe: recipe.Default()}
	if err := json.Unmarshal(text, &st); err != nil {
		return mistake("forget: %s: %v", path, err)
	}
	st.Recipe.DropRows, st.DataHash = f.recipe.DropRows, f.data
	if err := writeJSON(path, st); err != nil {
		return err
	}
	return checkpoints.WriteSums(dir)
}

// forgottenRun is what the entry of the ledger says; of the rows it has hashes only.
type forgottenRun struct {
	Time   string   `json:"time"`
	Author string   `json:"author"`
	Rows   []string `json:"rows_sha256"` // of ids and mask of each
	First  int      `json:"first_step"`  // that used one
	From   int      `json:"from_step"`   // the checkpoint that was gone on from
	Before string   `json:"weights_sha256_before"`
	Now    string   `json:"weights_sha256"`
}

// record writes the entry, unless it is there.
func (f *Forgetting) record(out *Forgotten) error {
	entries, err := record.Read(f.making())
	if err != nil {
		return err
	}
	if n := len(entries); n > 0 && entries[n-1].Kind == kindForgot {
		return nil
	}
	now, err := record.Hashes(f.making(), recordedNames(f.making())...)
	if err != nil {
		return err
	}
	files, err := record.Changed(f.making(), now)
	if err != nil {
		return err
	}
	return record.Append(f.making(), kindForgot, forgottenRun{Time: time.Now().UTC().Format(time.RFC3339),
		Author: record.Author(""), Rows: f.hashes, First: f.First, From: f.From, Before: out.Before, Now: out.Now}, files)
}

// carry takes over what lies in the run's folder and is not of the run, and a card that a person wrote.
func (f *Forgetting) carry() (names []string, err error) {
	entries, err := os.ReadDir(f.Dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		from, to := filepath.Join(f.Dir, e.Name()), filepath.Join(f.making(), e.Name())
		byHand := e.Name() == cardFile && !ownCard(from)
		if ReadsOfRun(e.Name()) && !byHand || e.Name() == record.File || strings.HasPrefix(e.Name(), ".checkpoint-") {
			continue
		}
		if err := os.RemoveAll(to); err != nil { // the program's own card, or what was taken over before
			return nil, err
		}
		if err := checkpoints.Link(from, to); err != nil {
			return nil, err
		}
		names = append(names, e.Name())
	}
	return names, nil
}
