package page

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"embed"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"sync"

	"instruct/data/policy"
	"instruct/train/coach"
	"instruct/train/eval"
)

//go:embed static
var static embed.FS

// Options are what the page shows; what is empty is not on it.
type Options struct {
	Model     Model  // the server's
	Second    string // path of a second model, which answers beside it
	Behaviour string // folder of rounds; it may not be there yet
	Runs      string // folder of runs
	Suites    []string
	Policies  []string

	// Open loads a model to answer beside the first one; close gives its memory back, when it answers no more.
	Open func(path string) (m Model, close func(), err error)
	// Run runs a command of the program; what it says goes to out. Round and Eval are the arguments of the commands that
	// teach a file of corrections ("": none) and that write results into a folder; nil: they cannot be started.
	Run   func(ctx context.Context, args []string, out io.Writer) (code int)
	Round func(corrections string) []string
	Eval  func(dir string) []string
	// Rows are those that write a page with the training rows behind an answer of the server's model; nil: it is no run.
	Rows func(a Asked, page string) []string
}

// Model is a model that answers on the page.
type Model struct {
	Name        string             // for people
	System      string             // the system prompt of conversations without one
	Weights     string             // their sha256 in float32; "" where nothing asks for it
	Chat        http.Handler       // answers /v1/chat/completions; nil: the server that the page is mounted in
	Corrections *coach.Corrections // of its answers; nil: none are taken
}

// Page answers the page's requests. Close ends what it runs.
type Page struct {
	options Options
	token   string // that requests which change something must have: another site cannot know it
	index   []byte
	suites  []*eval.Suite
	policy  *policy.Policy
	runs    *os.Root // nil: none
	mux     *http.ServeMux
	scratch string // a folder for what commands read and write

	second     second
	opening    sync.Mutex // one model is loaded at a time
	correcting sync.Mutex // the file of corrections
	jobs       jobs
	results    results
}

// New reads what the page shows, so that what is wrong with it is said at once.
func New(ctx context.Context, o Options) (_ *Page, err error) {
	p := &Page{options: o, token: rand.Text(), mux: http.NewServeMux()}
	for _, name := range o.Suites {
		suite, err := eval.Read(ctx, name, "")
		if err != nil {
			return nil, err
		}
		p.suites = append(p.suites, suite)
	}
	if len(o.Policies) > 0 {
		if p.policy, err = policy.Read(o.Policies...); err != nil {
			return nil, err
		}
	}
	if o.Model.Corrections != nil {
		if err := o.Model.Corrections.Check(); err != nil {
			return nil, err
		}
	}
	if o.Runs != "" {
		if p.runs, err = os.OpenRoot(o.Runs); err != nil {
			return nil, mistake("runs %s: %v; it is a folder below which runs are", o.Runs, reasonOf(err))
		}
	}
	if p.index, err = indexPage(p.token); err != nil {
		return nil, err
	}
	if p.scratch, err = os.MkdirTemp("", "instruct-page-"); err != nil {
		return nil, err
	}
	for _, r := range routes() {
		p.mux.Handle(r.pattern, p.handler(r))
	}
	if o.Second != "" {
		if err := p.open(o.Second); err != nil {
			p.Close()
			return nil, err
		}
	}
	return p, nil
}

// Close ends the command that runs, waits for its end, and removes what it left.
func (p *Page) Close() {
	p.jobs.close()
	p.second.close()
	if p.runs != nil {
		p.runs.Close()
	}
	os.RemoveAll(p.scratch)
}

// route is what is answered to a method and a path; a POST changes something, so it needs the page's token.
type route struct {
	pattern string
	answer  func(p *Page, w http.ResponseWriter, r *http.Request) error
}

