package data

import (
	"errors"
	"hash/fnv"
	"iter"
	"slices"
	"strings"
	"unicode"
)

// The signature of a text is the smallest value of each of so many hashes over its word triples: two texts agree in as
// many places as their sets of triples overlap (MinHash; Broder 1997, "On the resemblance and containment of
// documents"). Texts are compared where one band of their signatures is equal, so the work grows with the number of
// rows only.
const (
	signatureSize = 32
	bandSize      = 4
	nearAgreement = 26 // places of a signature in which near texts agree: an overlap of about 0.8
)

type signature [signatureSize]uint32

// signatures are those of the first rows of a set.
type signatures struct {
	signs   []signature
	sources []string
}

// How many rows are compared: the first ones of training, and of those held out, which are looked up by their bands.
const (
	mostNear    = 100_000
	mostHeldOut = 10_000
)

func (l *signatures) add(s *signature, source string) {
	if len(l.signs) < mostNear {
		l.signs, l.sources = append(l.signs, *s), append(l.sources, source)
	}
}

// NearRows names a held-out row and a row of training that says almost the same.
type NearRows struct{ HeldOut, Train string }

// Near finds, for held-out rows, a row of training that says almost the same: at least about 0.8 of all triples of
// their words are in both, numbers being equal to each other and system prompts left out. Each held-out row is given
// once at the most, in the order of train. The first 10,000 held-out rows and 100,000 of training are compared.
func Near(train, heldOut *Set) []NearRows {
	type band struct {
		at    int
		value [bandSize]uint32
	}
	signs := heldOut.near.signs[:min(mostHeldOut, len(heldOut.near.signs))]
	open := map[band][]int{} // held-out rows by each band
	each := func(s *signature, do func(band)) {
		for at := 0; at < signatureSize; at += bandSize {
			do(band{at, [bandSize]uint32(s[at : at+bandSize])})
		}
	}
	for i := range signs {
		each(&signs[i], func(b band) { open[b] = append(open[b], i) })
	}
	found := make([]bool, len(signs))
	var near []NearRows
	for i := range train.near.signs {
		s := &train.near.signs[i]
		each(s, func(b band) {
			rest := open[b][:0]
			for _, h := range open[b] {
				if !found[h] && s.agrees(&signs[h]) {
					found[h] = true
					near = append(near, NearRows{heldOut.near.sources[h], train.near.sources[i]})
				}
				if !found[h] {
					rest = append(rest, h)
				}
			}
			if len(rest) < len(open[b]) {
				open[b] = rest
			}
		})
	}
	return near
}

// Alike finds, for each of some rows, the others of a data set that say almost the same ([Near] says how much), by
// their sources. Rows that cannot be read are passed over.
func Alike(of []Row, rows iter.Seq2[Row, error]) ([][]string, error) {
	signs := make([]signature, len(of))
	for i := range of {
		signs[i] = sign(&of[i])
	}
	alike := make([][]string, len(of))
	for row, err := range rows {
		if _, bad := errors.AsType[*BadRow](err); bad {
			continue
		}
		if err != nil {
			return nil, err
		}
		s := sign(&row)
		for i := range signs {
			if row.Source != of[i].Source && s.agrees(&signs[i]) && !slices.Contains(alike[i], row.Source) {
				alike[i] = append(alike[i], row.Source)
			}
		}
	}
	return alike, nil
}

func (s *signature) agrees(t *signature) bool {
	n := 0
	for i := range s {
		if s[i] == t[i] {
			n++
		}
	}
	return n >= nearAgreement
}

// sign makes the signature of what a row says.
func sign(row *Row) (s signature) {
	for i := range s {
		s[i] = ^uint32(0)
	}
	words := plainWords(row)
	const triple = 3
	for i := 0; i == 0 || i+triple <= len(words); i++ {
		h := fnv.New64a()
		for _, w := range words[i:min(i+triple, len(words))] {
			h.Write([]byte(w))
			h.Write([]byte{' '})
		}
		v := h.Sum64()
		for k := range s {
			v = v*0x9e3779b97f4a7c15 + uint64(k) // a new hash of the triple
			v ^= v >> 29
			s[k] = min(s[k], uint32(v>>32))
		}
	}
	return s
}

// plainWords are the words of a row without system prompts: lower case, without marks, and every number as 0.
func plainWords(row *Row) []string {
	var b strings.Builder
	b.WriteString(row.Text)
	for _, m := range row.Messages {
		if m.Role != "system" {
			b.WriteByte(' ')
			b.WriteString(m.Content)
		}
	}
	words := strings.FieldsFunc(strings.ToLower(b.String()), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsNumber(r)
	})
	for i, w := range words {
		if strings.IndexFunc(w, func(r rune) bool { return !unicode.IsNumber(r) }) < 0 {
			words[i] = "0"
		}
	}
	return words
}
