package data

import (
	"fmt"
	"slices"
	"strings"
)

// Finding counts the rows of which something is to be said.
type Finding struct {
	Kind string `json:"kind"`
	// Detail is which key, part or role it is, where the kind has several.
	Detail string `json:"detail,omitempty"`
	Rows   int    `json:"rows"`
	First  string `json:"first"` // path:line of the first of them
}

// noteKind is a kind of finding; %s stands for the rows, for each detail.
type noteKind struct{ kind, text string }

const (
	foundDropped = "dropped"
	foundCut     = "truncated"
	foundPieces  = "in pieces"
	foundCutEnd  = "answer cut"
	foundUnended = "unended"
	foundIgnored = "ignored key"
	foundUnused  = "unused"
	foundMapped  = "role"
	foundSilent  = "no question"
	foundSpecial = "special token"
	foundDoubled = "doubled token"
	foundPair    = "pair"
	foundBad     = "labelled false"
)

// noteKinds is the table of them, in the order of the lines.
func noteKinds() []noteKind {
	return []noteKind{
		{foundDropped, "nothing to train on: %s"},
		{foundCut, "cut at max_length: %s"},
		{foundPieces, "longer than max_length and trained in pieces, each token once: %s"},
		{foundCutEnd, "answers cut at max_length, which do not teach to stop: %s"},
		{foundUnended, "no stop token at the end, which does not teach to stop: %s"},
		{foundIgnored, "keys that are not read: %s"},
		{foundUnused, "not shown by the chat template: %s"},
		{foundMapped, "roles read as others: %s"},
		{foundSilent, "a user's turn without text: %s"},
		{foundSpecial, "the text of a special token inside a message, read as that token: %s"},
		{foundDoubled, "a special token twice in one place: %s"},
		{foundPair, "only the better answer of a pair is trained; loss_type sigmoid and others learn from both: %s"},
		{foundBad, "answers labelled false are trained like the others; loss_type kto learns from the label: %s"},
	}
}

// found counts a row.
func (a *Audit) found(kind, detail, source string) {
	for i := range a.Findings {
		if f := &a.Findings[i]; f.Kind == kind && f.Detail == detail {
			f.Rows++
			return
		}
	}
	a.Findings = append(a.Findings, Finding{kind, detail, 1, source})
}

// foundUnpaired counts a row of which something is left aside when its answer is trained as any other.
func (a *Audit) foundUnpaired(row *Row) {
	if row.chosen > 0 && !row.blank() {
		a.found(foundPair, "", row.Source)
	}
	if row.Label != nil && !*row.Label {
		a.found(foundBad, "", row.Source)
	}
}

// Notes are what a person should know before the rows are trained on, a line each, with the number of rows and the
// first of them.
func (a *Audit) Notes() []string {
	var out []string
	for _, l := range a.notes() {
		out = append(out, l.Text)
	}
	return out
}

func (a *Audit) notes() []line {
	var out []line
	for _, kind := range noteKinds() {
		var parts []string
		first := ""
		for _, f := range a.Findings {
			if f.Kind != kind.kind {
				continue
			}
			rows := "rows"
			if f.Rows == 1 {
				rows = "row"
			}
			part := fmt.Sprintf("%d %s", f.Rows, rows)
			if f.Detail != "" {
				part = f.Detail + " in " + part
			}
			parts = append(parts, part)
			if first == "" {
				first = f.First
			}
		}
		if len(parts) > 0 {
			slices.Sort(parts)
			text := fmt.Sprintf("%s (first: %s)", strings.Join(parts, ", "), first)
			out = append(out, line{kind.kind, fmt.Sprintf(kind.text, text)})
		}
	}
	return out
}

// NeverStops is an error where most conversations do not teach to stop: a model trained on them would answer to the
// limit of every answer.
func (a *Audit) NeverStops() error {
	if 2*a.openTalks <= a.talks {
		return nil
	}
	first := ""
	for _, kind := range []string{foundUnended, foundCutEnd} {
		for _, f := range a.Findings {
			if f.Kind == kind && first == "" {
				first = f.First
			}
		}
	}
	advice := "the chat template ends an answer with what is no stop token of this model: take another chat_template"
	if 2*a.cutTalks > a.openTalks {
		advice = "they are cut at max_length: raise it"
	}
	return mistake("data: %d of %d conversations do not end with a stop token (the first: %s), so the model would "+
		"never learn to stop: %s, or set allow_unended: true", a.openTalks, a.talks, first, advice)
}
