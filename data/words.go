package data

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// word is a word of a text, or a punctuation mark beside one, with its place in bytes.
type word struct {
	text       string
	start, end int
	mark       bool // of punctuation
}

// wordsOf divides a text at white space, and every part into the marks before it, a word, and the marks behind it: the
// dot of "days." is a mark, those of "3.5 %" and "it's" belong to a word. A sign of percent is no mark.
func wordsOf(text string) []word {
	var words []word
	mark := func(r rune) bool { return unicode.IsPunct(r) && r != '%' }
	add := func(start, end int, mark bool) {
		if start < end {
			words = append(words, word{text[start:end], start, end, mark})
		}
	}
	at := 0
	for part := range strings.FieldsSeq(text) {
		at += len(text[at:]) - len(strings.TrimLeftFunc(text[at:], unicode.IsSpace))
		first := at + len(part) - len(strings.TrimLeftFunc(part, mark))
		last := at + len(strings.TrimRightFunc(part, mark))
		last = max(first, last) // where there is nothing but marks
		for i := range part {
			p := at + i
			if p == first {
				add(first, last, false)
			}
			if p < first || p >= last {
				_, size := utf8.DecodeRuneInString(text[p:])
				add(p, p+size, true)
			}
		}
		at += len(part)
	}
	return words
}

// longestCompared limits the work of a comparison: words of one text times words of the other, what both begin and end
// with aside.
const longestCompared = 4 << 20

// replacements gives what a correction replaces by what: the runs of words that are not in a longest common
// subsequence of both texts. A text of which less than half stays was written anew, and gives none.
func replacements(rejected, chosen string) []replacement {
	old, now := wordsOf(rejected), wordsOf(chosen)
	pairs, ok := common(old, now)
	stay := 0
	for _, p := range pairs {
		if !old[p[0]].mark {
			stay++
		}
	}
	if !ok || 2*stay < min(plain(old), plain(now)) || stay == 0 {
		return nil
	}
	var all []replacement
	i, j := 0, 0
	for _, p := range append(pairs, [2]int{len(old), len(now)}) {
		if i < p[0] || j < p[1] {
			if r, ok := newReplacement(old, now, [2]int{i, p[0]}, [2]int{j, p[1]}, chosen); ok {
				all = append(all, r)
			}
		}
		i, j = p[0]+1, p[1]+1
	}
	return all
}

// plain counts the words that are no marks.
func plain(words []word) int {
	n := 0
	for _, w := range words {
		if !w.mark {
			n++
		}
	}
	return n
}

// newReplacement makes a replacement of the words gone[0]:gone[1] of old by come[0]:come[1] of now. A name stands for
// itself; a run that has fewer than two words takes the word behind it for context, else the one before it; where
// nothing goes, both. ok is false where there is too little to look for, or where only marks differ.
func newReplacement(old, now []word, gone, come [2]int, chosen string) (r replacement, ok bool) {
	if plain(old[gone[0]:gone[1]]) == 0 && plain(now[come[0]:come[1]]) == 0 {
		return r, false
	}
	wanted := 2
	if n := gone[1] - gone[0]; n == 1 && isName(old, gone[0]) {
		wanted = 1
	}
	adds := gone[0] == gone[1] // nothing goes
	few := func() bool { return plain(old[gone[0]:gone[1]]) < wanted }
	if few() && gone[1] < len(old) && !old[gone[1]].mark { // what stands behind a run stays, and so is in both
		gone[1], come[1] = gone[1]+1, come[1]+1
	}
	if (few() || adds) && gone[0] > 0 && !old[gone[0]-1].mark {
		gone[0], come[0] = gone[0]-1, come[0]-1
	}
	if few() {
		return r, false
	}
	r.words = old[gone[0]:gone[1]]
	if come[0] < come[1] {
		r.by = chosen[now[come[0]].start:now[come[1]-1].end]
	}
	return r, true
}

// isName tells whether a word says by itself what it is about: it has a capital letter and does not begin a sentence,
// or has letters and digits.
func isName(words []word, i int) bool {
	text := words[i].text
	if text == "I" || strings.HasPrefix(text, "I'") {
		return false
	}
	has := func(is func(rune) bool) bool { return strings.ContainsFunc(text, is) }
	begins := i == 0 || words[i-1].mark && strings.ContainsAny(words[i-1].text, ".!?:")
	return has(unicode.IsDigit) && has(unicode.IsLetter) || has(unicode.IsUpper) && !begins
}

// common gives the places, in both texts, of a longest common subsequence of their words (Wagner and Fischer 1974). ok
// is false where they are too long for it.
func common(a, b []word) (pairs [][2]int, ok bool) {
	first, last := 0, 0
	for first < min(len(a), len(b)) && a[first].text == b[first].text {
		pairs = append(pairs, [2]int{first, first})
		first++
	}
	for last < min(len(a), len(b))-first && a[len(a)-1-last].text == b[len(b)-1-last].text {
		last++
	}
	n, m := len(a)-first-last, len(b)-first-last
	if n > 0 && m > longestCompared/n {
		return nil, false
	}
	length := make([][]int32, n+1) // length[i][j]: of the longest one of a[first+i:] and b[first+j:], up to last
	for i := range length {
		length[i] = make([]int32, m+1)
	}
	for i := n - 1; i >= 0; i-- {
		for j := m - 1; j >= 0; j-- {
			length[i][j] = max(length[i+1][j], length[i][j+1])
			if a[first+i].text == b[first+j].text {
				length[i][j] = length[i+1][j+1] + 1
			}
		}
	}
	for i, j := 0, 0; i < n && j < m; {
		switch {
		case a[first+i].text == b[first+j].text:
			pairs = append(pairs, [2]int{first + i, first + j})
			i, j = i+1, j+1
		case length[i+1][j] >= length[i][j+1]:
			i++
		default:
			j++
		}
	}
	for k := last; k > 0; k-- {
		pairs = append(pairs, [2]int{len(a) - k, len(b) - k})
	}
	return pairs, true
}
