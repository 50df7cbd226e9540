package eval

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"

	"instruct/data/checks"
	"instruct/data/policy"
	"instruct/tokenizer/chat"
)

//go:embed page.html
var pageSource string

//go:embed page.css
var pageStyle string

// Style is how the pages for people look, in light and in dark; other packages' pages share it.
func Style() template.CSS { return template.CSS(pageStyle) }

// Candidate is a model, or answers made elsewhere, with what was found of it, suite by suite.
type Candidate struct {
	Name    string
	Rows    []Row
	Samples [][]Sample
	Judged  [][][]policy.Judgement // of each sample by the rules that apply to it, nil without a policy
	Against []Comparison           // of the first candidate with this one; nil for the first
	Voices  []*Voices              // of the suites that have some
}

// Page is a report for people: one self-contained HTML file with every test and every answer.
type Page struct {
	Suites []*Suite
	Models []Candidate
}

// The page's script reads these as JSON: tests stand in one list over all suites, a test has a sample of each model.
type (
	pageData struct {
		Models []pageModel `json:"models"`
		Suites []pageSuite `json:"suites"`
		Tests  []pageTest  `json:"tests"`
	}
	pageModel struct {
		Name    string        `json:"name"`
		Rows    []Row         `json:"rows"`
		Against []pageAgainst `json:"against"`
		Voices  []*Voices     `json:"voices,omitempty"`
	}
	pageSuite struct {
		Name  string `json:"name"`
		Tests int    `json:"tests"`
	}
	pageAgainst struct {
		Fixed int        `json:"fixed"`
		Lost  int        `json:"lost"`
		P     float64    `json:"p"`
		Pass  Difference `json:"pass"`
		Score Difference `json:"score"`
	}
	pageTest struct {
		Suite    int            `json:"suite"`
		ID       string         `json:"id"`
		Groups   []string       `json:"groups"`
		Messages []chat.Message `json:"messages"`
		Want     string         `json:"want,omitempty"`
		Asked    bool           `json:"asked"` // or judged by log-probabilities only
		Samples  []pageSample   `json:"samples"`
	}
	pageSample struct {
		Answer  string          `json:"answer"`
		Pass    bool            `json:"pass"`
		Score   float64         `json:"score"`
		Reason  string          `json:"reason,omitempty"`
		Metrics []checks.Metric `json:"metrics,omitempty"`
		Checks  []pageCheck     `json:"checks,omitempty"`
	}
	pageCheck struct {
		Type   string      `json:"type"`
		Metric string      `json:"metric,omitempty"`
		Pass   bool        `json:"pass"`
		Score  float64     `json:"score"`
		Reason string      `json:"reason,omitempty"`
		Checks []pageCheck `json:"checks,omitempty"`
	}
)

// Write writes the page. It needs no network and no other file; what models and suites say is shown as text.
func (p *Page) Write(w io.Writer) error {
	t, err := template.New("page").Funcs(template.FuncMap{"style": Style}).Parse(pageSource)
	if err != nil {
		return fmt.Errorf("eval: page: %w", err)
	}
	if err := t.Execute(w, p.data()); err != nil {
		return fmt.Errorf("eval: write page: %w", err)
	}
	return nil
}

func (p *Page) data() pageData {
	var d pageData
	for _, m := range p.Models {
		one := pageModel{Name: m.Name, Rows: m.Rows, Voices: m.Voices}
		for _, c := range m.Against {
			one.Against = append(one.Against,
				pageAgainst{Fixed: len(c.Fixed), Lost: len(c.Lost), P: c.P, Pass: c.Pass, Score: c.Score})
		}
		d.Models = append(d.Models, one)
	}
	for i, s := range p.Suites {
		d.Suites = append(d.Suites, pageSuite{Name: s.Name, Tests: len(s.Tests)})
		for j := range s.Tests {
			d.Tests = append(d.Tests, p.test(i, j))
		}
	}
	return d
}

// test is test j of suite i. Its groups are named as in [Row].
func (p *Page) test(i, j int) pageTest {
	t := &p.Suites[i].Tests[j]
	out := pageTest{Suite: i, ID: t.ID, Messages: t.Messages, Want: t.Want, Asked: t.Asked()}
	group := func(name string, _ float64) {
		if name != "" && !slices.Contains(out.Groups, name) {
			out.Groups = append(out.Groups, name)
		}
	}
	t.eachGroup(&p.Models[0].Samples[i][j], group)
	for _, m := range p.Models {
		x := &m.Samples[i][j]
		one := pageSample{Answer: x.Answer, Pass: x.Pass, Score: x.Score, Reason: x.Reason, Metrics: x.Metrics,
			Checks: pageChecks(x.Parts)}
		if m.Judged != nil {
			for _, r := range m.Judged[i][j] {
				group(ruleGroup(r.Rule), 0)
				one.Checks = append(one.Checks, pageCheck{Type: ruleGroup(r.Rule), Pass: r.Pass, Reason: r.Reason})
			}
		}
		out.Samples = append(out.Samples, one)
	}
	return out
}

func pageChecks(parts []checks.Result) []pageCheck {
	var out []pageCheck
	for _, r := range parts {
		out = append(out, pageCheck{Type: r.Type, Metric: r.Metric, Pass: r.Pass, Score: r.Score, Reason: r.Reason,
			Checks: pageChecks(r.Parts)})
	}
	return out
}
