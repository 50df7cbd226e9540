package data

import (
	"slices"
	"strings"
	"testing"
	"time"

	"instruct/tokenizer/chat"
)

func corrected(rejected, chosen string) Correction {
	return NewCorrection([]chat.Message{{Role: "user", Content: "?"}}, chosen, rejected, time.Unix(0, 0))
}

func TestRepair(t *testing.T) {
	const thirty, fourteen = "You have 30 days to return it.", "You have 14 days to return it."
	for _, c := range []struct {
		name, rejected, chosen, answer string
		violates                       bool
		want                           Certainty
		good                           string
	}{
		{"the same", thirty, fourteen, "you have  30 days\nto return it. ", false, Same, fourteen},
		{"nothing in common", thirty, fourteen, "The sky is blue.", false, None, ""},
		{"the rule", thirty, fourteen, "The sky is blue.", true, Violates, fourteen},
		{"right already", thirty, fourteen, "You have 14 days to return it.", true, None, ""},
		{"number and unit", thirty, fourteen, "Within 30 days, or 30  days.", true, Replaced,
			"Within 14 days, or 14 days."},
		{"another unit", thirty, fourteen, "It costs 30 euros.", false, None, ""},
		{"a part of a number", thirty, fourteen, "After 130 days.", false, None, ""},
		{"percent", "It is 30 % off.", "It is 14 % off.", "Take 30 % less.", false, Replaced, "Take 14 % less."},
		{"sentence begins", "You have thirty days now.", "You have fourteen days now.", "Thirty days.", false, Replaced,
			"Fourteen days."},
		{"a name", "Ask Smith about it.", "Ask Brandreth about it.", "It was Smith.", false, Replaced, "It was Brandreth."},
		{"a name's case", "Ask Smith about it.", "Ask Brandreth about it.", "a smith", false, None, ""},
		{"not a name", "It is good.", "This is good.", "It rains.", false, None, ""},
		{"letters and digits", "Take the M3 there.", "Take the M4 there.", "The M3 is full.", false, Replaced,
			"The M4 is full."},
		{"several runs", "John Smith began in 1998 there.", "Ottilie Brandreth began in 2009 there.",
			"In 1998 there was John Smith.", false, Replaced, "In 2009 there was Ottilie Brandreth."},
		{"context before", "It is sold here.", "It is sold there.", "This is sold here.", false, Replaced,
			"This is sold there."},
		{"context does not match", "It is sold here.", "It is sold there.", "We live here.", false, None, ""},
		{"added", "It is sold to anyone.", "It is not sold to anyone.", "What is sold stays.", false, Replaced,
			"What is not sold stays."},
		{"added at the end", "Yes.", "Yes. Have a nice day!", "Yes. No.", false, None, ""},
		{"taken out", "It is, as far as I know, open now.", "It is open now.", "Well, as far as I know, no.", false, Replaced,
			"Well no."},
		{"marks only", "Yes, it is.", "Yes: it is.", "No, it is.", false, None, ""},
		{"written anew", "The sky is green because of grass.", "It is blue.", "The sky is high.", false, None, ""},
		{"one word", "Yes", "No", "Yes, it is.", false, None, ""},
		{"nothing was said", "", "Hello there", "", false, Same, "Hello there"},
	} {
		t.Run(c.name, func(t *testing.T) {
			correction := corrected(c.rejected, c.chosen)
			if r := correction.Repair(c.answer, c.violates); r.Certainty != c.want || r.Good != c.good {
				t.Errorf("%v: %q, want %v: %q", r.Certainty, r.Good, c.want, c.good)
			}
		})
	}
}

func TestMarked(t *testing.T) {
	c := corrected("You have 30 days to return it, I think so.", "You have 14 days to return it.")
	r := c.Repair("No: 30 days, I think so.", false)
	if got, want := r.Marked(), "No: [-30 days-]{+14 days+}[-, I think so-]."; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestCovers(t *testing.T) {
	c := corrected("a", "b")
	c.Paraphrases, c.Near = []string{"??"}, []string{"near"}
	for text, want := range map[string]bool{"?": true, "??": true, "near": true, "far": false} {
		if got := c.Covers([]chat.Message{{Role: "user", Content: text}}); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
	if c.Covers([]chat.Message{{Role: "system", Content: "s"}, {Role: "user", Content: "?"}}) {
		t.Error("another system prompt is another prompt")
	}
}

// FuzzRepair: words are the text but for white space; what is changed lies within the answer, in order, and gives the
// proposal.
func FuzzRepair(f *testing.F) {
	f.Add("You have 30 days.", "You have 14 days.", "It is 30 days, not 30  days!", false)
	f.Add("(a) \"b\" \xff\xfe c", "…a\u00a0b % c d", "a\u2003(b) c", true)
	f.Add("I I'm it.", "we are it.", "", false)
	f.Fuzz(func(t *testing.T, rejected, chosen, answer string, violates bool) {
		at := 0
		for _, w := range wordsOf(answer) {
			if w.start < at || w.end <= w.start || answer[w.start:w.end] != w.text ||
				strings.TrimSpace(answer[at:w.start]) != "" {
				t.Fatalf("%+v behind byte %d of %q", w, at, answer)
			}
			at = w.end
		}
		if strings.TrimSpace(answer[at:]) != "" {
			t.Fatalf("no word in %q", answer[at:])
		}
		old, now := wordsOf(rejected), wordsOf(chosen)
		pairs, _ := common(old, now)
		for i, p := range pairs {
			if old[p[0]].text != now[p[1]].text || i > 0 && (p[0] <= pairs[i-1][0] || p[1] <= pairs[i-1][1]) {
				t.Fatalf("%v are no words of both texts", pairs)
			}
		}
		c := corrected(rejected, chosen)
		r := c.Repair(answer, violates)
		if r.Certainty == None {
			return
		}
		end := 0
		for _, c := range r.Changes {
			if c.Start < end || c.End < c.Start || c.End > len(answer) {
				t.Fatalf("%+v of %q", r.Changes, answer)
			}
			end = c.End
		}
		if good := rewrite(answer, r.Changes, func(_, come string) string { return come }); strings.TrimSpace(good) !=
			strings.TrimSpace(r.Good) {
			t.Fatalf("the changes give %q, the proposal is %q", good, r.Good)
		}
		if again := c.Repair(answer, violates); again.Good != r.Good || !slices.Equal(again.Changes, r.Changes) {
			t.Fatal("another time it is another proposal")
		}
	})
}
