package train

import (
	"context"
	"fmt"
	"strings"

	"instruct/data/lessons"
	"instruct/model"
	"instruct/tokenizer/chat"
)

// LessonsReport says how many held-out lessons a model answers exactly.
type LessonsReport struct {
	Table         lessons.Report
	Before, After float64 // exact match of all, 0 to 1
	HasBefore     bool    // the untrained model was asked too
	Above80       int     // kinds with more than 80 % after training
	Kinds         int
	Good, Bad     []LessonAnswer // some real answers
}

// LessonAnswer is a held-out lesson with the model's answer.
type LessonAnswer struct {
	Kind, Prompt, Want, Got string
}

// answerLessons asks every held-out lesson greedily and scores the answers; keep receives each answer, may be nil.
func (t *trainer) answerLessons(ctx context.Context, keep func(i int, answer string, right bool)) ([]bool, error) {
	enc := t.assets.Encoder(t.r.MaxLength, false)
	d, err := t.assets.Model.NewDecoder(t.pool, t.assets.Model.Config.MaxLength)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	right := make([]bool, len(t.set.evalRows))
	for i, row := range t.set.evalRows {
		want := row.Messages[len(row.Messages)-1].Content
		ids, err := enc.Prompt(row.Messages[:len(row.Messages)-1])
		if err != nil {
			return nil, err
		}
		// An exact answer has no more tokens than the wanted text has bytes, and the end-of-turn token.
		out, _, err := d.Generate(ctx, model.Request{Prompt: ids, MaxNew: len(want) + 2, Stop: t.assets.Stop})
		if err != nil {
			return nil, err
		}
		if ctx.Err() != nil {
			return nil, t.interruptedAnswers()
		}
		answer, err := t.assets.Tokenizer.Decode(out, true)
		if err != nil {
			return nil, err
		}
		right[i] = lessons.Score(row, answer)
		if keep != nil {
			keep(i, answer, right[i])
		}
	}
	return right, nil
}

// interruptedAnswers ends a run that was stopped outside its steps: all that was trained is already saved.
func (t *trainer) interruptedAnswers() error {
	if t.st.Step == 0 {
		return t.interrupt()
	}
	fmt.Fprintf(t.o.Log, "stopped; the model after step %d of %d is whole\n", t.st.Step, t.total)
	return ErrInterrupted
}

// reportLessons asks the trained model and compares with before, which is nil for a resumed run.
func (t *trainer) reportLessons(ctx context.Context, before []bool) (*LessonsReport, error) {
	r := &LessonsReport{HasBefore: before != nil}
	shown := map[string]bool{}
	after, err := t.answerLessons(ctx, func(i int, answer string, right bool) {
		l := t.set.evalRows[i]
		a := LessonAnswer{Kind: l.Kind, Prompt: conversation(l.Messages), Want: l.Messages[len(l.Messages)-1].Content, Got: answer}
		switch {
		case right && len(r.Good) < 8 && !shown[l.Kind]:
			r.Good = append(r.Good, a)
			shown[l.Kind] = true
		case !right && len(r.Bad) < 5 && !shown["bad "+l.Kind]:
			r.Bad = append(r.Bad, a)
			shown["bad "+l.Kind] = true
		}
	})
	if err != nil {
		return nil, err
	}
	if before == nil {
		before = make([]bool, len(after))
	}
	for i, l := range t.set.evalRows {
		r.Table.Add(l.Kind, before[i], after[i])
	}
	rows, b, a := r.Table.Total()
	r.Before, r.After = float64(b)/float64(rows), float64(a)/float64(rows)
	r.Above80, r.Kinds = r.Table.KindsAbove(0.8)
	return r, nil
}

// conversation writes all turns but the last answer on one line.
func conversation(messages []chat.Message) string {
	var b strings.Builder
	for i, m := range messages[:len(messages)-1] {
		if i > 0 {
			b.WriteString("  ")
		}
		if m.Role != "user" {
			fmt.Fprintf(&b, "[%s] ", m.Role)
		}
		b.WriteString(m.Content)
	}
	return b.String()
}

// String is the report that ends `instruct train` of the embedded default.
func (r *LessonsReport) String() string {
	var b strings.Builder
	b.WriteString(r.Table.String())
	if !r.HasBefore {
		b.WriteString("(the run was resumed: the model before training was not asked)\n")
	}
	fmt.Fprintf(&b, "%d of %d kinds above 80 %%\n", r.Above80, r.Kinds)
	for _, part := range []struct {
		title   string
		answers []LessonAnswer
	}{{"right answers", r.Good}, {"wrong answers", r.Bad}} {
		if len(part.answers) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n%s\n", part.title)
		for _, a := range part.answers {
			fmt.Fprintf(&b, "  %s\n    -> %s", a.Prompt, a.Got)
			if a.Got != a.Want {
				fmt.Fprintf(&b, "   (should be: %s)", a.Want)
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}
