package ifeval

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"

	"github.com/neurosnap/sentences/data"
)

// splitter finds sentences as NLTK 3.10 does with its English table: Punkt (Kiss and Strunk, Unsupervised Multilingual
// Sentence Boundary Detection, Computational Linguistics 32, 2006). A full stop ends a sentence unless the word before
// it is a known abbreviation, an initial or a number, and what is known of the word after it decides the doubtful ones.
type splitter struct {
	abbreviations map[string]bool
	collocations  map[[2]string]bool
	starters      map[string]bool
	contexts      map[string]int // of a word: the sum of the flags below
}

// Where and in which case the words of the training text stood.
const (
	midUpper   = 1 << 2 // inside a sentence, with a capital
	anyUpper   = 1<<1 | 1<<2 | 1<<3
	startLower = 1 << 4 // at the beginning of a sentence, with a small letter
	anyLower   = 1<<4 | 1<<5 | 1<<6
)

func newSplitter() (*splitter, error) {
	text, err := data.Asset("data/english.json")
	if err != nil {
		return nil, fmt.Errorf("ifeval: the table of English sentences: %w", err)
	}
	var table struct {
		AbbrevTypes, Collocations, SentStarters, OrthoContext map[string]int
	}
	err = json.Unmarshal(text, &table)
	if err != nil {
		return nil, fmt.Errorf("ifeval: the table of English sentences: %w", err)
	}
	s := &splitter{
		abbreviations: map[string]bool{},
		collocations:  map[[2]string]bool{},
		starters:      map[string]bool{},
		contexts:      table.OrthoContext,
	}
	for word := range table.AbbrevTypes {
		s.abbreviations[word] = true
	}
	for pair := range table.Collocations {
		first, second, _ := strings.Cut(pair, ",")
		s.collocations[[2]string{first, second}] = true
	}
	for word := range table.SentStarters {
		s.starters[word] = true
	}
	// The one entry that NLTK's own table does not have.
	delete(s.starters, "she")
	return s, nil
}

// span is a range of runes.
type span struct{ start, end int }

// sentences splits a text.
func (s *splitter) sentences(text string) []string {
	runes := []rune(text)
	var all []string
	for _, p := range realign(runes, s.spans(runes)) {
		all = append(all, string(runes[p.start:p.end]))
	}
	return all
}

// spans cuts at the marks that end a sentence.
func (s *splitter) spans(runes []rune) []span {
	var all []span
	start := 0
	for _, c := range candidates(runes) {
		if !s.breaks(c.context) {
			continue
		}
		all = append(all, span{start, c.mark + 1})
		start = c.next
	}
	end := len([]rune(strings.TrimRightFunc(string(runes), isSpace)))
	return append(all, span{start, max(start, end)})
}

// candidate is a mark that may end a sentence, with the words around it and the place where the next one would begin.
type candidate struct {
	mark, next int
	context    []rune
}

// candidates lists the marks after which something else follows; of several in one word the last one.
func candidates(runes []rune) []candidate {
	var all []candidate
	word := span{}
	found := false
	var last candidate
	for i, r := range runes {
		if r != '.' && r != '?' && r != '!' {
			continue
		}
		next, end, ok := following(runes, i+1)
		if !ok {
			continue
		}
		start := word.start
		if at := lastSpace(runes[word.end:i]); at > 0 {
			start = word.end + at + 1
		}
		if found && word.end <= start {
			all = append(all, last)
		}
		word = span{start, i}
		last = candidate{i, next, runes[start:end]}
		found = true
	}
	if found {
		all = append(all, last)
	}
	return all
}

// following looks behind a mark for punctuation, or for white space and a token: where the next sentence would begin,
// and where the context ends.
func following(runes []rune, at int) (next, end int, ok bool) {
	if at == len(runes) {
		return 0, 0, false
	}
	if endsWord(runes[at]) {
		return at, at + 1, true
	}
	next = at
	for next < len(runes) && unicode.IsSpace(runes[next]) {
		next++
	}
	if next == at || next == len(runes) {
		return 0, 0, false
	}
	end = next
	for end < len(runes) && !unicode.IsSpace(runes[end]) {
		end++
	}
	return next, end, true
}

// lastSpace gives the place of the last white space of ASCII, 0 if there is none.
func lastSpace(runes []rune) int {
	for i := len(runes) - 1; i >= 0; i-- {
		if strings.ContainsRune(" \t\n\r\v\f", runes[i]) {
			return i
		}
	}
	return 0
}

// endsWord reports punctuation that is never part of a word.
func endsWord(r rune) bool { return strings.ContainsRune(`)";}]*:@'({[‘’“”«»?!`, r) }

// realign moves closing quotes and brackets to the sentence that they close.
func realign(runes []rune, spans []span) []span {
	var all []span
	moved := 0
	for i, p := range spans {
		p.start += moved
		moved = 0
		if i+1 < len(spans) {
			next := spans[i+1]
			var closing int
			closing, moved = closingMarks(runes[next.start:next.end])
			if moved > 0 {
				all = append(all, span{p.start, next.start + closing})
				continue
			}
		}
		if p.start < p.end {
			all = append(all, p)
		}
	}
	return all
}

// closingMarks measures the quotes and brackets at the beginning of a text, without and with the white space behind
// them; 0 unless white space, a dash or nothing follows.
func closingMarks(runes []rune) (marks, all int) {
	n := 0
	for n < len(runes) && strings.ContainsRune(`"')]}‘’“”«»`, runes[n]) {
		n++
		rest := runes[n:]
		spaces := 0
		for spaces < len(rest) && unicode.IsSpace(rest[spaces]) {
			spaces++
		}
		dash := len(rest) > 1 && rest[0] == '-' && rest[1] == '-'
		if spaces > 0 || dash || len(rest) == 0 {
			return n, n + spaces
		}
	}
	return 0, 0
}
