package page

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"

	"instruct/tokenizer/chat"
)

// Asked is an answer of the server's model to the first message of a conversation.
type Asked struct {
	System, Prompt, Answer string
	Cut                    bool // it did not end
}

// startRows looks for the training rows that taught an answer. It is told the number of the report.
func (p *Page) startRows(w http.ResponseWriter, r *http.Request) error {
	if p.options.Rows == nil {
		return failed(http.StatusNotFound, "the model is no run whose rows could be looked at; instruct serve --model RUN")
	}
	var x struct {
		Prompt []chat.Message `json:"prompt"`
		Answer string         `json:"answer"`
		Cut    bool           `json:"cut"`
	}
	if err := read(w, r, &x); err != nil {
		return err
	}
	asked := Asked{System: p.options.Model.System, Answer: x.Answer, Cut: x.Cut}
	if len(x.Prompt) > 0 && x.Prompt[0].Role == "system" {
		asked.System, x.Prompt = x.Prompt[0].Content, x.Prompt[1:]
	}
	if len(x.Prompt) != 1 || x.Prompt[0].Role != "user" || x.Answer == "" {
		return mistake("rows are looked for behind the first answer of a conversation; start anew, and ask again")
	}
	asked.Prompt = x.Prompt[0].Content
	p.results.mu.Lock()
	p.results.rows++
	n := p.results.rows
	p.results.mu.Unlock()
	if err := p.start("rows", p.options.Rows(asked, p.rowsPage(n)), func(int) {}); err != nil {
		return err
	}
	return reply(w, map[string]int{"report": n})
}

// rowsPage is the file of a report.
func (p *Page) rowsPage(n int) string {
	return filepath.Join(p.scratch, fmt.Sprintf("rows-%d.html", n))
}

// showRows shows a report, which needs no script.
func (p *Page) showRows(w http.ResponseWriter, r *http.Request) error {
	n, err := strconv.Atoi(r.PathValue("report"))
	if err == nil {
		_, err = os.Stat(p.rowsPage(n))
	}
	if err != nil {
		return failed(http.StatusNotFound, "there is no report %q of rows", r.PathValue("report"))
	}
	return sendReport(w, p.rowsPage(n), "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox")
}
