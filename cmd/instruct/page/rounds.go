package page

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"instruct/data"
	"instruct/data/policy"
	"instruct/model/pretrained"
	"instruct/train/coach"
)

// shownRound is a line of the ledger for the page.
type shownRound struct {
	Round       int               `json:"round"`
	Parent      int               `json:"parent"`
	Verdict     string            `json:"verdict"`
	Reason      string            `json:"reason"`
	Corrections int               `json:"corrections"`
	Right       int               `json:"right"`
	Broken      int               `json:"broken"` // earlier corrections
	About       []string          `json:"about"`
	Suites      []coach.SuiteMove `json:"suites"`
	Rules       []coach.RuleMove  `json:"rules"`
	Seconds     float64           `json:"seconds"`
	Author      string            `json:"author"`
	Time        string            `json:"time"`
	Report      bool              `json:"report"` // there is a page of it
}

// shownBehaviour is a behaviour folder for the page.
type shownBehaviour struct {
	Name    string       `json:"name"`
	Begun   bool         `json:"begun"` // the folder is there
	Current int          `json:"current"`
	Base    string       `json:"base"`   // the model that it began with
	Rounds  []shownRound `json:"rounds"` // the oldest first
	Speaks  bool         `json:"speaks"` // the current round's model answers on the page
	Start   bool         `json:"start"`  // rounds can be started
	Policy  bool         `json:"policy"` // a round has examples of a policy to teach, if no correction
}

// showRounds lists the rounds of the behaviour folder.
func (p *Page) showRounds(w http.ResponseWriter, _ *http.Request) error {
	dir := p.options.Behaviour
	if dir == "" {
		return failed(http.StatusNotFound, "no rounds are shown here; instruct serve --behaviour DIR shows them")
	}
	b := shownBehaviour{Name: filepath.Base(dir), Rounds: []shownRound{}, Start: p.options.Round != nil,
		Policy: p.teaches()}
	if path, err := filepath.Abs(dir); err == nil {
		b.Name = filepath.Base(path)
	}
	if !pretrained.IsBehaviour(dir) {
		return reply(w, b)
	}
	var err error
	if b.Current, err = pretrained.Current(dir); err != nil {
		return err
	}
	base, err := pretrained.ReadBase(dir)
	if err != nil {
		return err
	}
	ledger, err := coach.Ledger(dir)
	if err != nil {
		return err
	}
	b.Begun, b.Base = true, filepath.Base(base.Model)
	weights := base.Weights // of the current round
	for _, l := range ledger {
		if l.Round == b.Current && l.Weights != "" {
			weights = l.Weights
		}
		x := shownRound{l.Round, l.Parent, l.Verdict, l.Reason, l.Corrections, l.Taught.Right, len(l.Broken), l.About,
			l.Suites, l.Rules, l.Seconds, l.Author, l.Time, false}
		if l.Verdict != coach.RolledBack {
			_, err := os.Stat(coach.Report(dir, l.Round))
			x.Report = err == nil
		}
		b.Rounds = append(b.Rounds, x)
	}
	b.Speaks = slices.ContainsFunc(p.models(), func(m Model) bool { return m.Weights == weights })
	return reply(w, b)
}

// teaches says whether the policy has good examples with prompts, which a round teaches.
func (p *Page) teaches() bool {
	return p.policy != nil && slices.ContainsFunc(p.policy.Rules, func(rule *policy.Rule) bool {
		return slices.ContainsFunc(rule.Examples, func(x policy.Example) bool { return x.Good && x.Prompt != "" })
	})
}

// showReport shows the page of a round, which needs no script. Nothing in it may do more than be read.
func (p *Page) showReport(w http.ResponseWriter, r *http.Request) error {
	round, err := strconv.Atoi(r.PathValue("round"))
	if err != nil || round < 1 || p.options.Behaviour == "" {
		return failed(http.StatusNotFound, "there is no round %q", r.PathValue("round"))
	}
	return sendReport(w, coach.Report(p.options.Behaviour, round),
		"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox")
}

// sendReport sends a page that the program wrote, held in a box of its own by a policy.
func sendReport(w http.ResponseWriter, path, security string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return failed(http.StatusNotFound, "there is no such report: %v", reasonOf(err))
	}
	w.Header().Set("Content-Security-Policy", security)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(text)
	return nil
}

// startRound teaches the corrections that wait.
func (p *Page) startRound(w http.ResponseWriter, r *http.Request) error {
	if p.options.Round == nil {
		return failed(http.StatusNotFound, "no round can be started here; instruct serve --behaviour DIR lets one be")
	}
	untaught, err := p.untaught()
	if err != nil {
		return err
	}
	if len(untaught) == 0 && !p.teaches() {
		return mistake("there is nothing new to teach: correct an answer first")
	}
	file, err := p.lesson(untaught)
	if err != nil {
		return err
	}
	if err := p.start("round", p.options.Round(file), func(int) {}); err != nil {
		return err
	}
	return p.showJob(w, r)
}

// lesson is a file of these corrections: the page's own, where they are all that it has.
func (p *Page) lesson(untaught []data.Correction) (string, error) {
	if len(untaught) == 0 {
		return "", nil
	}
	file, err := p.file()
	if err != nil {
		return "", err
	}
	if all, err := file.All(); err != nil || len(all) == len(untaught) {
		return file.Path, err
	}
	text, err := data.CorrectionLines(untaught)
	if err != nil {
		return "", err
	}
	f, err := os.CreateTemp(p.scratch, "corrections-*.jsonl")
	if err != nil {
		return "", err
	}
	_, err = f.Write(text)
	return f.Name(), errors.Join(err, f.Close())
}
