package coach

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"path/filepath"
	"strings"
	"time"

	"instruct/tokenizer/chat"
	"instruct/train/eval"
)

//go:embed page.html
var pageSource string

// Of more corrections the wrong ones alone are shown open, and of more lost tests none.
const (
	mostOpen     = 10
	mostLostOpen = 25
)

// The page is made of cards: a correction or a test each, with what was asked and what was answered.
type (
	page struct {
		*Round
		Name        string // of the behaviour
		At, Took    string
		Share       string // of the way from the parent to what was trained
		New, Broken []card
		Earlier     pageEarlier
		Suites      []pageSuite
		Recipe      []pair
	}
	pageEarlier struct {
		All, Before, Now int
		Mended, Wrong    []card // right now but not before; neither
	}
	pageSuite struct {
		SuiteMove
		Lost, Fixed             []card
		StillWrong, StillRight  []card
		BeforeShare, AfterShare string
	}
	card struct {
		ID     string
		Marks  []bool // verdicts, in the order of time
		Open   bool
		Asked  string
		Before []chat.Message // what was said before that
		Notes  []pair
		Boxes  []box
	}
	box struct {
		Label string
		Kind  string // pass, fail, or "" without a verdict
		Said
	}
	pair struct{ Name, Text string }
	fold struct {
		Title string
		Cards []card
	}
)

func newFold(title string, cards []card) fold { return fold{title, cards} }

// WritePage writes what a round did as one self-contained HTML file for people. It needs no script, no network and no
// other file; what models and corrections say is shown as text.
func WritePage(w io.Writer, behaviour string, r *Round, a *Answers) error {
	t, err := newTemplate()
	if err != nil {
		return fmt.Errorf("coach: page: %w", err)
	}
	p, err := newPage(behaviour, r, a)
	if err != nil {
		return err
	}
	if err := t.Execute(w, p); err != nil {
		return fmt.Errorf("coach: write page: %w", err)
	}
	return nil
}

// newTemplate has the page of a round, and the pieces that it is made of.
func newTemplate() (*template.Template, error) {
	return template.New("page").Funcs(template.FuncMap{"style": eval.Style, "fold": newFold}).Parse(pageSource)
}

// nameOf is what people call a behaviour.
func nameOf(behaviour string) string {
	if path, err := filepath.Abs(behaviour); err == nil {
		behaviour = path
	}
	return filepath.Base(behaviour)
}

func newPage(behaviour string, r *Round, a *Answers) (*page, error) {
	p := &page{Round: r, Name: cmp.Or(r.Name, nameOf(behaviour))}
	p.At = r.Time
	if at, err := time.Parse(time.RFC3339, r.Time); err == nil {
		p.At = at.UTC().Format("2006-01-02 15:04 UTC")
	}
	p.Took = time.Duration(r.Seconds * float64(time.Second)).Round(time.Second).String()
	p.Share = fmt.Sprintf("%.0f %%", 100*r.Taught.Share)
	for i := range a.New {
		c := a.New[i].card()
		c.Open = len(a.New) <= mostOpen || !a.New[i].Now.Right
		p.New = append(p.New, c)
	}
	p.Earlier.All = len(a.Earlier)
	p.Earlier.Before, p.Earlier.Now = Rights(a.Earlier)
	for i := range a.Earlier {
		c := a.Earlier[i].card()
		switch before, now := a.Earlier[i].Before.Right, a.Earlier[i].Now.Right; {
		case before && !now:
			c.Open = true
			p.Broken = append(p.Broken, c)
		case !before && now:
			p.Earlier.Mended = append(p.Earlier.Mended, c)
		case !before:
			p.Earlier.Wrong = append(p.Earlier.Wrong, c)
		}
	}
	for i := range a.Suites {
		p.Suites = append(p.Suites, newPageSuite(&a.Suites[i]))
	}
	var err error
	p.Recipe, err = pairs(r.Options)
	return p, err
}

func newPageSuite(s *SuiteAnswers) pageSuite {
	cards := func(tests []Tested, open bool) []card {
		var all []card
		for i := range tests {
			c := tests[i].card()
			c.Open = open
			all = append(all, c)
		}
		return all
	}
	lost := s.Lost()
	p := pageSuite{SuiteMove: s.Move(), Lost: cards(lost, len(lost) <= mostLostOpen),
		Fixed: cards(s.which(false, true), false), StillWrong: cards(s.which(false, false), false),
		StillRight: cards(s.which(true, true), false)}
	p.BeforeShare, p.AfterShare = percent(p.Before, p.Tests), percent(p.After, p.Tests)
	return p
}

func percent(part, whole int) string {
	return fmt.Sprintf("%.1f %%", 100*float64(part)/float64(max(1, whole)))
}

// boxes are answers before and now; the same answer stands once.
func boxes(before, now Said) []box {
	if before == now {
		return []box{said("before and now", now)}
	}
	return []box{said("before", before), said("now", now)}
}

func said(label string, s Said) box {
	if s.Right {
		return box{label, "pass", s}
	}
	return box{label, "fail", s}
}

func newCard(id string, prompt []chat.Message, before, now Said) card {
	c := card{ID: id, Marks: []bool{before.Right, now.Right}, Asked: lastOf(prompt)}
	if len(prompt) > 1 {
		c.Before = prompt[:len(prompt)-1]
	}
	return c
}

func (t *Tested) card() card {
	c := newCard(t.ID, t.Prompt, t.Before, t.Now)
	if t.Wanted != "" {
		c.Boxes = append(c.Boxes, box{Label: "wanted", Said: Said{Text: t.Wanted}})
	}
	c.Boxes = append(c.Boxes, boxes(t.Before, t.Now)...)
	return c
}

func (t *Told) card() card {
	c := newCard(t.ID, t.Prompt, t.Before, t.Now)
	for _, n := range []pair{{"note", t.Note}, {"rule", t.Rule}, {"also asked as", strings.Join(t.Paraphrases, " · ")},
		{"alike, but to stay", strings.Join(t.Near, " · ")}} {
		if n.Text != "" {
			c.Notes = append(c.Notes, n)
		}
	}
	label, rejected := "said before the round", lastOf(t.Rejected)
	switch {
	case rejected == "":
	case strings.TrimSpace(rejected) == strings.TrimSpace(t.Before.Text):
		label = "said when it was corrected, and before the round"
	default:
		c.Boxes = append(c.Boxes, box{"said when it was corrected", "fail", Said{Text: rejected}})
	}
	c.Boxes = append(c.Boxes, said(label, t.Before), box{Label: "wanted", Said: Said{Text: lastOf(t.Chosen)}},
		said("says now", t.Now))
	return c
}

// pairs are the keys and values of v as JSON has them, in their order.
func pairs(v any) ([]pair, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	if _, err := d.Token(); err != nil { // the bracket
		return nil, err
	}
	var out []pair
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, err
		}
		out = append(out, pair{fmt.Sprint(key), strings.Trim(string(value), `"`)})
	}
	return out, nil
}
