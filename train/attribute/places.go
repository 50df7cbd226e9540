package attribute

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"instruct/data"
	"instruct/train"
)

// places are the rows of a run by their names: what drop_rows can take out. A row that gives several examples, as a
// long text does, is one place.
type places struct {
	names  []string
	tokens []int // trained, of each
	of     []int // the place of each example
	byName map[string]int
}

// placesOf reads the names of a run's rows. Rows that are withheld have no place.
func placesOf(p *train.Past) (*places, error) {
	l := &places{byName: map[string]int{}}
	for i := range p.Rows() {
		e, err := p.Row(i)
		if err != nil {
			return nil, err
		}
		if e.Withheld {
			l.of = append(l.of, -1)
			continue
		}
		at, ok := l.byName[e.Source]
		if !ok {
			at = len(l.names)
			l.byName[e.Source] = at
			l.names, l.tokens = append(l.names, e.Source), append(l.tokens, 0)
		}
		l.of = append(l.of, at)
		l.tokens[at] += e.Trained()
	}
	return l, nil
}

// sum adds up the scores of the examples of each place.
func (l *places) sum(scores []float64) []float64 {
	out := make([]float64, len(l.names))
	for i, s := range scores {
		if l.of[i] >= 0 {
			out[l.of[i]] += s
		}
	}
	return out
}

// ranked are the places, the highest score first; equal ones in the order of the files.
func ranked(scores []float64) []int {
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(scores[b], scores[a]) })
	return order
}

// texts reads the rows of some places.
func (l *places) texts(ctx context.Context, p *train.Past, wanted []int) ([]data.Row, error) {
	found := map[string]data.Row{}
	need := map[string]bool{}
	for _, i := range wanted {
		need[l.names[i]] = true
	}
	for row, err := range p.DataRows(ctx) {
		if _, bad := errors.AsType[*data.BadRow](err); bad {
			continue
		}
		if err != nil {
			return nil, err
		}
		if _, have := found[row.Source]; need[row.Source] && !have {
			found[row.Source] = row
		}
		if len(found) == len(need) {
			break
		}
	}
	rows := make([]data.Row, len(wanted))
	for k, i := range wanted {
		rows[k] = found[l.names[i]]
		rows[k].Source = l.names[i]
	}
	return rows, nil
}

// said is what a row says, as question and answer; of a plain text all is the answer.
func said(row *data.Row) (prompt, answer string) {
	n := len(row.Messages)
	if n == 0 {
		return "", row.Text
	}
	last := row.Messages[n-1]
	for i := n - 2; i >= 0; i-- {
		if row.Messages[i].Role != "system" {
			prompt = row.Messages[i].Content
			break
		}
	}
	return prompt, last.Content
}
