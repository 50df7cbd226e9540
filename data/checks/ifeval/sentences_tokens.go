package ifeval

import (
	"strings"
	"unicode"
)

// token is a word of the text around a mark, with what the splitter finds out about it.
type token struct {
	text            string
	kind            string // the text in small letters, or ##number##
	abbreviation    bool
	ellipsis        bool
	ends            bool // a sentence
	initial         bool
	isUpper, isLowr bool // the first letter
}

// breaks reports that a sentence ends before the last word of the context.
func (s *splitter) breaks(context []rune) bool {
	var tokens []token
	for _, line := range strings.Split(string(context), "\n") {
		if blank(line) {
			continue
		}
		for _, word := range tokenWords([]rune(line)) {
			tokens = append(tokens, s.token(word))
		}
	}
	for i := 0; i+1 < len(tokens); i++ {
		s.decide(&tokens[i], &tokens[i+1])
		if tokens[i].ends {
			return true
		}
	}
	return false
}

// token judges a word by itself.
func (s *splitter) token(runes []rune) token {
	text := string(runes)
	t := token{text: text, kind: lower(text), isUpper: isUpper(runes[0]), isLowr: isLower(runes[0])}
	if isNumber(runes) {
		t.kind = "##number##"
	}
	t.initial = len(runes) == 2 && dialectLetter(runes[0]) && runes[1] == '.'
	switch {
	case text == "." || text == "?" || text == "!":
		t.ends = true
	case strings.Trim(text, ".") == "":
		t.ellipsis = true
	case strings.HasSuffix(text, ".") && !strings.HasSuffix(text, ".."):
		word := lower(strings.TrimSuffix(text, "."))
		tail := word[strings.LastIndexByte(word, '-')+1:]
		t.abbreviation = s.abbreviations[word] || s.abbreviations[tail]
		t.ends = !t.abbreviation
	}
	return t
}

// dialectLetter is [^\W\d] of the package regex.
func dialectLetter(r rune) bool { return regexWord(r) && !unicode.Is(unicode.Nd, r) }

// isNumber is ^-?[.,]?\d[\d,.-]*\.?$.
func isNumber(runes []rune) bool {
	if len(runes) > 0 && runes[0] == '-' {
		runes = runes[1:]
	}
	if len(runes) > 0 && (runes[0] == '.' || runes[0] == ',') {
		runes = runes[1:]
	}
	for i, r := range runes {
		if !unicode.Is(unicode.Nd, r) && (i == 0 || !strings.ContainsRune(",.-", r)) {
			return false
		}
	}
	return len(runes) > 0
}

func withoutStop(kind string) string {
	if len(kind) > 1 {
		return strings.TrimSuffix(kind, ".")
	}
	return kind
}

// kindAsNext is the kind of a token that follows a mark.
func (t *token) kindAsNext() string {
	if t.ends {
		return withoutStop(t.kind)
	}
	return t.kind
}

// decide corrects the verdict on a token by the one that follows it.
func (s *splitter) decide(t, next *token) {
	if !strings.HasSuffix(t.text, ".") {
		return
	}
	kind := withoutStop(t.kind)
	nextKind := next.kindAsNext()
	if s.collocations[[2]string{kind, nextKind}] {
		t.ends, t.abbreviation = false, true
		return
	}
	starts := s.startsSentence(next)
	if (t.abbreviation || t.ellipsis) && !t.initial {
		if starts == yes || next.isUpper && s.starters[nextKind] {
			t.ends = true
			return
		}
	}
	if !t.initial && kind != "##number##" {
		return
	}
	neverLower := next.isUpper && s.contexts[nextKind]&anyLower == 0
	if starts == no || starts == unknown && t.initial && neverLower {
		t.ends, t.abbreviation = false, true
	}
}

// What the case of a word says of its being the first of a sentence.
type answer int

const (
	unknown answer = iota
	yes
	no
)

func (s *splitter) startsSentence(t *token) answer {
	if len(t.text) == 1 && strings.Contains(";:,.!?", t.text) {
		return no
	}
	context := s.contexts[t.kindAsNext()]
	switch {
	case t.isUpper && context&anyLower != 0 && context&midUpper == 0:
		return yes
	case t.isLowr && (context&anyUpper != 0 || context&startLower == 0):
		return no
	}
	return unknown
}

// tokenWords splits a line into words, which keep their full stops, and punctuation.
func tokenWords(runes []rune) [][]rune {
	var all [][]rune
	for at := 0; at < len(runes); {
		if unicode.IsSpace(runes[at]) {
			at++
			continue
		}
		end := at + 1
		if n := dotsOrDashes(runes[at:]); n > 0 {
			end = at + n
		} else if !strings.ContainsRune("(\"`{[:;&#*@)}]-,", runes[at]) {
			for !wordEnds(runes[end:]) {
				end++
			}
		}
		all = append(all, runes[at:end])
		at = end
	}
	return all
}

// wordEnds reports that a word does not go on with the first rune.
func wordEnds(rest []rune) bool {
	if len(rest) > 0 && rest[0] == ',' {
		rest = rest[1:]
		return len(rest) == 0 || unicode.IsSpace(rest[0]) || endsWord(rest[0]) || dotsOrDashes(rest) > 0
	}
	return len(rest) == 0 || unicode.IsSpace(rest[0]) || endsWord(rest[0]) || dotsOrDashes(rest) > 0
}

// dotsOrDashes measures two or more dashes, two or more full stops, or three or more with white space between them.
func dotsOrDashes(runes []rune) int {
	n := 0
	for n < len(runes) && runes[n] == runes[0] && (runes[0] == '-' || runes[0] == '.') {
		n++
	}
	if n > 1 {
		return n
	}
	stops := 0
	end := 0
	for i := 0; i < len(runes) && runes[i] == '.'; i += 2 {
		stops++
		end = i + 1
		if i+1 == len(runes) || !unicode.IsSpace(runes[i+1]) {
			break
		}
	}
	if stops > 2 {
		return end
	}
	return 0
}
