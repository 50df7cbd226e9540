package checks

import (
	"encoding/json"
	"strings"
	"unicode/utf16"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
)

// What JavaScript means by white space, lower case, a number as text and the length of a string.

// isSpace is \s.
func isSpace(r rune) bool {
	switch r {
	case '\t', '\n', '\v', '\f', '\r', ' ', 0xa0, 0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000, 0xfeff:
		return true
	}
	return r >= 0x2000 && r <= 0x200a
}

// trim is String.prototype.trim.
func trim(s string) string { return strings.TrimFunc(s, isSpace) }

// lower is String.prototype.toLowerCase: by Unicode's full rules, the final sigma included.
func lower(s string) string { return cases.Lower(language.Und).String(s) }

// numberText is a number as String gives it.
func numberText(x float64) string {
	if x == 0 {
		return "0" // -0 too.
	}
	text, err := json.Marshal(x) // It writes numbers as JavaScript does, and fails for what is not finite.
	if err != nil {
		return "NaN"
	}
	return string(text)
}

// units are the UTF-16 code units that a string consists of.
func units(s string) []uint16 { return utf16.Encode([]rune(s)) }

// distance is the Levenshtein distance of two strings.
func distance[E comparable](a, b []E) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i, x := range a {
		before := row[0] // of the row above, one to the left
		row[0] = i + 1
		for j, y := range b {
			change := before
			if x != y {
				change++
			}
			before = row[j+1]
			row[j+1] = min(change, row[j]+1, before+1)
		}
	}
	return row[len(b)]
}

// Nearest is the word of a list that a misspelt one probably means.
func Nearest(word string, known []string) string {
	best := ""
	least := -1
	for _, k := range known {
		if d := distance([]rune(word), []rune(k)); least < 0 || d < least {
			best, least = k, d
		}
	}
	return best
}
