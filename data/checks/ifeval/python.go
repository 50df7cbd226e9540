package ifeval

import (
	"strings"
	"unicode"
)

// What Python's str methods do, for the reference program is written in Python: its white space, case and word
// characters are not quite those of Go's packages.

// isSpace is str.isspace: Go's white space and the four separators of ASCII.
func isSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

// isUpper reports the derived property Uppercase.
func isUpper(r rune) bool { return unicode.IsUpper(r) || unicode.Is(unicode.Other_Uppercase, r) }

// isLower reports the derived property Lowercase.
func isLower(r rune) bool { return unicode.IsLower(r) || unicode.Is(unicode.Other_Lowercase, r) }

// upperText is str.isupper: a cased letter, and none that is lower or title case.
func upperText(s string) bool { return oneCase(s, isUpper, isLower) }

// lowerText is str.islower: a cased letter, and none that is upper or title case.
func lowerText(s string) bool { return oneCase(s, isLower, isUpper) }

func oneCase(s string, wanted, unwanted func(rune) bool) bool {
	found := false
	for _, r := range s {
		if unwanted(r) || unicode.IsTitle(r) {
			return false
		}
		found = found || wanted(r)
	}
	return found
}

// strip is str.strip().
func strip(s string) string { return strings.TrimFunc(s, isSpace) }

// blank reports that strip leaves nothing.
func blank(s string) bool { return strings.IndexFunc(s, func(r rune) bool { return !isSpace(r) }) < 0 }

// fields is str.split().
func fields(s string) []string { return strings.FieldsFunc(s, isSpace) }

// lower is str.lower: one rune may become two, and a sigma at the end of a word has its own form.
func lower(s string) string {
	if !strings.ContainsAny(s, "İΣ") {
		return strings.ToLower(s)
	}
	runes := []rune(s)
	var out strings.Builder
	for i, r := range runes {
		switch {
		case r == 'İ':
			out.WriteString("i\u0307")
		case r == 'Σ' && finalSigma(runes, i):
			out.WriteRune('ς')
		default:
			out.WriteRune(unicode.ToLower(r))
		}
	}
	return out.String()
}

// finalSigma reports that the letter before runes[i] is cased and the one after it is not, marks and apostrophes left
// out of account (Unicode, section 3.13).
func finalSigma(runes []rune, i int) bool {
	before := i - 1
	for before >= 0 && caseIgnorable(runes[before]) {
		before--
	}
	after := i + 1
	for after < len(runes) && caseIgnorable(runes[after]) {
		after++
	}
	return before >= 0 && cased(runes[before]) && (after == len(runes) || !cased(runes[after]))
}

func cased(r rune) bool { return isUpper(r) || isLower(r) || unicode.IsTitle(r) }

func caseIgnorable(r rune) bool {
	if unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf, unicode.Lm, unicode.Sk) {
		return true
	}
	return strings.ContainsRune("'.:·\u0387\u055f\u05f4‘’․‧\ufe13\ufe52\ufe55＇．：", r)
}

// sameIgnoringCase gives the characters that Python's re takes for r when case does not count, r among them.
func sameIgnoringCase(r rune) []rune {
	for _, group := range [][]rune{
		{'i', 'I', 'İ', 'ı'}, {'\u0390', '\u1fd3'}, {'\u03b0', '\u1fe3'}, {'\ufb05', '\ufb06'},
	} {
		for _, member := range group {
			if member == r {
				return group
			}
		}
	}
	same := []rune{r}
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		same = append(same, f)
	}
	return same
}
