package coach

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"instruct/data"
	"instruct/model/kernel/rng"
	"instruct/tokenizer/chat"
)

// contrast makes prompts of the form of a correction that ask something else: some of the words that say what it is
// about are replaced by such words of other prompts. A correction is learned by the form of its prompt before it is
// learned by what is asked, and what is trained to answer them as before cannot be learned by the form alone.
//
// A word says what a prompt is about when few other prompts have it, so no list of a language's words is needed; a text
// that is not written with spaces between its words has no contrasts.
type contrast struct {
	count map[string]int // of a word, in how many of the other prompts it is
	most  int            // of the prompts, for a word that says what they are about
	pool  []string       // those words
}

func newContrast(others []string) *contrast {
	c := &contrast{count: map[string]int{}, most: 1 + len(others)/50}
	var all []string
	for _, text := range others {
		seen := map[string]bool{}
		for _, w := range strings.Fields(text) {
			core := strings.ToLower(inner(w))
			if core != "" && !seen[core] {
				seen[core] = true
				c.count[core]++
				all = append(all, core)
			}
		}
	}
	taken := map[string]bool{}
	for _, w := range all {
		if !taken[w] && c.about(w) {
			taken[w] = true
			c.pool = append(c.pool, w)
		}
	}
	return c
}

// inner is a word without the punctuation around it.
func inner(word string) string {
	return strings.TrimFunc(word, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// about says whether a word tells what a prompt is about.
func (c *contrast) about(core string) bool {
	return utf8.RuneCountInString(core) > 2 && c.count[strings.ToLower(core)] <= c.most
}

// texts makes n of them of one text, with the numbers of r; none where no word can be replaced.
func (c *contrast) texts(text string, n int, r *rng.Rand) []string {
	words := strings.Fields(text)
	var places []int
	for i, w := range words {
		if c.about(inner(w)) {
			places = append(places, i)
		}
	}
	if len(places) == 0 || len(c.pool) == 0 {
		return nil
	}
	var out []string
	for k := range n {
		changed := append([]string{}, words...)
		order := r.Perm(len(places))
		for _, p := range order[:1+k%((len(places)+1)/2)] {
			i := places[p]
			changed[i] = strings.Replace(words[i], inner(words[i]), c.like(inner(words[i]), r), 1)
		}
		out = append(out, strings.Join(changed, " "))
	}
	return out
}

// like gives a word of the pool, which begins with a capital as the one that it replaces does.
func (c *contrast) like(core string, r *rng.Rand) string {
	w := c.pool[r.Intn(len(c.pool))]
	if first, _ := utf8.DecodeRuneInString(core); unicode.IsUpper(first) {
		first, size := utf8.DecodeRuneInString(w)
		w = string(unicode.ToUpper(first)) + w[size:]
	}
	return w
}

// contrasts are prompts in the form of corrections, n of each.
func contrasts(corrections []data.Correction, others []string, n int, seed uint64, round int) [][]chat.Message {
	c := newContrast(others)
	var all [][]chat.Message
	for i := range corrections {
		r := rng.NewRand(seed, "contrast", uint64(round), uint64(i))
		for k, asked := range corrections[i].Asked() {
			last := asked[len(asked)-1]
			share := (n + k) / len(corrections[i].Asked())
			for _, text := range c.texts(last.Content, share, &r) {
				last.Content = text
				all = append(all, append(asked[:len(asked)-1:len(asked)-1], last))
			}
		}
	}
	return all
}
