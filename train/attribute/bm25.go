package attribute

import (
	"context"
	"errors"
	"strings"
	"unicode"

	"instruct/data"
	"instruct/model/kernel/exact"
	"instruct/train"
)

// BM25's usual constants (Robertson and Zaragoza 2009, The Probabilistic Relevance Framework).
const (
	bm25K = 1.2
	bm25B = 0.75
)

// bm25 scores every place by the words that its text shares with each question and its answer: what a search would
// find, the yardstick of the other methods. It knows nothing of the model.
func bm25(ctx context.Context, p *train.Past, l *places, questions []Question) ([][]float64, error) {
	counts := make([]map[string]int, len(l.names)) // of words, by place
	lengths := make([]int, len(l.names))
	inRows := map[string]int{}
	for row, err := range p.DataRows(ctx) {
		if _, bad := errors.AsType[*data.BadRow](err); bad {
			continue
		}
		if err != nil {
			return nil, err
		}
		at, ok := l.byName[row.Source]
		if !ok || counts[at] != nil {
			continue
		}
		prompt, answer := said(&row)
		counts[at] = map[string]int{}
		for _, w := range words(prompt + " " + answer) {
			if counts[at][w]++; counts[at][w] == 1 {
				inRows[w]++
			}
			lengths[at]++
		}
	}
	total := 0
	for _, n := range lengths {
		total += n
	}
	mean := float64(total) / float64(len(lengths))
	all := make([][]float64, len(questions))
	for i := range questions {
		all[i] = make([]float64, len(l.names))
		asked := map[string]bool{}
		for _, w := range words(questions[i].Prompt() + " " + questions[i].Answer) {
			if asked[w] {
				continue
			}
			asked[w] = true
			n := float64(inRows[w])
			idf := exact.Log(1 + (float64(len(lengths))-n+0.5)/(n+0.5))
			for at, c := range counts {
				if f := float64(c[w]); f > 0 {
					norm := float64(bm25K * (1 - bm25B + float64(bm25B*float64(lengths[at]))/mean))
					all[i][at] += float64(idf * f * (bm25K + 1) / (f + norm))
				}
			}
		}
	}
	return all, nil
}

// words are the words of a text in lower case, and its numbers.
func words(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsNumber(r)
	})
}
