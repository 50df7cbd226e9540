package lessons

import (
	"slices"
	"strings"

	"instruct/model/kernel/rng"
)

// Split tells the training part from the held-out part.
type Split int

// The two parts of the data set. No word and no pair of numbers of one occurs in the other.
const (
	Train Split = iota
	HeldOut
)

// String names the split as reports do.
func (s Split) String() string {
	if s == HeldOut {
		return "held-out"
	}
	return "train"
}

// draw is the chance of one row: it knows the split, so that whatever it hands out is allowed there.
type draw struct {
	split Split
	words *vocabulary
	rand  rng.Rand
}

// intn draws from [0,n).
func (d *draw) intn(n int) int { return d.rand.Intn(n) }

// between draws from [lo,hi].
func (d *draw) between(lo, hi int) int { return lo + d.intn(hi-lo+1) }

// pick draws one of the texts.
func (d *draw) pick(texts ...string) string { return texts[d.intn(len(texts))] }

// word draws a word of lo to hi letters that is none of the ones in not.
func (d *draw) word(lo, hi int, not ...string) string { return d.from(d.words.all, lo, hi, not) }

// thing draws a noun, something one can talk about.
func (d *draw) thing(lo, hi int, not ...string) string { return d.from(d.words.things, lo, hi, not) }

func (d *draw) from(list []string, lo, hi int, not []string) string {
	for {
		w := list[d.intn(len(list))]
		if len(w) >= lo && len(w) <= hi && !slices.Contains(not, w) {
			return w
		}
	}
}

// quoted puts the word in quotes in half of the rows.
func (d *draw) quoted(word string) string {
	if d.intn(2) == 0 {
		return `"` + word + `"`
	}
	return word
}

// numbers draws n different numbers of [lo,hi], every two of which are a pair of this split.
func (d *draw) numbers(n, lo, hi int) []int {
	for {
		list := make([]int, 0, n)
		for tries := 0; len(list) < n && tries < 400; tries++ {
			x := d.between(lo, hi)
			fits := true
			for _, y := range list {
				fits = fits && x != y && pairSplit(x, y) == d.split
			}
			if fits {
				list = append(list, x)
			}
		}
		if len(list) == n {
			return list
		}
	}
}

// fill replaces {name} by value for each name, value of pairs.
func fill(text string, pairs ...string) string {
	for i := 0; i < len(pairs); i += 2 {
		text = strings.ReplaceAll(text, "{"+pairs[i]+"}", pairs[i+1])
	}
	return text
}
