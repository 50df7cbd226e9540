package data

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"instruct/tokenizer/chat"
)

// Certainty says how sure it is that a correction applies to another answer.
type Certainty int

// In this order; None: it does not.
const (
	None     Certainty = iota
	Same               // the answer is the rejected one, but for white space and case
	Replaced           // the answer contains words that the correction replaces
	Violates           // the answer violates the rule that the correction names
)

// String is a line for people, a word for programs.
func (c Certainty) String() string { return []string{"", "same", "replaced", "violates"}[c] }

// Repair is another answer of the model, and what a correction makes of it.
type Repair struct {
	Certainty    Certainty
	Answer, Good string
	// Changes are the places of Answer that are replaced, in their order; one of the whole answer where the proposal is
	// the chosen text.
	Changes []Change
}

// Change is words of a text, between two byte offsets, that others take the place of.
type Change struct {
	Start, End int
	By         string
}

// Marked is the answer with its changes marked as by git's word diff: [-gone-]{+come+}.
func (r *Repair) Marked() string {
	return rewrite(r.Answer, r.Changes, func(gone, come string) string {
		out := ""
		if gone != "" {
			out = "[-" + gone + "-]"
		}
		if come != "" {
			out += "{+" + come + "+}"
		}
		return out
	})
}

// Covers tells whether the correction speaks of a prompt itself: it is asked there, or in a paraphrase, or is one near
// it whose answer is to stay.
func (c *Correction) Covers(prompt []chat.Message) bool {
	same := func(other []chat.Message) bool {
		return slices.EqualFunc(prompt, other, func(a, b chat.Message) bool {
			return a.Role == b.Role && a.Content == b.Content
		})
	}
	return slices.ContainsFunc(c.Asked(), same) || slices.ContainsFunc(c.NearPrompts(), same)
}

// Repair says whether the correction applies to another answer, and what it should have been then. violates: the
// answer violates the correction's rule.
func (c *Correction) Repair(answer string, violates bool) Repair {
	rejected, chosen := "", c.Chosen[0].Content
	if len(c.Rejected) == 1 {
		rejected = c.Rejected[0].Content
	}
	whole := func(sure Certainty) Repair {
		return Repair{sure, answer, chosen, []Change{{0, len(answer), chosen}}}
	}
	spaced := func(text string) string { return strings.Join(strings.Fields(text), " ") }
	switch {
	case strings.EqualFold(spaced(answer), spaced(chosen)):
		return Repair{}
	case strings.EqualFold(spaced(answer), spaced(rejected)):
		return whole(Same)
	}
	if changes := applied(answer, replacements(rejected, chosen)); len(changes) > 0 {
		good := rewrite(answer, changes, func(_, come string) string { return come })
		if good = strings.TrimSpace(good); good != "" {
			return Repair{Replaced, answer, good, changes}
		}
	}
	if violates {
		return whole(Violates)
	}
	return Repair{}
}

// rewrite gives text with every change made as write says.
func rewrite(text string, changes []Change, write func(gone, come string) string) string {
	var b strings.Builder
	at := 0
	for _, c := range changes {
		b.WriteString(text[at:c.Start])
		b.WriteString(write(text[c.Start:c.End], c.By))
		at = c.End
	}
	b.WriteString(text[at:])
	return b.String()
}

// replacement is a run of words, and the text that takes its place.
type replacement struct {
	words []word
	by    string
}

// applied gives the places of text where the words of a replacement stand, whatever the white space between them; their
// case counts only where a replacement's begins with a capital letter. Where two overlap, the first one in text, then
// the longer one, is made.
func applied(text string, all []replacement) []Change {
	var changes []Change
	words := wordsOf(text)
	slices.SortStableFunc(all, func(a, b replacement) int { return len(b.words) - len(a.words) })
	for at := 0; at < len(words); {
		n := 0
		for _, r := range all {
			if !begins(words[at:], r.words) {
				continue
			}
			n = len(r.words)
			c := Change{words[at].start, words[at+n-1].end, r.by}
			if upper(words[at].text) && !upper(r.words[0].text) {
				c.By = capital(c.By)
			}
			if c.By == "" { // the space before the words goes too
				c.Start = len(strings.TrimRightFunc(text[:c.Start], unicode.IsSpace))
			}
			if c.By != text[c.Start:c.End] {
				changes = append(changes, c)
			}
			break
		}
		at += max(n, 1)
	}
	return changes
}

// begins tells whether words begin with others.
func begins(words, with []word) bool {
	return len(with) <= len(words) && slices.EqualFunc(words[:len(with)], with, func(a, b word) bool {
		return a.text == b.text || !upper(b.text) && strings.EqualFold(a.text, b.text)
	})
}

func upper(text string) bool {
	r, _ := utf8.DecodeRuneInString(text)
	return unicode.IsUpper(r)
}

// capital begins a text with a capital letter.
func capital(text string) string {
	r, n := utf8.DecodeRuneInString(text)
	if n == 0 || r == utf8.RuneError {
		return text
	}
	return string(unicode.ToUpper(r)) + text[n:]
}
