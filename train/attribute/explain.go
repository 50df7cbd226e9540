package attribute

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"instruct/data"
	"instruct/train"
)

// Methods are the ways to find the rows: names and what each does.
func Methods() []string { return []string{"trace", "unroll", "bm25"} }

// Explanation is why an answer is given.
type Explanation struct {
	ID      string  `json:"id,omitempty"`
	Prompt  string  `json:"prompt"`
	Answer  string  `json:"answer"`
	Greedy  string  `json:"greedy"` // what the model answers
	Tokens  []Token `json:"tokens"`
	Logprob float64 `json:"logprob"` // of the answer, in nats

	Base        string   `json:"base,omitempty"`         // the model before the run
	BaseAnswer  string   `json:"base_answer,omitempty"`  // what it answers
	BaseLogprob *float64 `json:"base_logprob,omitempty"` // of the answer
	Parts       int      `json:"parts"`                  // the first token that the base would not have said; -1: none

	Method  string   `json:"method"`
	Steps   []int    `json:"steps,omitempty"`      // whose weights were looked at
	Smooth  *float64 `json:"smoothness,omitempty"` // of unroll: of the run, at most 1; see [train.Past.Unroll]
	Towards []Row    `json:"towards"`              // the rows that pushed towards the answer most
	Against []Row    `json:"against"`              // and against it
	Pushed  float64  `json:"pushed"`               // the sum of all rows that pushed towards it
	Pulled  float64  `json:"pulled"`               // and of those against it, below 0
	Rows    int      `json:"rows"`

	Proof *Proof   `json:"proof,omitempty"`
	Notes []string `json:"notes,omitempty"`

	Scores []Score `json:"scores,omitempty"` // of every row, the highest first, where they are asked for

	ranking []Score
}

// Row is a training row with its part in an answer.
type Row struct {
	Source string   `json:"source"`
	Score  float64  `json:"score"`  // trace: nats of the answer's log-probability, to first order; bm25: no unit
	Prompt string   `json:"prompt"` // what the row says
	Answer string   `json:"answer"`
	Alike  []string `json:"alike,omitempty"`       // other rows that say almost the same
	Group  float64  `json:"group_score,omitempty"` // the row's score with theirs
}

// Score is a row's score.
type Score struct {
	Source string  `json:"source"`
	Score  float64 `json:"score"`
}

// Options say how rows are found and shown.
type Options struct {
	Method string
	Top    int                // rows that are shown on each side
	All    bool               // give the score of every row
	Seen   func(done, of int) // how far trace has come; may be nil
	Begin  func(what string)  // is told what will be done before it; may be nil
}

// Find finds the rows behind the answers, and adds them to what is known of each.
func Find(ctx context.Context, p *train.Past, questions []Question, out []Explanation, o Options) error {
	l, err := placesOf(p)
	if err != nil {
		return err
	}
	var scores [][]float64
	switch o.Method {
	case "trace":
		if o.Begin != nil {
			o.Begin(plan(p, len(questions)))
		}
		examples := make([]data.Example, len(questions))
		for i := range questions {
			examples[i] = questions[i].Example
		}
		if scores, err = Trace(ctx, p, examples, o.Seen); err != nil {
			return err
		}
		for i := range scores {
			scores[i] = l.sum(scores[i])
		}
	case "unroll":
		if o.Begin != nil {
			o.Begin(planUnroll(p, len(questions)))
		}
		var smooth float64
		if scores, smooth, err = Unroll(ctx, p, questions, o.Seen); err != nil {
			return err
		}
		for i := range out {
			out[i].Smooth = &smooth
			if note := roughNote(smooth); note != "" {
				out[i].Notes = append(out[i].Notes, note)
			}
		}
		for i := range scores {
			scores[i] = l.sum(scores[i])
		}
	case "bm25":
		if scores, err = bm25(ctx, p, l, questions); err != nil {
			return err
		}
	default:
		return mistake("method is %q; known: %s", o.Method, strings.Join(Methods(), ", "))
	}
	for i := range out {
		out[i].Method, out[i].Rows = o.Method, len(l.names)
		if o.Method == "trace" {
			out[i].Notes = append(out[i].Notes, p.Notes...)
			for _, k := range p.Kept {
				out[i].Steps = append(out[i].Steps, k.Step)
			}
		}
		if err := l.show(ctx, p, scores[i], &out[i], o); err != nil {
			return err
		}
	}
	return nil
}

// plan says how much work trace is.
func plan(p *train.Past, questions int) string {
	visited := 0
	for _, of := range visitWeights(p) {
		for _, w := range of {
			if w != 0 {
				visited++
			}
		}
	}
	text := fmt.Sprintf("trace: %d kept steps, %d answers; for each answer 2 passes over %d rows, each at the kept steps "+
		"that are nearest to its own", len(p.Kept), questions, visited)
	if p.Seconds > 0 && p.Epochs() > 0 {
		row := p.Seconds / p.Epochs() / float64(p.Rows()) / 3 // backward is twice forward
		text += fmt.Sprintf("; about %.0f s at the speed of the run", float64(2*questions*visited)*row)
	}
	return text
}

// show fills in the rows.
func (l *places) show(ctx context.Context, p *train.Past, scores []float64, x *Explanation, o Options) error {
	for _, s := range scores {
		x.Pushed += max(s, 0)
		x.Pulled += min(s, 0)
	}
	order := ranked(scores)
	for _, i := range order {
		x.ranking = append(x.ranking, Score{l.names[i], scores[i]})
	}
	if o.All {
		x.Scores = x.ranking
	}
	n := min(o.Top, len(order))
	towards := slices.DeleteFunc(slices.Clone(order[:n]), func(i int) bool { return scores[i] <= 0 })
	slices.Reverse(order)
	against := slices.DeleteFunc(slices.Clone(order[:n]), func(i int) bool { return scores[i] >= 0 })
	shown := slices.Concat(towards, against)
	rows, err := l.texts(ctx, p, shown)
	if err != nil {
		return err
	}
	alike, err := data.Alike(rows, p.DataRows(ctx))
	if err != nil {
		return err
	}
	grouped := map[string]bool{} // rows that are told with another one
	for k, i := range shown {
		if k == len(towards) {
			clear(grouped)
		}
		if grouped[l.names[i]] {
			continue
		}
		r := Row{Source: l.names[i], Score: scores[i]}
		r.Prompt, r.Answer = said(&rows[k])
		for _, other := range alike[k] {
			if at, ok := l.byName[other]; ok && !grouped[other] {
				r.Alike = append(r.Alike, other)
				r.Group += scores[at]
				grouped[other] = true
			}
		}
		if len(r.Alike) > 0 {
			r.Group += r.Score
		}
		grouped[r.Source] = true
		if k < len(towards) {
			x.Towards = append(x.Towards, r)
		} else {
			x.Against = append(x.Against, r)
		}
	}
	return nil
}
