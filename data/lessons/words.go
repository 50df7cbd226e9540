package lessons

import (
	_ "embed"
	"hash/fnv"
	"slices"
	"strings"
)

//go:embed things.txt
var thingsText string

//go:embed others.txt
var othersText string

// heldOutPercent of the words and of the pairs of numbers belong to the held-out part.
const heldOutPercent = 15

// vocabulary holds the words of one split, in the order of the files.
type vocabulary struct {
	things []string // nouns
	all    []string // nouns and other words
}

// newVocabulary reads the embedded lists and keeps the words of the split.
func newVocabulary(split Split) *vocabulary {
	v := &vocabulary{}
	seen := map[string]bool{}
	add := func(text string, noun bool) {
		for _, w := range strings.Fields(text) {
			if seen[w] || WordSplit(w) != split {
				continue
			}
			seen[w] = true
			v.all = append(v.all, w)
			if noun {
				v.things = append(v.things, w)
			}
		}
	}
	add(thingsText, true)
	add(othersText, false)
	return v
}

// WordSplit tells which part a word belongs to. It depends only on the word's letters, not on their order or case, so
// the reversed word, the sorted letters and every anagram belong to the same part.
func WordSplit(word string) Split {
	letters := []byte(strings.ToLower(word))
	slices.Sort(letters)
	return hashSplit(letters)
}

// pairSplit tells which part the unordered pair of numbers belongs to.
func pairSplit(a, b int) Split {
	return hashSplit([]byte{'#', byte(min(a, b)), byte(max(a, b))})
}

func hashSplit(key []byte) Split {
	h := fnv.New64a()
	h.Write(key)
	// FNV's low bits are weak for short keys: fold the high half in.
	x := h.Sum64()
	x ^= x >> 29
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 32
	if x%100 < heldOutPercent {
		return HeldOut
	}
	return Train
}
