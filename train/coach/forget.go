package coach

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"instruct/checkpoints"
	"instruct/data"
	"instruct/model/pretrained"
	"instruct/train/record"
)

// kindForgot is the kind of an entry in the ledger of a behaviour of which corrections were forgotten.
const kindForgot = "forget"

// Forgetting is a behaviour of which corrections are to be forgotten: the rounds from the first one that was taught one
// of them are made again without them, in a folder beside it that takes its place when it is whole.
type Forgetting struct {
	Behaviour   string
	Corrections []data.Correction // that are forgotten
	Alike       []data.Correction // others that say almost the same
	First       int               // round that was taught one
	Rounds      []Again           // in their order
	Current     int               // round that counts
	progress    progress
}

// Again is a round that is made again.
type Again struct {
	Round
	Left []data.Correction // that it is taught
}

// progress is forget.json in the folder that is being made: what is forgotten, and which rounds stand already.
type progress struct {
	Rows []string    `json:"rows_sha256"`
	Made map[int]int `json:"made"` // new numbers of old rounds, of those that are left out that of their parent
}

const progressFile = "forget.json"

// ReadIDs reads ids of corrections, one a line; a line may be the correction itself.
func ReadIDs(path string) (ids []string, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, mistake("rows %s: %s", path, checkpoints.Reason(err))
	}
	return parseIDs(path, string(text))
}

func parseIDs(path, text string) (ids []string, err error) {
	n := 0
	for line := range strings.Lines(text) {
		n++
		id := strings.TrimSpace(line)
		if strings.HasPrefix(id, "{") {
			var c data.Correction
			if err := json.Unmarshal([]byte(id), &c); err != nil || c.ID == "" {
				return nil, mistake("rows %s:%d: expected the id of a correction, or a correction with one", path, n)
			}
			id = c.ID
		}
		if id != "" && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil, mistake("rows %s: it has none; expected the id of a correction a line", path)
	}
	return ids, nil
}

// PlanForget finds corrections by their ids, and the rounds that are to be made again. It changes nothing.
func PlanForget(behaviour string, ids []string) (*Forgetting, error) {
	f := &Forgetting{Behaviour: behaviour}
	var err error
	if f.Current, err = pretrained.Current(behaviour); err != nil {
		return nil, err
	}
	end, err := next(behaviour)
	if err != nil {
		return nil, err
	}
	found := map[string]bool{}
	var all []data.Correction
	for n := 1; n < end; n++ {
		a, own, err := f.round(n)
		if err != nil {
			return nil, err
		}
		for _, c := range own {
			if slices.Contains(ids, c.ID) {
				found[c.ID] = true
				f.Corrections = append(f.Corrections, c)
				if len(a.Policies) > 0 {
					a.Withheld = append(a.Withheld, taughtHash(&c))
				}
				continue
			}
			a.Left = append(a.Left, c)
			all = append(all, c)
		}
		if f.First == 0 && len(a.Left) < len(own) {
			f.First = n
		}
		if f.First > 0 {
			f.Rounds = append(f.Rounds, a)
		}
	}
	for _, id := range ids {
		if !found[id] {
			return nil, mistake("forget %s: no round was taught a correction with the id %q; `instruct log %[1]s --round N` "+
				"shows them", behaviour, id)
		}
	}
	if err := f.check(); err != nil {
		return nil, err
	}
	f.progress.Rows = hashesOf(f.Corrections)
	f.Alike, err = alike(f.Corrections, all)
	return f, err
}

