package coach

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"instruct/model/pretrained"
	"instruct/train/record"
)

// Kinds of entries in the ledger of a behaviour.
const (
	kindBegun    = "begin"    // the folder as it was when its ledger began to name files
	kindRound    = "round"    // a [Round]
	kindRollback = "rollback" // a [Round] too, with the verdict [RolledBack]
)

// Ledger reads the rounds and rollbacks of a behaviour folder's ledger, the oldest first. It is only ever written
// whole, so a line that cannot be read is damage from elsewhere, and an error. [record.Verify] checks its chain.
func Ledger(behaviour string) ([]Round, error) {
	events, err := Events(behaviour)
	var all []Round
	for _, e := range events {
		if e.Round != nil {
			all = append(all, *e.Round)
		}
	}
	return all, err
}

// Event is an entry of a behaviour's ledger about its models: a round or a rollback, or what was forgotten.
type Event struct {
	Round  *Round
	Forgot *Forgot
}

// Events reads them as [Ledger] does.
func Events(behaviour string) ([]Event, error) {
	entries, err := record.Read(behaviour)
	if err != nil {
		return nil, mistake("behaviour %s: %w", behaviour, err)
	}
	var all []Event
	for _, e := range entries {
		var x Event
		into := any(&x.Round)
		if e.Kind == kindForgot {
			into = &x.Forgot
		}
		if err := json.Unmarshal(e.Line, into); err != nil {
			return nil, mistake("behaviour %s: %s:%d is no line of a ledger: %v; put it right or take it out, no model is lost",
				behaviour, record.File, e.Number, err)
		}
		switch e.Kind {
		case "", kindRound, kindRollback, kindForgot: // older programs wrote no kind
			all = append(all, x)
		}
	}
	return all, nil
}

// enter writes an entry about a round, with the hashes of its files and of those that changed with it.
func enter(behaviour, kind string, r Round) error {
	below := []string{roundPath(r.Round), pretrained.CurrentFile, keptDir}
	now, err := record.Hashes(behaviour, below...)
	if err != nil {
		return err
	}
	if kind == kindRollback {
		sum := sha256.Sum256(fmt.Appendf(nil, "%d\n", r.Round)) // as SetCurrent is about to write it
		now[pretrained.CurrentFile] = hex.EncodeToString(sum[:])
	}
	files, err := record.Changed(behaviour, now, below...)
	if err != nil {
		return err
	}
	files.Outside = map[string]string{}
	for path, sum := range r.Files {
		if _, err := os.Stat(path); err == nil { // else it was another working folder's, of a round that is mended
			files.Outside[record.From(behaviour, path)] = sum
		}
	}
	return record.Append(behaviour, kind, r, files)
}

// roundPath is the folder of a round as the ledger has it.
func roundPath(n int) string { return filepath.ToSlash(pretrained.RoundDir("", n)) }

// begun is what the first entry says beside the files.
type begun struct {
	Time   string `json:"time"`
	Author string `json:"author"`
	Model  string `json:"model"` // that the rounds began with

	Weights string `json:"weights_sha256"` // of it, in float32
}

// beginLedger writes the first entry of a ledger, where there is none: what the folder holds, and the files of its
// first model. The lines of an older program stay before it.
func beginLedger(behaviour string) error {
	entries, err := record.Read(behaviour)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(entries, func(e record.Entry) bool { return e.Kind == kindBegun }) {
		return nil
	}
	base, err := pretrained.ReadBase(behaviour)
	if err != nil {
		return err
	}
	now, err := record.Hashes(behaviour, filepath.ToSlash(filepath.Dir(roundPath(0))), pretrained.CurrentFile, keptDir)
	if err != nil {
		return err
	}
	files, err := record.Changed(behaviour, now)
	if err != nil {
		return err
	}
	files.Outside = map[string]string{}
	sums, _ := pretrained.FileHashes(base.Model) // a first model that is gone has no hashes
	for path, sum := range pretrained.ByPath(base.Model, sums) {
		files.Outside[record.From(behaviour, path)] = sum
	}
	return record.Append(behaviour, kindBegun, begun{Time: time.Now().UTC().Format(time.RFC3339), Author: Author(""),
		Model: base.Model, Weights: base.Weights}, files)
}

// ReadsOfBehaviour tells whether a path in a behaviour folder is one that its ledger names.
func ReadsOfBehaviour(path string) bool {
	first, _, inside := strings.Cut(path, "/")
	return inside && (first == filepath.Dir(roundPath(0)) || first == keptDir) || path == pretrained.CurrentFile
}
