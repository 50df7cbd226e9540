package page

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"instruct/data"
	"instruct/model/pretrained"
	"instruct/tokenizer/chat"
	"instruct/train/coach"
)

// newPage makes a page in a folder with runs, a suite and a policy, and its commands say what they were told.
func newPage(t *testing.T, change func(o *Options)) *Page {
	t.Helper()
	t.Chdir(t.TempDir())
	write(t, "s.yaml", `prompts: ["{{q}}"]`+"\ntests:\n  - vars: {q: <i>a</i>}\n"+
		"    assert: [{type: equals, value: yes}]\n")
	write(t, "p.yaml", "rules:\n  - {id: brief, text: Be brief., severity: warn, "+
		"assert: [{type: not-contains, value: long}]}\n")
	write(t, "runs/a/metrics.jsonl", `{"step":1,"loss":2.5,"grad_norm":1}`+"\n"+`{"step":1,"eval_loss":2}`+"\n"+
		`{"step":2,"lo`)
	write(t, "runs/a/run.json", `{"model":"/somewhere/base","steps":4,"started":"2026-01-01T00:00:00Z"}`)
	write(t, "runs/a/checkpoint-2/metrics.jsonl", "{}\n")
	write(t, "runs/secret.txt", "secret")
	file := &coach.Corrections{Path: "c.jsonl", Author: "me", Model: "0f", Now: time.Now}
	o := Options{Model: Model{Name: "m", System: "S", Weights: "0f", Corrections: file}, Runs: "runs",
		Suites: []string{"s.yaml"}, Policies: []string{"p.yaml"}, Behaviour: "shop",
		Open: func(path string) (Model, func(), error) {
			return Model{Name: path, Weights: "1f", Chat: http.NotFoundHandler()}, func() {}, nil
		},
		Run: func(ctx context.Context, args []string, out io.Writer) int {
			fmt.Fprintf(out, "ran %s\nbefore: 1 of 4 done, 3s left   \rbefore: 2 of 4 done", strings.Join(args, " "))
			return 0
		},
		Round: func(corrections string) []string { return []string{"round", corrections} },
		Eval:  func(dir string) []string { return []string{"eval", dir} },
		Rows: func(a Asked, page string) []string {
			return []string{"explain", a.System, a.Prompt, a.Answer, fmt.Sprint(a.Cut), page}
		}}
	if change != nil {
		change(&o)
	}
	p, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// ask sends a request as the page does, and gives status, body and header.
func (p *Page) ask(method, path, body string, change ...func(r *http.Request)) (int, string, http.Header) {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Origin", "http://example.com")
	r.Header.Set("X-Instruct-Token", p.token)
	for _, f := range change {
		f(r)
	}
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	return w.Code, w.Body.String(), w.Header()
}

// ended waits for the job.
func (p *Page) ended(t *testing.T) jobState {
	t.Helper()
	<-p.jobs.last.ended
	_, body, _ := p.ask("GET", "/api/job", "")
	var s jobState
	if err := json.Unmarshal([]byte(body), &s); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return s
}

func TestRoutes(t *testing.T) {
	p := newPage(t, nil)
	for _, x := range []struct {
		method, path, body string
		status             int
		has                string
	}{
		{"GET", "/", "", 200, `<meta name="token" content="` + p.token},
		{"HEAD", "/", "", 200, ``},
		{"GET", "/static/app.js", "", 200, `import { get }`},
		{"GET", "/static/look.css", "", 200, `--good`},
		{"GET", "/static/index.html", "", 404, `there is no file`},
		{"GET", "/static/..%2fpage.go", "", 404, `there is no file`},
		{"GET", "/nothing", "", 404, `there is no GET /nothing here`},
		{"PUT", "/api/corrections", "", 404, `there is no PUT`},
		{"GET", "/api/page", "", 200, `"rules":["brief"],"rounds":true,"runs":true,"suites":true`},
		{"GET", "/api/job", "", 200, `null`},
		{"GET", "/api/runs", "", 200, `"all":1`},
		{"GET", "/api/runs", "", 200, `"path":"a","model":"base"`},
		{"GET", "/api/runs", "", 200, `"last":{"step":1,"loss":2.5,"grad_norm":1},"eval_loss":2}`},
		{"GET", "/api/runs/metrics?run=a", "", 200, `{"rows":[{"step":1,"loss":2.5,"grad_norm":1},` +
			`{"step":1,"eval_loss":2}],"next":61,"again":false,"more":false}`},
		{"GET", "/api/runs/metrics?run=a&from=36", "", 200, `{"rows":[{"step":1,"eval_loss":2}],"next":61,`},
		{"GET", "/api/runs/metrics?run=a&from=1000", "", 200, `"again":true`},
		{"GET", "/api/runs/metrics?run=a&from=-1", "", 400, `from is`},
		{"GET", "/api/runs/metrics?run=../runs/a", "", 404, `there is no run`},
		{"GET", "/api/runs/metrics?run=/etc", "", 404, `there is no run`},
		{"GET", "/api/runs/metrics?run=b", "", 404, `there is no run`},
		{"GET", "/api/suites", "", 200, `{"suites":[{"name":"s","tests":[{"id":"s.yaml:3","asked":"\u003ci\u003ea`},
		{"GET", "/api/suites", "", 200, `"rules":[{"id":"brief","text":"Be brief.","severity":"warn"}],` +
			`"start":true,"results":null`},
		{"GET", "/api/suites/report", "", 404, `nothing has been asked yet`},
		{"GET", "/api/rows/1/report", "", 404, `there is no report`},
		{"GET", "/api/rows/..%2f..%2fx/report", "", 404, `there is no report`},
		{"GET", "/api/rounds", "", 200, `"begun":false`},
		{"GET", "/api/rounds/1/report", "", 404, `no such report`},
		{"GET", "/api/rounds/..%2f..%2fx/report", "", 404, `there is no round`},
		{"GET", "/api/rounds/-1/report", "", 404, `there is no round`},
		{"POST", "/api/rounds", "", 400, `there is nothing new to teach`},
		{"POST", "/api/rows", `{"prompt":[],"answer":"a"}`, 400, `the first answer of a conversation`},
		{"POST", "/api/rows", `{"prompt":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},` +
			`{"role":"user","content":"c"}],"answer":"d"}`, 400, `the first answer of a conversation`},
		{"POST", "/api/second/chat", "{}", 404, `there is no second model`},
		{"POST", "/api/corrections", `{"modle":1}`, 400, `unknown field \"modle\"`},
		{"POST", "/api/corrections", `{} {}`, 400, `more than one value`},
		{"POST", "/api/corrections", `{"model":7}`, 404, `no corrections are taken`},
		{"POST", "/api/corrections", `{"prompt":[{"role":"user","content":"q"}],"wanted":" "}`, 400, `correction is empty`},
		{"POST", "/api/corrections", strings.Repeat(" ", maxBody+1), 400, `too large`},
	} {
		status, body, h := p.ask(x.method, x.path, x.body)
		if status != x.status || !strings.Contains(body, x.has) {
			t.Errorf("%s %s %.40s: %d %s\nwant %d %s", x.method, x.path, x.body, status, body, x.status, x.has)
		}
		security := h.Get("Content-Security-Policy")
		if !strings.HasPrefix(security, "default-src 'self'") || h.Get("X-Content-Type-Options") == "" {
			t.Errorf("%s %s: headers %v", x.method, x.path, h)
		}
	}
}

// TestOnlyThePageChangesThings: a request that changes something needs the token of the page and its origin.
func TestOnlyThePageChangesThings(t *testing.T) {
	p := newPage(t, nil)
	for _, change := range []func(r *http.Request){
		func(r *http.Request) { r.Header.Del("X-Instruct-Token") },
		func(r *http.Request) { r.Header.Set("X-Instruct-Token", "guess") },
		func(r *http.Request) { r.Header.Del("Origin") },
	} {
		for _, path := range []string{"/api/corrections", "/api/corrections/undo", "/api/rounds", "/api/suites",
			"/api/second", "/api/rows", "/api/job/stop"} {
			if status, body, _ := p.ask("POST", path, "{}", change); status != http.StatusForbidden {
				t.Errorf("%s: %d %s", path, status, body)
			}
		}
	}
}

// TestNothingIsShownThatWasNotGiven: without flags there is the chat alone.
func TestNothingIsShownThatWasNotGiven(t *testing.T) {
	p := newPage(t, func(o *Options) { *o = Options{Model: Model{Name: "m"}} })
	if _, body, _ := p.ask("GET", "/api/page", ""); !strings.Contains(body,
		`"corrections":false,"rows":false}],"rules":[],"rounds":false,"runs":false,"suites":false}`) {
		t.Error(body)
	}
	for _, path := range []string{"GET /api/runs", "GET /api/runs/metrics?run=a", "GET /api/rounds",
		"GET /api/rounds/1/report", "POST /api/second", "GET /api/corrections", "POST /api/corrections",
		"POST /api/rounds", "POST /api/suites", "POST /api/rows"} {
		method, path, _ := strings.Cut(path, " ")
		if status, body, _ := p.ask(method, path, "{}"); status != http.StatusNotFound {
			t.Errorf("%s %s: %d %s", method, path, status, body)
		}
	}
}

// TestRows: the rows behind an answer are looked for as it was asked, and each search has a report of its own.
func TestRows(t *testing.T) {
	p := newPage(t, func(o *Options) {
		o.Run = func(_ context.Context, args []string, out io.Writer) int {
			write(t, args[len(args)-1], strings.Join(args[:len(args)-1], "|"))
			return 0
		}
	})
	for n, x := range []struct{ system, more string }{
		{"", ""},
		{`{"role":"system","content":"T"},`, `,"cut":true`},
	} {
		status, body, _ := p.ask("POST", "/api/rows", `{"prompt":[`+x.system+`{"role":"user","content":"q"}],"answer":"no"`+
			x.more+`}`)
		if want := fmt.Sprintf("{\"report\":%d}\n", n+1); status != 200 || body != want {
			t.Fatalf("%d %s, want %s", status, body, want)
		}
		if s := p.ended(t); s.Kind != "rows" || s.Code != 0 {
			t.Errorf("%+v", s)
		}
	}
	_, body, h := p.ask("GET", "/api/rows/1/report", "")
	if body != "explain|S|q|no|false" || !strings.Contains(h.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("%s %v", body, h)
	}
	if _, body, _ := p.ask("GET", "/api/rows/2/report", ""); body != "explain|T|q|no|true" {
		t.Error(body)
	}
}

func TestMistakes(t *testing.T) {
	p := newPage(t, nil)
	write(t, "bad.yaml", "tests: 3\n")
	write(t, "broken.jsonl", "{\n")
	for want, change := range map[string]func(o *Options){
		"bad.yaml":      func(o *Options) { o.Suites = []string{"bad.yaml"} },
		"runs nowhere:": func(o *Options) { o.Runs = "nowhere" },
		"broken.jsonl:1": func(o *Options) {
			o.Model.Corrections = &coach.Corrections{Path: "broken.jsonl"}
		},
	} {
		o := p.options
		change(&o)
		if _, err := New(t.Context(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestCorrect(t *testing.T) {
	p := newPage(t, nil)
	correct := func(wanted, more string) string {
		t.Helper()
		status, body, _ := p.ask("POST", "/api/corrections", `{"prompt":[{"role":"user","content":"q"}],"answer":"no",`+
			`"wanted":"`+wanted+`","note":"n","paraphrases":["Q?"],"near":["r"],"rule":"brief"`+more+`}`)
		var made struct{ ID, File string }
		if err := json.Unmarshal([]byte(body), &made); status != 200 || err != nil || made.File != "c.jsonl" {
			t.Fatalf("%d %s", status, body)
		}
		return made.ID
	}
	all := func() []data.Correction {
		t.Helper()
		list, err := p.options.Model.Corrections.All()
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	first := correct("<b>yes</b> ", "")
	c := all()[0]
	if c.ID != first || c.Prompt[0].Role != "system" || c.Prompt[0].Content != "S" || c.Prompt[1].Content != "q" ||
		c.Chosen[0].Content != "<b>yes</b>" || c.Rejected[0].Content != "no" || c.Note != "n" || c.Rule != "brief" ||
		c.Paraphrases[0] != "Q?" || c.Near[0] != "r" || c.Author != "me" || c.Model != "0f" {
		t.Errorf("%+v", c)
	}
	if again := correct("<b>yes</b>", ""); again != first || len(all()) != 1 {
		t.Errorf("the same correction is there twice: %+v", all())
	}
	second := correct("maybe", "")
	if changed := correct("perhaps", `,"replaces":"`+second+`"`); changed != second || len(all()) != 2 ||
		all()[1].Chosen[0].Content != "perhaps" {
		t.Errorf("%s %+v", changed, all())
	}
	if _, body, _ := p.ask("GET", "/api/corrections", ""); !strings.Contains(body, `"asked":"q","wanted":"perhaps"`) {
		t.Error(body)
	}
	if status, body, _ := p.ask("POST", "/api/corrections/undo", `{"id":"`+first+`"}`); status != 400 ||
		!strings.Contains(body, "the last one is "+second) {
		t.Errorf("%d %s", status, body)
	}
	for _, id := range []string{second, first} {
		if status, body, _ := p.ask("POST", "/api/corrections/undo", `{"id":"`+id+`"}`); status != 200 {
			t.Errorf("%d %s", status, body)
		}
	}
	if _, err := os.Stat("c.jsonl"); !os.IsNotExist(err) {
		t.Errorf("the file is still there: %v", err)
	}
}

// TestRounds: what was taught is not taught again, and there is one command at a time.
func TestRounds(t *testing.T) {
	release := make(chan struct{})
	var taught string
	p := newPage(t, func(o *Options) {
		run := o.Run
		o.Run = func(ctx context.Context, args []string, out io.Writer) int {
			text, _ := os.ReadFile(args[1])
			taught = string(text)
			code := run(ctx, args, out)
			select {
			case <-release:
			case <-ctx.Done():
				return 130
			}
			return code
		}
	})
	file := p.options.Model.Corrections
	old := file.New([]chat.Message{{Role: "user", Content: "old"}}, "yes", "no")
	if err := pretrained.Begin("shop", pretrained.Base{Model: "m", Weights: "0f"}); err != nil {
		t.Fatal(err)
	}
	line, _ := old.Line()
	write(t, "shop/rounds/001/corrections.jsonl", string(line))
	write(t, "shop/rounds/001/round.json", `{"round":1}`)
	write(t, "shop/rounds/001/report.html", "<h1>told</h1>")
	write(t, "shop/rounds/001/config.json", "{}")
	write(t, "shop/ledger.jsonl", `{"round":1,"weights_sha256":"1f","verdict":"accepted","author":"me","about":["old"],`+
		`"corrections":1}`+"\n")
	write(t, "shop/current", "1\n")
	for _, c := range []data.Correction{old, file.New([]chat.Message{{Role: "user", Content: "new"}}, "yes", "no")} {
		if err := file.Add(c); err != nil {
			t.Fatal(err)
		}
	}
	if _, body, _ := p.ask("GET", "/api/rounds", ""); !strings.Contains(body, `"begun":true,"current":1,"base":"m"`) ||
		!strings.Contains(body, `"report":true`) || !strings.Contains(body, `"speaks":false`) {
		t.Error(body)
	}
	if _, body, _ := p.ask("POST", "/api/second", ""); !strings.Contains(body, `"name":"shop, round 1"`) {
		t.Error(body)
	}
	if _, body, _ := p.ask("GET", "/api/rounds", ""); !strings.Contains(body, `"speaks":true`) {
		t.Error(body)
	}
	_, body, h := p.ask("GET", "/api/rounds/1/report", "")
	if body != "<h1>told</h1>" || !strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("%s %v", body, h)
	}
	if status, body, _ := p.ask("POST", "/api/rounds", ""); status != 200 || !strings.Contains(body, `"running":true`) {
		t.Fatalf("%d %s", status, body)
	}
	if status, body, _ := p.ask("POST", "/api/suites", ""); status != http.StatusConflict {
		t.Errorf("%d %s", status, body)
	}
	for p.jobs.last.state().Of != 4 && t.Context().Err() == nil {
		time.Sleep(time.Millisecond)
	}
	close(release)
	if s := p.ended(t); s.Kind != "round" || s.Running || s.Code != 0 || s.Lines[1] != "before: 1 of 4 done, 3s left" ||
		s.Lines[2] != "before: 2 of 4 done" {
		t.Errorf("%+v", s)
	}
	if strings.Contains(taught, "old") || !strings.Contains(taught, "new") {
		t.Errorf("taught %s", taught)
	}
	release = make(chan struct{})
	p.ask("POST", "/api/rounds", "")
	p.ask("POST", "/api/job/stop", "")
	if s := p.ended(t); s.Code != 130 {
		t.Errorf("%+v", s)
	}
}

// TestEval: results are those of the last command that wrote some.
func TestEval(t *testing.T) {
	text := `{"candidates":[]}`
	p := newPage(t, func(o *Options) {
		o.Run = func(_ context.Context, args []string, _ io.Writer) int {
			if text == "" {
				return 2
			}
			write(t, filepath.Join(args[1], "results.json"), text)
			write(t, AnswersPage(args[1]), "<p>all")
			return 0
		}
	})
	for range 2 {
		p.ask("POST", "/api/suites", "")
		p.ended(t)
		if _, body, _ := p.ask("GET", "/api/suites", ""); !strings.Contains(body, `"results":{"candidates":[]}`) {
			t.Error(body)
		}
		_, body, h := p.ask("GET", "/api/suites/report", "")
		if body != "<p>all" || !strings.HasSuffix(h.Get("Content-Security-Policy"), "sandbox allow-scripts") {
			t.Errorf("%s %v", body, h)
		}
		text = ""
	}
	if left, _ := filepath.Glob(filepath.Join(p.scratch, "eval-*")); len(left) != 1 {
		t.Errorf("%v is left", left)
	}
}

// TestRunsStayBelowTheirFolder: a link that leads out of it is no way out.
func TestRunsStayBelowTheirFolder(t *testing.T) {
	p := newPage(t, nil)
	write(t, "outside/metrics.jsonl", `{"step":9,"loss":1}`+"\n")
	if err := os.Symlink("../outside", "runs/link"); err != nil {
		t.Skip("no symbolic link can be made here: ", err)
	}
	if err := os.Mkdir("runs/b", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../../outside/metrics.jsonl", "runs/b/metrics.jsonl"); err != nil {
		t.Fatal(err)
	}
	if _, body, _ := p.ask("GET", "/api/runs", ""); !strings.Contains(body, `"all":1`) {
		t.Error(body)
	}
	for _, run := range []string{"link", "b"} {
		if status, body, _ := p.ask("GET", "/api/runs/metrics?run="+run, ""); status != 404 {
			t.Errorf("%s: %d %s", run, status, body)
		}
	}
}

func FuzzMetrics(f *testing.F) {
	f.Add([]byte(`{"step":1,"loss":2.5,"grad_norm":1}` + "\n" + `{"step":2,"lo`))
	f.Add([]byte("null\n{}\n[]\n{\"loss\":1e999}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		rows := rowsOf(text)
		if _, err := json.Marshal(rows); err != nil || rows == nil {
			t.Errorf("%q: %v", text, err)
		}
	})
}
