package checks

import (
	"strings"
	"unicode"
)

// TokenF1 is SQuAD's F1 of an answer and the wanted one, 0 to 1 (Rajpurkar et al. 2016, arXiv:1606.05250, and the
// evaluation program of version 2.0): that of the two bags of words, in lower case, without ASCII punctuation and
// without a, an, the. Where either has no words it is 1 if both have none, and 0 else.
func TokenF1(answer, want string) float64 {
	a, b := squadWords(answer), squadWords(want)
	if len(a) == 0 || len(b) == 0 {
		if len(a) == len(b) {
			return 1
		}
		return 0
	}
	return overlap(a, b)
}

// squadWords are the words between white space of SQuAD's normalized answer.
func squadWords(text string) []string {
	text = strings.Map(func(r rune) rune {
		if r < 0x80 && (unicode.IsPunct(r) || unicode.IsSymbol(r)) {
			return -1
		}
		return r
	}, lower(text))
	var b strings.Builder
	rest := text
	for rest != "" {
		n := strings.IndexFunc(rest, func(r rune) bool { return !wordRune(r) })
		if n < 0 {
			n = len(rest)
		}
		switch word := rest[:n]; word {
		case "a", "an", "the":
			b.WriteByte(' ')
		default:
			b.WriteString(word)
		}
		rest = rest[n:]
		n = strings.IndexFunc(rest, wordRune)
		if n < 0 {
			n = len(rest)
		}
		b.WriteString(rest[:n])
		rest = rest[n:]
	}
	return strings.FieldsFunc(b.String(), func(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f })
}

// wordRune says whether Python's regular expressions take a character for one of a word.
func wordRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) || r == '_' }

// RougeL is the F1 of ROUGE-L (Lin 2004, "ROUGE: A Package for Automatic Evaluation of Summaries", section 3.1, with
// beta 1), 0 to 1: the longest common subsequence of the words against the words of each text. The words are those of
// rouge-n, in lower case. Where either has no words it is 0.
func RougeL(answer, want string) float64 {
	a, b := words(lower(answer)), words(lower(want))
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	return 2 * float64(longestCommon(a, b)) / float64(len(a)+len(b))
}

// longestCommon is the length of the longest common subsequence.
func longestCommon(a, b []string) int {
	row := make([]int, len(b)+1) // of the words of a so far and the first so many of b
	for _, w := range a {
		before := 0 // row[j-1] of the word before
		for j, v := range b {
			above := row[j+1]
			if v == w {
				row[j+1] = before + 1
			} else {
				row[j+1] = max(above, row[j])
			}
			before = above
		}
	}
	return row[len(b)]
}