// round reads a round and what it was taught.
func (f *Forgetting) round(n int) (a Again, taught []data.Correction, err error) {
	if a.Round, err = readRound(f.Behaviour, n); err != nil {
		return a, nil, err
	}
	ledger, err := Ledger(f.Behaviour)
	if err != nil {
		return a, nil, err
	}
	if line := own(ledger, n); line != nil { // such as interrupted
		a.Verdict, a.Reason = line.Verdict, line.Reason
	}
	if a.MaxNew == 0 { // an older program's
		kept, _ := data.OnDisk(a.Kept)
		for _, path := range slices.Sorted(maps.Keys(a.Files)) {
			if !slices.Contains(kept, path) && !slices.Contains(a.Policies, path) {
				a.SuiteFiles = append(a.SuiteFiles, path)
			}
		}
	}
	path := filepath.Join(pretrained.RoundDir(f.Behaviour, n), correctionsFile)
	if _, err := os.Stat(path); os.IsNotExist(err) {
		return a, nil, nil
	}
	taught, err = data.ReadCorrections(path)
	return a, taught, err
}

// check refuses rounds that cannot be made again.
func (f *Forgetting) check() error {
	for _, a := range f.Rounds {
		if a.Empty() {
			continue
		}
		if (len(a.Policies) > 0 || a.Practice != nil) && a.MaxNew == 0 {
			return mistake("forget %s: round %d would have to be made again, and it was taught by a policy or by practice "+
				"when round.json did not say all of how; roll back to round %d (`instruct rollback %[1]s --to %[3]d`) and make "+
				"the later rounds anew", f.Behaviour, a.Round.Round, f.First-1)
		}
		for _, path := range slices.Sorted(maps.Keys(a.Files)) {
			sum, err := checkpoints.HashFile(path)
			if err != nil {
				return mistake("forget %s: round %d read %s, which cannot be read now: %s; put it back, or call this from "+
					"the folder where that round was made", f.Behaviour, a.Round.Round, path, checkpoints.Reason(err))
			}
			if sum != a.Files[path] {
				return mistake("forget %s: round %d read %s, which has another content now (sha256 %s, then %s); put it back",
					f.Behaviour, a.Round.Round, path, sum, a.Files[path])
			}
		}
	}
	return nil
}

// hashesOf are the sha256 of corrections' lines.
func hashesOf(corrections []data.Correction) (all []string) {
	for _, c := range corrections {
		text, _ := data.CorrectionLines([]data.Correction{c})
		sum := sha256.Sum256(text)
		all = append(all, hex.EncodeToString(sum[:]))
	}
	return all
}

// alike are the corrections among others that say almost the same as one of some.
func alike(of, others []data.Correction) (out []data.Correction, err error) {
	row := func(c data.Correction) data.Row {
		return data.Row{Source: c.ID, Messages: slices.Concat(c.Prompt, c.Chosen)}
	}
	var rows []data.Row
	for _, c := range of {
		rows = append(rows, row(c))
	}
	found, err := data.Alike(rows, func(yield func(data.Row, error) bool) {
		for _, c := range others {
			if !yield(row(c), nil) {
				return
			}
		}
	})
	if err != nil {
		return nil, err
	}
	ids := slices.Concat(found...)
	for _, c := range others {
		if slices.Contains(ids, c.ID) && !slices.ContainsFunc(out, func(x data.Correction) bool { return x.ID == c.ID }) {
			out = append(out, c)
		}
	}
	return out, nil
}

// Making is the folder in which the rounds are made.
func (f *Forgetting) Making() string {
	dir := filepath.Clean(f.Behaviour)
	return filepath.Join(filepath.Dir(dir), "."+filepath.Base(dir)+".forgetting")
}

