package coach

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"instruct/checkpoints"
	"instruct/model/pretrained"
)

// Interrupted is the verdict on a round that was accepted and killed before it was made current.
const Interrupted = "interrupted"

// Mend puts right what a killed round left in a behaviour folder, which is locked: what is temporary is removed, and a
// round whose folder is there gets the line of the ledger that it lacks. It says in words what was not as it should be.
func Mend(behaviour string) (said []string, err error) {
	rounds := filepath.Dir(pretrained.RoundDir(behaviour, 0))
	for _, dir := range []string{behaviour, rounds, filepath.Join(behaviour, keptDir)} {
		if err := checkpoints.Sweep(dir); err != nil {
			return nil, err
		}
	}
	current, err := pretrained.Current(behaviour)
	if err != nil {
		return nil, err
	}
	ledger, err := Ledger(behaviour)
	if err != nil {
		return nil, err
	}
	if err := beginLedger(behaviour); err != nil {
		return nil, err
	}
	end, err := next(behaviour)
	if err != nil {
		return nil, err
	}
	for n := 1; n < end; n++ {
		if own(ledger, n) != nil {
			continue
		}
		r, err := readRound(behaviour, n)
		if err != nil {
			return nil, err
		}
		if r.Verdict == Accepted && n != current {
			r.Verdict, r.Reason = Interrupted, "never made current"
		}
		if err := enter(behaviour, kindRound, r); err != nil {
			return nil, err
		}
		said = append(said, fmt.Sprintf("round %d of %s had been stopped before its line of the ledger; it is %s", n,
			behaviour, r.Verdict))
	}
	if n := len(ledger) - 1; n >= 0 && len(said) == 0 && ledger[n].Verdict == RolledBack && ledger[n].Round != current {
		said = append(said, fmt.Sprintf("a rollback of %s had been stopped; round %d is the current one now", behaviour,
			ledger[n].Round))
		return said, pretrained.SetCurrent(behaviour, ledger[n].Round)
	}
	return said, nil
}

// own is the line of the ledger that a round itself wrote, or nil.
func own(ledger []Round, round int) *Round {
	for i := range ledger {
		if ledger[i].Round == round && ledger[i].Verdict != RolledBack {
			return &ledger[i]
		}
	}
	return nil
}

// readRound reads what a round's folder says of it.
func readRound(behaviour string, round int) (r Round, err error) {
	path := filepath.Join(pretrained.RoundDir(behaviour, round), roundFile)
	text, err := os.ReadFile(path)
	if err != nil {
		return r, mistake("behaviour %s is not whole: %s: %s", behaviour, path, checkpoints.Reason(err))
	}
	if err := json.Unmarshal(text, &r); err != nil || r.Round != round || r.Parent >= round {
		return r, mistake("behaviour %s: %s is not round %d's", behaviour, path, round)
	}
	return r, nil
}
