package coach

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"

	"instruct/checkpoints"
	"instruct/data"
	"instruct/model/pretrained"
)

// Files of a round beside its model, and of a behaviour.
const (
	roundFile       = "round.json"
	correctionsFile = "corrections.jsonl"
	practisedFile   = "practised.jsonl"
	answersFile     = "answers.json"
	reportFile      = "report.html"
	nearFile        = "near.gob" // the parent's answers to prompts near the corrections
	keptDir         = "kept"     // of a behaviour: the first model's answers to other prompts
)

// Round is what is known of a round: a line of the ledger, and round.json in its folder.
type Round struct {
	Round       int         `json:"round"`
	Parent      int         `json:"parent"`
	Verdict     string      `json:"verdict"` // accepted, rejected, interrupted or rolled back to
	Reason      string      `json:"reason,omitempty"`
	Corrections int         `json:"corrections"`
	About       []string    `json:"about"` // what was asked, a line for each correction
	Taught      Taught      `json:"taught"`
	Practice    *Practice   `json:"practice,omitempty"`
	Policies    []string    `json:"policies,omitempty"` // whose good examples are among the corrections
	Rules       []RuleMove  `json:"rules,omitempty"`    // of the policies
	Suites      []SuiteMove `json:"suites"`
	Seconds     float64     `json:"seconds"`
	Author      string      `json:"author"`
	Time        string      `json:"time"`
	Options     Options     `json:"options"`
	ParentHash  string      `json:"parent_sha256"`
	Weights     string      `json:"weights_sha256"`
	Kept        []string    `json:"kept_files"`             // of which the kept prompts are
	KeepPrompts int         `json:"keep_prompts,omitempty"` // most of them
	// What it was measured by, and practised, in order. Rounds of older programs say none of it, and have no MaxNew.
	SuiteFiles   []string    `json:"suite_files,omitempty"`
	UnseenFiles  []string    `json:"unseen_files,omitempty"`
	MaxNew       int         `json:"max_new_tokens,omitempty"`  // of an answer to a test
	PolicyPrompt bool        `json:"policy_prompt,omitempty"`   // the rules are said to prompts
	Withheld     []string    `json:"withheld_sha256,omitempty"` // of the policies' examples that were forgotten
	Name         string      `json:"-"`                         // of the behaviour on pages; "": that of its folder
	Broken       []string    `json:"broken"`                    // ids of earlier corrections that were right before
	Answers      *Answers    `json:"-"`                         // written beside it, with a page for people; or nil
	Practised    []Practised `json:"-"`                         // written beside it
	// Files are the hashes of the files that were read, by path: those of the kept prompts, suites and policies.
	Files map[string]string `json:"files_sha256"`
}

// SuiteMove is what a round did to a suite.
type SuiteMove struct {
	Suite  string   `json:"suite"`
	Tests  int      `json:"tests"`
	Before int      `json:"before"` // tests that passed
	After  int      `json:"after"`
	Lost   []string `json:"lost"`
	Taught bool     `json:"taught,omitempty"` // the round trains on it, so that no limit holds
}

// Verdicts.
const (
	Accepted   = "accepted"
	Rejected   = "rejected"
	RolledBack = "rolled back to"
)

// next is the number of the next round: rejected ones keep theirs.
func next(behaviour string) (int, error) {
	for n := 1; ; n++ {
		_, err := os.Stat(pretrained.RoundDir(behaviour, n))
		if os.IsNotExist(err) {
			return n, nil
		}
		if err != nil {
			return 0, err
		}
	}
}

// Earlier gives the corrections of the rounds from the first to the given one, in order.
func Earlier(behaviour string, round int) ([]data.Correction, error) {
	rounds, err := line(behaviour, round)
	if err != nil {
		return nil, err
	}
	var all []data.Correction
	for _, n := range rounds {
		dir := pretrained.RoundDir(behaviour, n)
		if practised(dir) {
			continue
		}
		own, err := data.ReadCorrections(filepath.Join(dir, correctionsFile))
		if err != nil {
			return nil, err
		}
		all = append(all, own...)
	}
	return all, nil
}

