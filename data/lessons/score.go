package lessons

import (
	"fmt"
	"strings"

	"instruct/data"
	"instruct/data/checks"
)

// Check is what the answer to a row of lessons, which has messages, must satisfy: to be its last message.
func Check(row data.Row) checks.Check {
	return checks.Equals(row.Messages[len(row.Messages)-1].Content)
}

// Score tells whether the answer to the row passes its check. A row without messages has no right answer.
func Score(row data.Row, answer string) bool {
	return len(row.Messages) > 0 && Check(row)(answer).Pass
}

// Report counts exact matches per kind, before and after training.
type Report struct {
	kinds []string
	count map[string]*count
}

type count struct{ rows, before, after int }

// Add enters one held-out row: whether it was answered right before and after training.
func (r *Report) Add(kind string, before, after bool) {
	if r.count == nil {
		r.count = map[string]*count{}
	}
	c := r.count[kind]
	if c == nil {
		c = &count{}
		r.count[kind] = c
		r.kinds = append(r.kinds, kind)
	}
	c.rows++
	if before {
		c.before++
	}
	if after {
		c.after++
	}
}

// Total returns the number of rows and the exact matches before and after.
func (r *Report) Total() (rows, before, after int) {
	for _, c := range r.count {
		rows += c.rows
		before += c.before
		after += c.after
	}
	return rows, before, after
}

// KindsAbove counts the kinds whose share of exact matches after training is above the fraction, and all kinds.
func (r *Report) KindsAbove(fraction float64) (above, all int) {
	for _, c := range r.count {
		if float64(c.after) > fraction*float64(c.rows) {
			above++
		}
	}
	return above, len(r.count)
}

// String is a table: kind, rows, exact match before and after in percent; the kinds in the order of entry, the total
// last.
func (r *Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-18s %5s %7s %7s\n", "kind", "rows", "before", "after")
	line := func(name string, rows, before, after int) {
		fmt.Fprintf(&b, "%-18s %5d %6.1f%% %6.1f%%\n", name, rows, percent(before, rows), percent(after, rows))
	}
	for _, k := range r.kinds {
		c := r.count[k]
		line(k, c.rows, c.before, c.after)
	}
	rows, before, after := r.Total()
	line("total", rows, before, after)
	return b.String()
}

func percent(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return 100 * float64(part) / float64(whole)
}
