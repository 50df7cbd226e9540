package page

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
)

// results are the files of the last evaluation that came to its end.
type results struct {
	mu   sync.Mutex
	dir  string
	n    int // evaluations that were started
	rows int // searches for rows that were started
}

const (
	resultsFile = "results.json"
	answersPage = "answers.html"
)

// AnswersPage is the page in the folder of [Options.Eval] that shows every answer.
func AnswersPage(dir string) string { return filepath.Join(dir, answersPage) }

// shownSuite is a suite for the page.
type shownSuite struct {
	Name  string      `json:"name"`
	Tests []shownTest `json:"tests"`
}

type shownTest struct {
	ID     string `json:"id"`
	Asked  string `json:"asked"`
	Wanted string `json:"wanted"` // an answer that passes, where one is known
}

// shownRule is a rule of a policy for the page.
type shownRule struct {
	ID       string `json:"id"`
	Text     string `json:"text"`
	Severity string `json:"severity"`
}

// mostTests is how many tests of a suite are listed.
const mostTests = 500

// showSuites shows the suites, the rules and what the last evaluation found.
func (p *Page) showSuites(w http.ResponseWriter, _ *http.Request) error {
	all := struct {
		Suites  []shownSuite    `json:"suites"`
		Rules   []shownRule     `json:"rules"`
		Start   bool            `json:"start"`   // they can be asked
		Results json.RawMessage `json:"results"` // results.json of instruct eval, or null
	}{Suites: []shownSuite{}, Rules: []shownRule{}, Start: p.options.Eval != nil, Results: json.RawMessage("null")}
	for _, s := range p.suites {
		x := shownSuite{s.Name, []shownTest{}}
		for i := range s.Tests[:min(len(s.Tests), mostTests)] {
			t := &s.Tests[i]
			x.Tests = append(x.Tests, shownTest{t.ID, t.Prompt(), t.Want})
		}
		all.Suites = append(all.Suites, x)
	}
	if p.policy != nil {
		for _, r := range p.policy.Rules {
			all.Rules = append(all.Rules, shownRule{r.ID, r.Text, string(r.Severity)})
		}
	}
	p.results.mu.Lock()
	defer p.results.mu.Unlock()
	if p.results.dir != "" {
		text, err := os.ReadFile(filepath.Join(p.results.dir, resultsFile))
		if err != nil {
			return err
		}
		all.Results = text
	}
	return reply(w, all)
}

// startEval asks the suites, or the prompts of the policy's examples where there is no suite.
func (p *Page) startEval(w http.ResponseWriter, r *http.Request) error {
	if p.options.Eval == nil || len(p.suites) == 0 && p.policy == nil {
		return failed(http.StatusNotFound, "there is nothing to ask; instruct serve takes --suite and --policy")
	}
	p.results.mu.Lock()
	p.results.n++
	dir := filepath.Join(p.scratch, fmt.Sprintf("eval-%d", p.results.n))
	p.results.mu.Unlock()
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	err := p.start("evaluation", p.options.Eval(dir), func(int) {
		p.results.mu.Lock()
		defer p.results.mu.Unlock()
		if _, err := os.Stat(filepath.Join(dir, resultsFile)); err == nil { // a rule that is broken has results too
			dir, p.results.dir = p.results.dir, dir
		}
		if dir != "" {
			os.RemoveAll(dir)
		}
	})
	if err != nil {
		os.Remove(dir)
		return err
	}
	return p.showJob(w, r)
}

// showAnswers shows the page with every answer of the last evaluation. Its script filters what is shown and has no way
// out: the page is held in an origin of its own.
func (p *Page) showAnswers(w http.ResponseWriter, _ *http.Request) error {
	p.results.mu.Lock()
	defer p.results.mu.Unlock()
	if p.results.dir == "" {
		return failed(http.StatusNotFound, "nothing has been asked yet")
	}
	return sendReport(w, AnswersPage(p.results.dir), "default-src 'none'; style-src 'unsafe-inline'; "+
		"script-src 'unsafe-inline'; frame-ancestors 'self'; sandbox allow-scripts")
}
