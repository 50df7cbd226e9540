package attribute

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"

	"instruct/model/kernel/exact"
	"instruct/train/eval"
)

//go:embed page.html
var pageSource string

// Probability is that of a token, from 0 to 1.
func (o Other) Probability() float64 { return exact.Exp(o.Logprob) }

// Shade is how far a token's log-probability lies from 0, in steps from 0 to 9, for its colour.
func (t Token) Shade() int { return min(9, int(-2*t.Logprob)) }

// side is the rows on one side of an answer.
type side struct {
	Title string
	Rows  []Row
}

// WritePage writes explanations as one self-contained HTML file. It needs no script, no network and no other file; what
// models and rows say is shown as text.
func WritePage(w io.Writer, run string, all []Explanation) error {
	t, err := template.New("page").Funcs(template.FuncMap{"style": eval.Style, "others": others, "steps": steps,
		"list":  func(s []string) string { return strings.Join(s, ", ") },
		"nats":  func(x float64) string { return fmt.Sprintf("%+.4f", x) },
		"minus": func(a float64, b *float64) float64 { return a - *b },
		"plus":  func(a, b float64) float64 { return a + b },
		"side":  func(title string, rows []Row) side { return side{title, rows} },
	}).Parse(pageSource)
	if err != nil {
		return fmt.Errorf("explain: page: %w", err)
	}
	if err := t.Execute(w, struct {
		Run string
		All []Explanation
	}{run, all}); err != nil {
		return fmt.Errorf("explain: write page: %w", err)
	}
	return nil
}