// Prepare makes that folder with what stays as it was, or goes on with one that was stopped. The behaviour is locked.
func (f *Forgetting) Prepare() error {
	text, err := os.ReadFile(filepath.Join(f.Making(), progressFile))
	var was progress
	if err == nil && json.Unmarshal(text, &was) == nil && slices.Equal(was.Rows, f.progress.Rows) {
		f.progress = was
		return nil
	}
	if err := os.RemoveAll(f.Making()); err != nil {
		return err
	}
	f.progress.Made = map[int]int{}
	for n := range f.First {
		f.progress.Made[n] = n
	}
	return checkpoints.SaveDir(f.Making(), func(tmp string) error {
		for n := range f.First {
			if err := checkpoints.Link(pretrained.RoundDir(f.Behaviour, n), pretrained.RoundDir(tmp, n)); err != nil {
				return err
			}
		}
		kept := filepath.Join(f.Behaviour, keptDir) // the first model's answers, to which no correction was taught
		if _, err := os.Stat(kept); err == nil {
			if err := checkpoints.Link(kept, filepath.Join(tmp, keptDir)); err != nil {
				return err
			}
		}
		if err := pretrained.SetCurrent(tmp, f.First-1); err != nil {
			return err
		}
		if err := f.beginLedger(tmp); err != nil {
			return err
		}
		return f.save(tmp)
	})
}

// beginLedger writes the entries before the first round that is made again: the later ones say what is forgotten.
func (f *Forgetting) beginLedger(dir string) error {
	entries, err := record.Read(f.Behaviour)
	if err != nil {
		return err
	}
	var text []byte
	for _, e := range entries {
		var r Round
		if err := json.Unmarshal(e.Line, &r); err == nil && r.Round >= f.First {
			break
		}
		text = append(text, e.Line...)
	}
	if len(text) == 0 {
		return nil
	}
	return checkpoints.WriteFile(filepath.Join(dir, record.File), text)
}

// save keeps how far it has come.
func (f *Forgetting) save(dir string) error {
	text, err := json.Marshal(f.progress)
	if err != nil {
		return err
	}
	return checkpoints.WriteFile(filepath.Join(dir, progressFile), text)
}

