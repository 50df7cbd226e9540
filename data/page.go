package data

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
)

//go:embed page.html
var pageSource string

// The measures of the page: how many rows of each kind and how many tokens of each row it shows, and its chart.
const (
	pageFirst   = 8
	pageSamples = 3
	pageTokens  = 4000
	pageBars    = 48
	chartWidth  = 960
	chartHeight = 160
)

// page is what page.html shows.
type page struct {
	Title, Template string
	Table           []line
	Width, Height   int
	Bars            []bar
	LimitAt         float64 // where max_length stands in the chart; 0 when outside
	Limit, Longest  int
	Most, Step      int // rows of the highest bar, lengths of each
	Rows            []pageRow
}

// bar is a bar of the histogram.
type bar struct {
	X, Y, W, H       float64
	From, To, Number int
}

// pageRow is a row with its tokens.
type pageRow struct {
	Source, Why     string
	Length, Trained int
	Tokens          []pageToken
	Hidden          int // tokens beyond pageTokens
	Unused          string
}

// pageToken is a token with its style and what a pointer above it shows.
type pageToken struct{ Class, Title, Text string }

// WriteHTML writes one self-contained page: the audit, a histogram of the lengths, and rows with their trained tokens
// marked: the first ones, and some of each kind that the audit counts apart. rows, examples and audit belong to one
// EncodeAll of e.
func (e *Encoder) WriteHTML(w io.Writer, title string, rows []Row, examples []Example, audit *Audit) error {
	shown, err := e.pageRows(rows, audit)
	if err != nil {
		return err
	}
	p := page{
		Title: title, Template: e.Template.Hash()[:12], Table: audit.lines(), Rows: shown,
		Width: chartWidth, Height: chartHeight, Limit: e.MaxLength, Longest: audit.Longest,
	}
	p.chart(examples)
	t, err := template.New("page").Parse(pageSource)
	if err != nil {
		return fmt.Errorf("data: page: %w", err)
	}
	if err := t.Execute(w, p); err != nil {
		return fmt.Errorf("data: write page: %w", err)
	}
	return nil
}

// chart makes the histogram of the lengths.
func (p *page) chart(examples []Example) {
	if p.Longest == 0 {
		return
	}
	width := (p.Longest + pageBars) / pageBars // tokens of a bar; the longest row falls into the last
	counts := make([]int, p.Longest/width+1)
	for i := range examples {
		counts[len(examples[i].IDs)/width]++
	}
	most := slices.Max(counts)
	p.Most, p.Step = most, width
	step := float64(chartWidth) / float64(len(counts))
	for i, n := range counts {
		h := float64(chartHeight) * float64(n) / float64(most)
		if n > 0 {
			h = max(h, 1.5)
		}
		p.Bars = append(p.Bars, bar{
			X: float64(i) * step, Y: chartHeight - h, W: max(step-1, 0.5), H: h,
			From: i * width, To: (i+1)*width - 1, Number: n,
		})
	}
	if at := float64(p.Limit) / float64(width) * step; p.Limit > 0 && at <= chartWidth {
		p.LimitAt = at
	}
}

// pageRows encodes rows again until there are some of each kind.
func (e *Encoder) pageRows(rows []Row, audit *Audit) ([]pageRow, error) {
	kinds := []struct {
		why  string
		left int
		is   func(*Example, *Outcome) bool
	}{
		{"dropped", min(audit.Rows-audit.Examples, pageSamples),
			func(_ *Example, o *Outcome) bool { return o.Dropped != "" }},
		{"truncated", min(audit.Truncated, pageSamples),
			func(_ *Example, o *Outcome) bool { return o.Dropped == "" && o.Truncated > 0 }},
		{"a token lies across a border", min(audit.Straddling, pageSamples),
			func(x *Example, o *Outcome) bool { return o.Dropped == "" && len(x.Straddling) > 0 }},
		{"does not end with a stop token", min(audit.Unended, pageSamples),
			func(_ *Example, o *Outcome) bool { return o.Unended }},
		{"the template leaves a part out", min(len(audit.Unused), 1) * pageSamples,
			func(_ *Example, o *Outcome) bool { return len(o.Unused) > 0 }},
		{"the longest", 1,
			func(x *Example, o *Outcome) bool { return o.Dropped == "" && x.Source == audit.LongestSource }},
	}
	var shown []pageRow
	var x encoding
	for i := range rows {
		var why []string
		if i < pageFirst {
			why = append(why, fmt.Sprintf("row %d", i+1))
		}
		example, outcome, err := e.encodeRow(&rows[i], &x)
		if err != nil {
			return nil, err
		}
		wanted := false
		for k := range kinds {
			kind := &kinds[k]
			if kind.left > 0 && kind.is(&example, &outcome) {
				kind.left--
				why = append(why, kind.why)
			}
			wanted = wanted || kind.left > 0
		}
		if len(why) > 0 {
			shown = append(shown, e.pageRow(&example, &x, &outcome, strings.Join(why, "; ")))
		}
		if !wanted && i >= pageFirst {
			break
		}
	}
	return shown, nil
}

// pageRow gives a row its tokens.
func (e *Encoder) pageRow(x *Example, from *encoding, o *Outcome, why string) pageRow {
	row := pageRow{
		Source: x.Source, Why: why, Length: len(x.IDs), Trained: x.Trained(),
		Hidden: max(0, len(x.IDs)-pageTokens), Unused: strings.Join(o.Unused, ", "),
	}
	if o.Dropped != "" {
		row.Why += ": " + o.Dropped
	}
	if o.Truncated > 0 {
		row.Why += fmt.Sprintf("; %d tokens are cut off", o.Truncated)
	}
	if o.Pieces > 0 {
		row.Why += fmt.Sprintf("; it is trained in %d pieces", o.Pieces)
	}
	for i, text := range from.pieces(e.Tokenizer, len(x.IDs)-row.Hidden) {
		if text == "" {
			text = "·" // it shares a character with the token beside it, which shows it
		}
		id := x.IDs[i]
		token := pageToken{
			Class: "t",
			Title: fmt.Sprintf("token %d, id %d, %q", i, id, e.Tokenizer.TokenText(id)),
			Text:  lineEnds.Replace(Visible(text)),
		}
		mark := func(is bool, class, title string) {
			if is {
				token.Class += class
				token.Title += title
			}
		}
		mark(x.Mask[i], " on", ", trained")
		mark(e.Tokenizer.IsSpecial(id), " special", ", special")
		mark(slices.Contains(x.Straddling, i), " across", ", lies across a border")
		row.Tokens = append(row.Tokens, token)
	}
	return row
}

// lineEnds makes white space visible that would not be seen.
var lineEnds = strings.NewReplacer("\n", "↵\n", "\t", "⇥\t")
