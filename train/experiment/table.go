package experiment

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode/utf8"
)

// Table is the groups as rows of text, the first of them the head.
func (c *Comparison) Table() [][]string {
	head := append([]string{}, c.Keys...)
	if len(head) == 0 {
		head = []string{"runs"}
	}
	head = append(head, "seeds")
	for _, f := range c.Figures() {
		head = append(head, f.Name)
	}
	rows := [][]string{head}
	for i := range c.Groups {
		g := &c.Groups[i]
		var row []string
		for _, v := range g.Values {
			row = append(row, short(v))
		}
		if row == nil {
			row = []string{"of one recipe"}
		}
		row = append(row, strconv.Itoa(len(g.Runs)))
		for _, f := range c.Figures() {
			row = append(row, g.Estimate(f.Of).text(f.Digits, len(g.Runs)))
		}
		rows = append(rows, row)
	}
	return rows
}

// text writes an estimate of a group of runs; where fewer have the figure their number stands behind.
func (e Estimate) text(digits, of int) string {
	if e.N == 0 {
		return "-"
	}
	s := strconv.FormatFloat(e.Mean, 'f', digits, 64)
	if !math.IsNaN(e.Half) {
		s += " ± " + strconv.FormatFloat(e.Half, 'f', digits, 64)
	}
	if e.N < of {
		s += fmt.Sprintf(" (of %d)", e.N)
	}
	return s
}

// short is a value for a cell: the end of one that is long, as that is where paths differ.
func short(v string) string {
	if v == "" {
		return "(none)"
	}
	const most = 40
	if n := utf8.RuneCountInString(v); n > most {
		return "..." + string([]rune(v)[n-most+3:])
	}
	return v
}

// WriteText writes the table in columns for a terminal.
func (c *Comparison) WriteText(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range c.Table() {
		fmt.Fprintln(t, strings.Join(row, "\t"))
	}
	return t.Flush()
}

// WriteMarkdown writes the table as Markdown.
func (c *Comparison) WriteMarkdown(w io.Writer) error {
	for i, row := range c.Table() {
		cells := make([]string, len(row))
		for j, cell := range row {
			cells[j] = strings.NewReplacer("|", `\|`, "\n", " ").Replace(cell)
		}
		fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | "))
		if i == 0 {
			fmt.Fprintln(w, "|"+strings.Repeat("---|", len(row)))
		}
	}
	return nil
}

// WriteCSV writes a line a run, with the keys that differ between groups.
func (c *Comparison) WriteCSV(w io.Writer) error {
	head := append([]string{"run", "group", "seed"}, c.Keys...)
	for _, f := range c.Figures() {
		head = append(head, f.Column)
	}
	out := csv.NewWriter(w)
	rows := [][]string{append(head, "steps", "best_step", "weights_sha256")}
	for i, g := range c.Groups {
		for _, r := range g.Runs {
			row := append([]string{r.Dir, strconv.Itoa(i + 1), strconv.Itoa(r.Recipe.Seed)}, g.Values...)
			for _, f := range c.Figures() {
				cell := ""
				if v := f.Of(&r); !math.IsNaN(v) {
					cell = strconv.FormatFloat(v, 'g', -1, 64)
				}
				row = append(row, cell)
			}
			rows = append(rows, append(row, strconv.Itoa(r.Steps()), strconv.Itoa(r.BestStep), r.Manifest.WeightsHash))
		}
	}
	return out.WriteAll(rows)
}
