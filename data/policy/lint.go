package policy

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"

	"instruct/data"
)

// Report is what the trained answers of rows teach, by the rules.
type Report struct {
	// Rows and Answers are how many were read and judged; Plain are the rows of plain text, which have no answers.
	Rows, Answers, Plain int
	Evidence             []Evidence  // of every rule, in the order of the policy
	Violations           []Violation // in the order of the rows
}

// Violation is an answer of a row that violates a rule.
type Violation struct {
	Source  string // path:line of the row
	Message int    // which of its messages, from 1
	Turn
	Judgement
}

// Lint judges every answer that training on the rows would teach: the assistant's turns, but for those that are marked
// as untrained and those that say nothing and only call tools. Reasoning is not judged. The tag of an answer is the
// kind of its row. The error is that of ctx.
func (p *Policy) Lint(ctx context.Context, rows []data.Row) (*Report, error) {
	r := &Report{Rows: len(rows)}
	var turns []Violation
	for i := range rows {
		if rows[i].Messages == nil {
			r.Plain++
		}
		turns = append(turns, trained(&rows[i])...)
	}
	r.Answers = len(turns)
	judged := make([][]Judgement, len(turns))
	var next atomic.Int64
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(turns)) && ctx.Err() == nil; i = next.Add(1) - 1 {
				judged[i] = p.Judge(turns[i].Turn)
			}
		})
	}
	workers.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r.Evidence = p.Evidence(judged)
	for i, answer := range judged {
		for _, j := range answer {
			if !j.Pass {
				v := turns[i]
				v.Judgement = j
				r.Violations = append(r.Violations, v)
			}
		}
	}
	return r, nil
}

// trained is the answers of a row that are trained, not judged yet.
func trained(row *data.Row) []Violation {
	var tags []string
	if row.Kind != "" {
		tags = []string{row.Kind}
	}
	var out []Violation
	prompt := ""
	for i, m := range row.Messages {
		switch {
		case m.Role == "user":
			prompt = m.Content
		case m.Role == "assistant" && m.Content != "" && (m.Train == nil || *m.Train):
			out = append(out, Violation{Source: row.Source, Message: i + 1,
				Turn: Turn{Prompt: prompt, Tags: tags, Answer: m.Content}})
		}
	}
	return out
}