// practised says whether a round's folder has answers that were practised, and no corrections.
func practised(dir string) bool {
	_, noCorrections := os.Stat(filepath.Join(dir, correctionsFile))
	_, noPractice := os.Stat(filepath.Join(dir, practisedFile))
	return os.IsNotExist(noCorrections) && noPractice == nil
}

// EarlierNear gives what those rounds keep of the answers to prompts near their corrections; vocab is the model's.
func EarlierNear(behaviour string, round, vocab int) ([]Kept, error) {
	rounds, err := line(behaviour, round)
	if err != nil {
		return nil, err
	}
	var all []Kept
	for _, n := range rounds {
		path := filepath.Join(pretrained.RoundDir(behaviour, n), nearFile)
		if _, err := os.Stat(path); os.IsNotExist(err) {
			continue
		}
		own, err := ReadKept(path, vocab)
		if err != nil {
			return nil, err
		}
		all = append(all, own...)
	}
	return all, nil
}

// line gives the numbers of the rounds that led to the given one, and its own, without the first model's 0.
func line(behaviour string, round int) ([]int, error) {
	var all []int
	for round > 0 {
		all = append(all, round)
		r, err := readRound(behaviour, round)
		if err != nil {
			return nil, err
		}
		round = r.Parent
	}
	slices.Reverse(all)
	return all, nil
}

// Save writes a round's folder, whole or not at all; an accepted one becomes current; then its line in the ledger is
// written, which [Mend] adds where it comes to be missing.
func (r *Round) Save(behaviour string, m *pretrained.Model, corrections []data.Correction) error {
	var err error
	if r.Round, err = next(behaviour); err != nil {
		return err
	}
	r.Weights = m.WeightsHash()
	err = checkpoints.SaveDir(pretrained.RoundDir(behaviour, r.Round), func(tmp string) error {
		if err := m.Save(tmp); err != nil {
			return err
		}
		if r.Answers != nil {
			if err := r.Answers.save(tmp, behaviour, r); err != nil {
				return err
			}
		}
		return r.write(tmp, corrections)
	})
	if err != nil {
		return err
	}
	if r.Verdict == Accepted {
		if err := pretrained.SetCurrent(behaviour, r.Round); err != nil {
			return err
		}
	}
	return enter(behaviour, kindRound, *r)
}

// write writes what lies beside the model in a round's folder; what there is none of gives no file.
func (r *Round) write(dir string, corrections []data.Correction) error {
	taught, err := data.CorrectionLines(corrections)
	if err != nil {
		return err
	}
	trained, err := practisedLines(r.Practised)
	if err != nil {
		return err
	}
	var near []byte
	if len(r.Taught.Near) > 0 {
		if near, err = keptText(r.Taught.Near); err != nil {
			return err
		}
	}
	own, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	for _, f := range []struct {
		name string
		text []byte
	}{{correctionsFile, taught}, {practisedFile, trained}, {nearFile, near}, {roundFile, append(own, '\n')}} {
		if len(f.text) == 0 {
			continue
		}
		if err := checkpoints.WriteFile(filepath.Join(dir, f.name), f.text); err != nil {
			return err
		}
	}
	return nil
}

// RollBack makes another round current and says so in the ledger; one that was not accepted only by force.
func RollBack(behaviour string, to int, force bool, author, at string) error {
	from, err := pretrained.Current(behaviour)
	if err != nil {
		return err
	}
	if _, err := pretrained.ResolveRound(behaviour, to); err != nil {
		return err
	}
	if to == from {
		return mistake("behaviour %s: round %d is the current one already", behaviour, to)
	}
	ledger, err := Ledger(behaviour)
	if err != nil {
		return err
	}
	if own := own(ledger, to); own != nil && own.Verdict != Accepted && !force {
		return mistake("behaviour %s: round %d was not accepted: %s, %s; --force makes it current all the same", behaviour,
			to, own.Verdict, own.Reason)
	}
	r := Round{Round: to, Parent: from, Verdict: RolledBack, Author: author, Time: at}
	if err := enter(behaviour, kindRollback, r); err != nil { // Mend does the rest, should it end here
		return err
	}
	return pretrained.SetCurrent(behaviour, to)
}