// routes are all of them.
func routes() []route {
	return []route{
		{"GET /{$}", (*Page).showIndex},
		{"GET /static/{name}", (*Page).showStatic},
		{"GET /api/page", (*Page).about},
		{"POST /api/second", (*Page).openCurrent},
		{"POST /api/second/chat", (*Page).chatSecond},
		{"GET /api/corrections", (*Page).showCorrections},
		{"POST /api/corrections", (*Page).correct},
		{"POST /api/corrections/undo", (*Page).undo},
		{"GET /api/job", (*Page).showJob},
		{"POST /api/job/stop", (*Page).stopJob},
		{"GET /api/rounds", (*Page).showRounds},
		{"POST /api/rounds", (*Page).startRound},
		{"GET /api/rounds/{round}/report", (*Page).showReport},
		{"POST /api/rows", (*Page).startRows},
		{"GET /api/rows/{report}/report", (*Page).showRows},
		{"GET /api/runs", (*Page).showRuns},
		{"GET /api/runs/metrics", (*Page).showMetrics},
		{"GET /api/suites", (*Page).showSuites},
		{"POST /api/suites", (*Page).startEval},
		{"GET /api/suites/report", (*Page).showAnswers},
		{"/", func(_ *Page, _ http.ResponseWriter, r *http.Request) error {
			return failed(http.StatusNotFound, "there is no %s %s here", r.Method, r.URL.Path)
		}},
	}
}

// handler guards a route.
func (p *Page) handler(x route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		err := p.ownPage(r)
		if err == nil {
			err = x.answer(p, w, r)
		}
		if err != nil {
			fail(w, err)
		}
	})
}

// ServeHTTP implements http.Handler.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.mux.ServeHTTP(w, r) }

// ownPage refuses what would change something and does not come from the page.
func (p *Page) ownPage(r *http.Request) error {
	if r.Method != http.MethodPost {
		return nil
	}
	given := r.Header.Get("X-Instruct-Token")
	if r.Header.Get("Origin") == "" || subtle.ConstantTimeCompare([]byte(given), []byte(p.token)) != 1 {
		return failed(http.StatusForbidden, "only the page of this server may ask this; load it again")
	}
	return nil
}

func indexPage(token string) ([]byte, error) {
	t, err := template.ParseFS(static, "static/index.html")
	if err != nil {
		return nil, fmt.Errorf("page: %w", err)
	}
	var b bytes.Buffer
	err = t.Execute(&b, token)
	return b.Bytes(), err
}

func (p *Page) showIndex(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(p.index) // a client that has gone misses nothing
	return nil
}

// types are those of the embedded files, whatever the system says of their names.
var types = map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
	".svg": "image/svg+xml"}

// showStatic gives an embedded file; look.css is the style of all pages.
func (p *Page) showStatic(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("name")
	text, err := fs.ReadFile(static, "static/"+name)
	switch {
	case name == "look.css":
		text = []byte(eval.Style())
	case err != nil || types[path.Ext(name)] == "":
		return failed(http.StatusNotFound, "there is no file %q here", name)
	}
	w.Header().Set("Content-Type", types[path.Ext(name)])
	_, _ = w.Write(text)
	return nil
}

// about says what is on the page.
func (p *Page) about(w http.ResponseWriter, _ *http.Request) error {
	type shown struct {
		Name        string `json:"name"`
		System      string `json:"system"`
		Chat        string `json:"chat"`
		Corrections bool   `json:"corrections"`
		Rows        bool   `json:"rows"` // those that taught an answer can be looked for
	}
	type parts struct {
		Models []shown  `json:"models"`
		Rules  []string `json:"rules"` // ids
		Rounds bool     `json:"rounds"`
		Runs   bool     `json:"runs"`
		Suites bool     `json:"suites"`
	}
	x := parts{Rules: []string{}, Rounds: p.options.Behaviour != "", Runs: p.runs != nil,
		Suites: len(p.suites) > 0 || p.policy != nil}
	for i, m := range p.models() {
		chat := "/v1/chat/completions"
		if i > 0 {
			chat = "/api/second/chat"
		}
		rows := i == 0 && p.options.Rows != nil
		x.Models = append(x.Models, shown{m.Name, m.System, chat, m.Corrections != nil, rows})
	}
	if p.policy != nil {
		for _, r := range p.policy.Rules {
			x.Rules = append(x.Rules, r.ID)
		}
	}
	return reply(w, x)
}
