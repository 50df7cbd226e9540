package checks

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// rougeN makes rouge-n: the F1 of the words that answer and value share, counted with repetitions, in lower case and
// split as the Penn Treebank does. The threshold is 0.75 where none is given.
func rougeN(a *assertion, spec Spec) error {
	want, err := spec.text(true)
	if err != nil {
		return err
	}
	least := 0.75
	if spec.Threshold != nil {
		least = *spec.Threshold
	}
	reference, inverse := words(lower(want)), a.inverse
	a.judge = func(answer Answer) (bool, float64, string) {
		score := overlap(words(lower(answer.Text)), reference)
		pass := (score >= least) != inverse
		side := "below"
		if score >= least {
			side = "not below"
		}
		reason := fmt.Sprintf("the ROUGE-1 with %q is %.3g, %s %g", want, score, side, least)
		if inverse {
			score = 1 - score
		}
		return pass, score, reason
	}
	return nil
}

// overlap is the F1 of two bags of words.
func overlap(candidate, reference []string) float64 {
	left := map[string]int{}
	for _, w := range reference {
		left[w]++
	}
	shared := 0
	for _, w := range candidate {
		if left[w] > 0 {
			left[w]--
			shared++
		}
	}
	if shared == 0 {
		return 0
	}
	precision := float64(shared) / float64(len(candidate))
	recall := float64(shared) / float64(len(reference))
	// In this form the score of equal values is exactly theirs, and none is above the larger.
	small, large := min(precision, recall), max(precision, recall)
	if small == large {
		return small
	}
	return min(large, small*(2/(1+small/large)))
}

// rule is a replacement of the word splitter.
type rule struct {
	pattern func() *regexp.Regexp
	with    string
}

// Rules that part punctuation from words, before and after the stops that need a look around them.
var (
	ellipsis  = rule{lazy(`\.\.\.`), " ... "}
	marks     = rule{lazy(`[;@#$%&]`), " $0 "}
	lastDot   = lazy(`[^.](\.)[\])}>'\s]*$`)
	lateMarks = []rule{
		{lazy(`[?!\][(){}<>]`), " $0 "},
		{lazy(`--`), " -- "},
		{lazy(`^.*$`), " $0 "},
		{lazy(`([^'])' `), "$1 ' "},
		{lazy(`'([smd]) `), " '$1 "},
		{lazy(`('ll|'re|'ve|n't) `), " $1 "},
	}
	contractions = []rule{
		{lazy(`(can)(not)`), ""}, {lazy(`(d)('ye)`), ""},
		{lazy(`(gim)(me)`), ""}, {lazy(`(gon)(na)`), ""},
		{lazy(`(got)(ta)`), ""}, {lazy(`(lem)(me)`), ""},
		{lazy(`(more)('n)`), ""}, {lazy(`(wan)(na)`), " "},
		{lazy(`('t)(is)`), ""}, {lazy(`('t)(was)`), ""},
	}
)

// words splits text of lower case into words by the rules of js-rouge, which are those of the Penn Treebank.
func words(text string) []string {
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return isSpace(r) || r == 0x85 }), " ")
	if text == "" {
		return nil
	}
	text = splitQuotes(text)
	text = ellipsis.pattern().ReplaceAllString(text, ellipsis.with)
	text = splitCommas(text)
	text = marks.pattern().ReplaceAllString(text, marks.with)
	text = splitLastDot(text)
	for _, r := range lateMarks {
		text = r.pattern().ReplaceAllString(text, r.with)
	}
	for _, c := range contractions {
		text = splitContraction(text, c)
	}
	return strings.FieldsFunc(text, func(r rune) bool { return r == ' ' })
}

// splitCommas parts commas and colons from words, unless a digit follows.
func splitCommas(text string) string {
	var b strings.Builder
	rs := []rune(text)
	for i, r := range rs {
		if (r == ',' || r == ':') && (i+1 == len(rs) || !unicode.IsDigit(rs[i+1])) {
			b.WriteString(" " + string(r) + " ")
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// acronym matches text that ends as u.s does.
var acronym = lazy(`\b[A-Za-z]\.[A-Za-z]$`)

// splitLastDot parts the stop that ends the text, unless it belongs to an acronym.
func splitLastDot(text string) string {
	at := lastDot().FindStringSubmatchIndex(text)
	if at == nil || acronym().MatchString(text[:at[2]]) {
		return text
	}
	return text[:at[2]] + " " + text[at[2]:] + " "
}

// splitContraction parts a contraction that stands as a word of its own.
func splitContraction(text string, c rule) string {
	var b strings.Builder
	from := 0
	for {
		at := c.pattern().FindStringSubmatchIndex(text[from:])
		if at == nil {
			return b.String() + text[from:]
		}
		start, middle, end := from+at[0], from+at[3], from+at[1]
		before := []rune(b.String() + text[from:start])
		after := []rune(text[end:])
		whole := (len(before) == 0 || !inWord(before[len(before)-1])) && (len(after) == 0 || !inWord(after[0]))
		if whole && strings.HasPrefix(text[end:], c.with) {
			b.WriteString(text[from:start] + " " + text[start:middle] + " " + text[middle:end] + " ")
			from = end
			continue
		}
		b.WriteString(text[from:middle])
		from = middle
	}
}

// inWord says whether a character may go on in a word (Unicode's ID_Continue, and the joiners).
func inWord(r rune) bool {
	return unicode.In(r, unicode.L, unicode.Nl, unicode.Mn, unicode.Mc, unicode.Nd, unicode.Pc, unicode.Other_ID_Start,
		unicode.Other_ID_Continue) || r == 0x200c || r == 0x200d
}

// splitQuotes writes double quotes as the Treebank does: two backquotes where one opens, two apostrophes where one
// closes.
func splitQuotes(text string) string {
	var b strings.Builder
	inside := false
	rs := []rune(text)
	for i := 0; i < len(rs); i++ {
		n := quoteLength(rs[i:])
		if n == 0 {
			b.WriteRune(rs[i])
			continue
		}
		inside = string(rs[i:i+n]) == "``" || opens(rs, i, n, inside)
		if inside {
			b.WriteString(" `` ")
		} else {
			b.WriteString(" '' ")
		}
		i += n - 1
	}
	return b.String()
}

// quoteLength is the length of a double quote that text begins with, or 0.
func quoteLength(text []rune) int {
	switch {
	case len(text) > 0 && text[0] == '"':
		return 1
	case len(text) > 1 && text[0] == text[1] && (text[0] == '`' || text[0] == '\''):
		return 2
	}
	return 0
}

// opens says whether the quote of n characters at i opens one.
func opens(text []rune, i, n int, inside bool) bool {
	if inside {
		return false
	}
	if i > 0 {
		last := text[i-1]
		if last >= 0x10000 || strings.ContainsRune(".!?", last) {
			return false
		}
		apart := isSpace(last) || last == '<'
		if i+n == len(text) && !apart && !unicode.Is(unicode.Ps, last) {
			return false
		}
		if !apart && !unicode.IsPunct(last) && !(i > 1 && last == '`' && text[i-2] == '`') {
			return false
		}
	}
	if text[i] == '"' {
		return true
	}
	if i == 0 || i+2 >= len(text) || !unicode.In(text[i+2], unicode.L, unicode.N, unicode.Sc, unicode.Ps) {
		return false
	}
	for rest := text[i+2:]; len(rest) > 0; rest = rest[1:] {
		if quoteLength(rest) > 0 {
			return rest[0] == '\''
		}
	}
	return false
}