// Make makes the rounds that are not made yet: one is called with a round, and makes it on the current model of dir, or
// tells that there is nothing to make, and it is left out.
func (f *Forgetting) Make(ctx context.Context,
	one func(ctx context.Context, dir string, a *Again) (made bool, err error)) error {
	dir := f.Making()
	for i := range f.Rounds {
		a := &f.Rounds[i]
		if _, done := f.progress.Made[a.Round.Round]; done {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		parent := f.progress.Made[a.Parent]
		number := parent
		if !a.Empty() {
			if err := pretrained.SetCurrent(dir, parent); err != nil {
				return err
			}
			n, err := next(dir)
			if err != nil {
				return err
			}
			made := true
			if want := f.following(); n > want { // it was saved, and not noted
				n = want
			} else if made, err = one(ctx, dir, a); err != nil {
				return err
			}
			if made {
				number = n
			}
		}
		f.progress.Made[a.Round.Round] = number
		if err := f.save(dir); err != nil {
			return err
		}
	}
	return nil
}

// following is the number of the next round, by what was noted.
func (f *Forgetting) following() int {
	most := 0
	for _, n := range f.progress.Made {
		most = max(most, n)
	}
	return most + 1
}

// Forgot is what the entry of the ledger says; of the corrections it has hashes only.
type Forgot struct {
	Kind    string   `json:"kind,omitempty"` // forget, where it is written apart from the ledger
	Time    string   `json:"time"`
	Author  string   `json:"author"`
	Rows    []string `json:"rows_sha256"` // of the line of each correction
	First   int      `json:"first_round"` // that was taught one
	Again   int      `json:"rounds_again"`
	Head    string   `json:"head_before"` // of the ledger, whose entries from that round on are gone
	Current int      `json:"current"`
}

// Finish puts the new folder into the place of the old one. It gives the names of what was taken over as it was.
func (f *Forgetting) Finish() (kept []string, err error) {
	dir := f.Making()
	if _, err := Mend(dir); err != nil { // the last round may have been stopped before its line
		return nil, err
	}
	current := f.progress.Made[f.Current]
	if err := pretrained.SetCurrent(dir, current); err != nil {
		return nil, err
	}
	if kept, err = f.carry(); err != nil {
		return nil, err
	}
	if err := f.record(current); err != nil {
		return nil, err
	}
	if err := os.Remove(filepath.Join(dir, progressFile)); err != nil {
		return nil, err
	}
	return kept, checkpoints.ReplaceDir(f.Behaviour, dir)
}

// record writes the entry.
func (f *Forgetting) record(current int) error {
	old, err := record.Read(f.Behaviour)
	if err != nil {
		return err
	}
	head := ""
	if n := len(old); n > 0 {
		head = old[n-1].Hash()
	}
	dir := f.Making()
	now, err := record.Hashes(dir, filepath.ToSlash(filepath.Dir(roundPath(0))), pretrained.CurrentFile, keptDir)
	if err != nil {
		return err
	}
	files, err := record.Changed(dir, now)
	if err != nil {
		return err
	}
	made := slices.DeleteFunc(slices.Clone(f.Rounds), func(a Again) bool { return f.LeftOut(&a) })
	return record.Append(dir, kindForgot, Forgot{Time: time.Now().UTC().Format(time.RFC3339),
		Author: record.Author(""), Rows: f.progress.Rows, First: f.First, Again: len(made), Head: head, Current: current},
		files)
}

// carry takes over what lies in the folder and is not of the behaviour.
func (f *Forgetting) carry() (names []string, err error) {
	entries, err := os.ReadDir(f.Behaviour)
	if err != nil {
		return nil, err
	}
	own := []string{filepath.Dir(roundPath(0)), keptDir, pretrained.CurrentFile, record.File, "lock"}
	for _, e := range entries {
		if slices.Contains(own, e.Name()) || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		to := filepath.Join(f.Making(), e.Name())
		if err := os.RemoveAll(to); err != nil {
			return nil, err
		}
		if err := checkpoints.Link(filepath.Join(f.Behaviour, e.Name()), to); err != nil {
			return nil, err
		}
		names = append(names, e.Name())
	}
	return names, nil
}

// LeftOut tells of a round whether nothing of it was left to be made again.
func (f *Forgetting) LeftOut(a *Again) bool {
	return f.progress.Made[a.Round.Round] == f.progress.Made[a.Parent]
}

// Empty tells whether all that the round was taught is forgotten: it is left out.
func (a *Again) Empty() bool {
	return a.Corrections > 0 && len(a.Left) == 0 && len(a.Policies) == 0 && a.Practice == nil
}

// taughtHash is the sha256 of what a correction teaches, whenever it was written down.
func taughtHash(c *data.Correction) string {
	text, _ := json.Marshal([]any{c.Prompt, c.Chosen, c.Rule, c.Note})
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// ExamplesAgain is for a round that is made again: corrections are what is left of those that it was taught, examples
// what its policies teach now. It gives the corrections that no policy has, and the examples, those that were taught
// before under their ids.
func ExamplesAgain(corrections, examples []data.Correction) (own, taught []data.Correction) {
	was := map[string]data.Correction{}
	for _, c := range corrections {
		was[taughtHash(&c)] = c
	}
	for _, e := range examples {
		hash := taughtHash(&e)
		if c, ok := was[hash]; ok {
			e.ID, e.Time = c.ID, c.Time
			delete(was, hash)
		}
		taught = append(taught, e)
	}
	for _, c := range corrections {
		if _, ok := was[taughtHash(&c)]; ok {
			own = append(own, c)
		}
	}
	return own, taught
}

// WriteLeft writes the corrections that a round is taught.
func (a *Again) WriteLeft(path string) error {
	text, err := data.CorrectionLines(a.Left)
	if err != nil {
		return err
	}
	return checkpoints.WriteFile(path, text)
}

// String says what is made.
func (a *Again) String() string {
	text := fmt.Sprintf("round %d", a.Round.Round)
	if a.Corrections > 0 {
		text += fmt.Sprintf(" with %d of its %d corrections", len(a.Left), a.Corrections)
	}
	if p := a.Practice; p != nil {
		text += fmt.Sprintf(", which practises anew: the %d sampled answers that it trained go", p.Trained)
	}
	return text
}
