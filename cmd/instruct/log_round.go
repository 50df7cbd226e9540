package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"

	"instruct/model/pretrained"
	"instruct/train/coach"
)

// reportOf names the page of a round, where it has one.
func reportOf(behaviour string, round int) string {
	path := coach.Report(behaviour, round)
	if _, err := os.Stat(path); err != nil {
		return ""
	}
	return ", " + path
}

// logRound prints one round.
func logRound(s *streams, behaviour string, number int, asJSON bool) error {
	base, err := pretrained.ReadBase(behaviour)
	if err != nil {
		return err
	}
	if number == 0 {
		return mistake("round 0 of %s is the model that it began with, %s; nothing was taught in it", behaviour, base.Model)
	}
	r, answers, err := coach.ReadRound(behaviour, number)
	if err != nil {
		return err
	}
	if asJSON {
		return writeJSON(s.out, struct {
			coach.Round
			Answers *coach.Answers `json:"answers"`
		}{r, answers})
	}
	var b bytes.Buffer
	logLine(&b, coach.Round{Round: r.Round, Verdict: r.Verdict, Reason: r.Reason, Parent: r.Parent, Taught: r.Taught,
		Corrections: r.Corrections, Suites: r.Suites, Broken: r.Broken, Seconds: r.Seconds, Author: r.Author, Time: r.Time,
		Practice: r.Practice, Rules: r.Rules})
	for i := range r.Rules {
		sayViolations(&b, &r.Rules[i])
	}
	if answers == nil {
		fmt.Fprintf(&b, "its answers were not recorded; what it was about:\n")
		for _, about := range r.About {
			fmt.Fprintf(&b, "       %.70q\n", about)
		}
	} else {
		logAnswers(&b, answers)
		fmt.Fprintf(&b, "\nreport  %s\n", coach.Report(behaviour, number))
	}
	_, err = s.out.Write(b.Bytes())
	return err
}

// logAnswers prints the corrections, the earlier ones that broke, and the tests that were lost.
func logAnswers(b *bytes.Buffer, a *coach.Answers) {
	told := func(t *coach.Told) {
		fmt.Fprintf(b, "\n%s  %s\n", map[bool]string{true: "right", false: "wrong"}[t.Now.Right], t.ID)
		field(b, "asked", t.Asked())
		field(b, "note", t.Note)
		field(b, "rule", t.Rule)
		field(b, "before", t.Before.Text)
		field(b, "wanted", t.Chosen[0].Content)
		field(b, "now", t.Now.Text)
	}
	for i := range a.New {
		told(&a.New[i])
	}
	if broken := a.Broken(); len(broken) > 0 {
		fmt.Fprintf(b, "\nearlier corrections that broke: %d of %d\n", len(broken), len(a.Earlier))
		for i := range broken {
			told(&broken[i])
		}
	}
	for i := range a.Suites {
		lost := a.Suites[i].Lost()
		if len(lost) > 0 {
			fmt.Fprintf(b, "\ntests of %s that were lost: %d\n", a.Suites[i].Suite, len(lost))
		}
		for _, t := range lost {
			fmt.Fprintf(b, "\nlost   %s\n", t.ID)
			field(b, "asked", t.Asked())
			field(b, "before", t.Before.Text)
			field(b, "now", t.Now.Text)
			field(b, "why", t.Now.Reason)
		}
	}
}

// field prints a text behind its name, its other lines below the first; an empty one is left out.
func field(b *bytes.Buffer, name, text string) {
	if text = strings.TrimSpace(text); text != "" {
		fmt.Fprintf(b, "  %-7s %s\n", name, strings.ReplaceAll(text, "\n", "\n"+strings.Repeat(" ", 10)))
	}
}
