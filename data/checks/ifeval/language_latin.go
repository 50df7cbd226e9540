package ifeval

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

//go:embed latin.tsv
var latinTable string

// latin is the table of what n-grams of Latin letters say for each language.
type latin struct {
	languages []string
	weights   map[string][]int
}

var latinWeights = sync.OnceValue(func() latin {
	head, rows, _ := strings.Cut(latinTable, "\n")
	t := latin{languages: strings.Fields(head), weights: map[string][]int{}}
	for row := range strings.Lines(rows) {
		gram, numbers, _ := strings.Cut(strings.TrimSpace(row), "\t")
		weights := make([]int, len(t.languages))
		for i, number := range strings.Fields(numbers) {
			n, err := strconv.Atoi(number)
			if err != nil {
				panic(fmt.Sprintf("ifeval: latin.tsv: %v", err))
			}
			weights[i] = n
		}
		t.weights[strings.ReplaceAll(gram, "_", " ")] = weights
	}
	return t
})

// latinLanguage is the language of a text in Latin letters: one of the table, "other", or "" for a text without any.
func latinLanguage(text string) string {
	table := latinWeights()
	sum := make([]int, len(table.languages))
	found := false
	for _, gram := range ngrams(text) {
		found = true
		for i, w := range table.weights[gram] {
			sum[i] += w
		}
	}
	if !found {
		return ""
	}
	best := 0
	for i, s := range sum {
		if s > sum[best] {
			best = i
		}
	}
	return table.languages[best]
}

// ngrams are the runs of one to three letters of a text's words, with the spaces around the words. As in the reference,
// a run that ends inside of a word of capitals is left out, but for the word's first letter.
func ngrams(text string) []string {
	var all []string
	var run []rune // the last letters, at most three, after the space before the word
	capitals := false
	last := ' '
	for _, r := range norm.NFC.String(text) {
		r = latinLetter(r)
		if last == ' ' {
			run, capitals = []rune{' '}, false
		} else if len(run) == 3 {
			run = run[1:]
		}
		if last == ' ' && r == ' ' {
			continue
		}
		run = append(run, r)
		if !unicode.IsUpper(r) {
			capitals = false
		} else if unicode.IsUpper(last) {
			capitals = true
		}
		last = r
		if capitals {
			continue
		}
		for n := 1; n <= len(run); n++ {
			if n > 1 || r != ' ' {
				all = append(all, string(run[len(run)-n:]))
			}
		}
	}
	return all
}

// latinLetter is a letter, or a space for everything else.
func latinLetter(r rune) rune {
	switch {
	case !unicode.IsLetter(r) || r == 'ª' || r == 'º':
		return ' '
	case r == 'ș':
		return 'ş'
	case r == 'ț':
		return 'ţ'
	case r >= 'Ạ' && r <= 'ỿ':
		return 'ể' // The reference sees one letter in all of those of Vietnamese.
	}
	return r
}
