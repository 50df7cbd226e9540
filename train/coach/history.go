package coach

import (
	_ "embed"
	"fmt"
	"io"
	"slices"

	"instruct/model/pretrained"
	"instruct/train/record"
)

//go:embed history.html
var historySource string

// history is a page about all rounds of a behaviour.
type history struct {
	Name    string
	Base    pretrained.Base
	Current int
	Rounds  []pastRound
	Rules   []RuleMove // as they hold now
	Entries []record.Entry
	Head    string // of the ledger
	Whole   bool   // its chain holds
}

// pastRound is a round, or a rollback, as its line of the ledger has it.
type pastRound struct {
	*page         // of a round that recorded its answers; else of the line alone
	Counts   bool // it is part of the current model
	RollBack bool
	Recorded bool
}

// WriteHistory writes what is known of all rounds of a behaviour as one self-contained HTML file for people who have to
// judge it. It needs no script, no network and no other file.
func WriteHistory(w io.Writer, behaviour string) error {
	t, err := newTemplate()
	if err == nil {
		t, err = t.New("history").Parse(historySource)
	}
	if err != nil {
		return fmt.Errorf("coach: history: %w", err)
	}
	h, err := newHistory(behaviour)
	if err != nil {
		return err
	}
	if err := t.Execute(w, h); err != nil {
		return fmt.Errorf("coach: write history: %w", err)
	}
	return nil
}

func newHistory(behaviour string) (*history, error) {
	h := &history{Name: nameOf(behaviour)}
	var err error
	if h.Current, err = pretrained.Current(behaviour); err != nil {
		return nil, err
	}
	if h.Base, err = pretrained.ReadBase(behaviour); err != nil {
		return nil, err
	}
	if h.Entries, err = record.Read(behaviour); err != nil {
		return nil, err
	}
	h.Whole = !slices.ContainsFunc(h.Entries, func(e record.Entry) bool { return e.Damage != "" })
	if n := len(h.Entries); n > 0 {
		h.Head = h.Entries[n-1].Hash()
	}
	counting, err := line(behaviour, h.Current)
	if err != nil {
		return nil, err
	}
	ledger, err := Ledger(behaviour)
	if err != nil {
		return nil, err
	}
	for i := range ledger {
		past, err := newPastRound(behaviour, &ledger[i])
		if err != nil {
			return nil, err
		}
		past.Counts = !past.RollBack && slices.Contains(counting, ledger[i].Round)
		h.Rounds = append(h.Rounds, past)
		if past.Counts && len(ledger[i].Rules) > 0 {
			h.Rules = ledger[i].Rules
		}
	}
	return h, nil
}

// newPastRound reads the answers of a round too.
func newPastRound(behaviour string, r *Round) (past pastRound, err error) {
	past.RollBack = r.Verdict == RolledBack
	answers := &Answers{}
	if !past.RollBack {
		_, recorded, err := ReadRound(behaviour, r.Round)
		if err != nil {
			return past, err
		}
		if past.Recorded = recorded != nil; past.Recorded {
			answers = recorded
		}
	}
	past.page, err = newPage(behaviour, r, answers)
	return past, err
}
