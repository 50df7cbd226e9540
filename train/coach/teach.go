package coach

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"instruct/data"
	"instruct/model"
	"instruct/model/kernel"
	"instruct/model/pretrained"
	"instruct/tokenizer/chat"
	"instruct/train"
	"instruct/train/recipe"
)

// Options are the recipe of a round.
type Options struct {
	Seed         uint64  `json:"seed"`
	LearningRate float64 `json:"learning_rate"` // of AdamW at the first step; falls to 0 at the last
	Steps        int     `json:"steps"`         // of one try; another follows while a correction is not right
	Tries        int     `json:"tries"`         // at most
	Earlier      int     `json:"earlier"`       // earlier corrections in a step
	KeptRows     int     `json:"kept_rows"`     // answers of the parent in a step
	KeptWeight   float64 `json:"kept_weight"`   // of the divergence from the parent on them
	KeptTokens   int     `json:"kept_tokens"`   // of an answer, at most
	Top          int     `json:"top"`           // tokens of a distribution
	Back         float64 `json:"back"`          // kept between parent and child, beyond the least share that is right
	AnswerTokens int     `json:"answer_tokens"` // of an answer that is compared with what is wanted
}

// Default is the recipe that the experiments of docs/teaching.md favour.
func Default() Options {
	return Options{Seed: 42, LearningRate: 1e-4, Steps: 10, Tries: 3, Earlier: 4, KeptRows: 12, KeptWeight: 1,
		KeptTokens: 96, Top: 64, Back: 0.1, AnswerTokens: 256}
}

// Lesson is what a round teaches, and what it keeps.
type Lesson struct {
	New, Earlier []data.Correction
	Kept         [][]chat.Message // prompts, the answers to which are to stay
}

// Taught says what became of a lesson.
type Taught struct {
	Steps   int     `json:"steps"`
	Tries   int     `json:"tries"`
	Share   float64 `json:"share"` // of the way from the parent to what was trained
	Right   int     `json:"right"` // new corrections that decode as they are wanted
	Earlier int     `json:"earlier_right"`
	Kept    int     `json:"kept"` // answers of the parent that were trained beside them
}

// teacher is a round at work.
type teacher struct {
	model   *pretrained.Model
	pool    *kernel.Pool
	session *pretrained.Session
	options Options
	lesson  Lesson
	say     func(format string, args ...any)
}

// Teach changes the weights of m, which are in float32, so that it answers as the corrections want. say receives lines
// of progress.
func Teach(ctx context.Context, m *pretrained.Model, pool *kernel.Pool, l Lesson, o Options,
	say func(format string, args ...any)) (Taught, error) {
	session, err := m.NewSession(pool, 16)
	if err != nil {
		return Taught{}, err
	}
	defer session.Close()
	l.Earlier = standing(l)
	t := &teacher{model: m, pool: pool, session: session, options: o, lesson: l, say: say}
	kept, err := Keep(ctx, session, l.Kept, o)
	if err != nil {
		return Taught{}, err
	}
	say("%d answers of the model to other prompts are kept", len(kept))
	s, err := t.steps(ctx, kept)
	if err != nil {
		return Taught{}, err
	}
	parent := copied(m.Model)
	out := Taught{Kept: len(kept), Share: 1}
	for out.Tries < o.Tries && out.Right < len(l.New) {
		if err := t.try(ctx, s, &out); err != nil {
			return out, err
		}
	}
	return out, t.goBack(ctx, parent, &out)
}

// standing are the earlier corrections that still count: a new one of the same prompt takes the place of an old one.
func standing(l Lesson) []data.Correction {
	key := func(c data.Correction) string {
		text, _ := json.Marshal(c.Prompt)
		return string(text)
	}
	last := map[string]int{} // place of the last correction of a prompt
	for i, c := range l.Earlier {
		last[key(c)] = i
	}
	for _, c := range l.New {
		last[key(c)] = -1
	}
	var out []data.Correction
	for i, c := range l.Earlier {
		if last[key(c)] == i {
			out = append(out, c)
		}
	}
	return out
}

// steps encodes what is trained.
func (t *teacher) steps(ctx context.Context, kept []Kept) (*steps, error) {
	s := &steps{options: t.options, answers: kept}
	e := &data.Encoder{Tokenizer: t.model.Tokenizer, Template: t.model.Template, Stop: t.model.Stop,
		ModelLength: t.model.Config.MaxLength}
	encode := func(corrections []data.Correction) (all [][]int, err error) {
		for _, c := range corrections {
			var rows []data.Row
			for _, asked := range c.Asked() {
				rows = append(rows, data.Row{Source: "correction " + c.ID, Messages: slices.Concat(untrained(asked), c.Chosen)})
			}
			examples, _, err := e.EncodeAll(ctx, rows, 1)
			if err != nil {
				return nil, err
			}
			all = append(all, s.add(examples...))
		}
		return all, nil
	}
	var err error
	if s.new, err = encode(t.lesson.New); err != nil {
		return nil, err
	}
	if s.earlier, err = encode(t.lesson.Earlier); err != nil {
		return nil, err
	}
	for _, k := range kept {
		s.kept = append(s.kept, s.add(k.example)...)
	}
	return s, nil
}

// untrained keeps the answers inside a prompt from being trained.
func untrained(messages []chat.Message) []chat.Message {
	out := slices.Clone(messages)
	for i := range out {
		out[i].Train = new(false)
	}
	return out
}

// try trains so many steps and counts what is right then.
func (t *teacher) try(ctx context.Context, s *steps, out *Taught) error {
	r := recipe.Default()
	r.LearningRate, r.Scheduler = t.options.LearningRate, "linear"
	trainer, err := train.NewTrainer(train.TrainerOptions{Pool: t.pool, Model: t.model.Model, Recipe: &r,
		Steps: t.options.Steps, Source: s, Capacity: s.longest(), Objective: sum{}})
	if err != nil {
		return err
	}
	defer trainer.Close()
	for range t.options.Steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		step, err := trainer.Step()
		if err != nil {
			return err
		}
		out.Steps++
		t.say("step %d  loss %.4f  %.1f s", out.Steps, step.Loss, step.Time.Seconds())
	}
	out.Tries++
	return t.count(ctx, out)
}

// count counts the corrections that decode as they are wanted.
func (t *teacher) count(ctx context.Context, out *Taught) error {
	right, err := Right(ctx, t.session, append(slices.Clone(t.lesson.New), t.lesson.Earlier...), t.options.AnswerTokens)
	if err != nil {
		return err
	}
	out.Right, out.Earlier = 0, 0
	for i, ok := range right {
		switch {
		case ok && i < len(t.lesson.New):
			out.Right++
		case ok:
			out.Earlier++
		}
	}
	t.say("%d of %d corrections are right, %d of %d earlier ones", out.Right, len(t.lesson.New), out.Earlier,
		len(t.lesson.Earlier))
	return nil
}

// Right asks each correction's prompt and says whether the answer is the one that is wanted, but for white space
// around it.
func Right(ctx context.Context, s *pretrained.Session, corrections []data.Correction, longest int) ([]bool, error) {
	right := make([]bool, len(corrections))
	asked := 0
	s.Forget()
	return right, s.Ask(ctx, func(bool) (q pretrained.Question, ok bool) {
		if asked == len(corrections) {
			return q, false
		}
		c := &corrections[asked]
		asked++
		return pretrained.Question{Messages: c.Prompt,
			Decoding: pretrained.Decoding{MaxNew: min(longest, len(c.Chosen[0].Content)+2)}}, true
	}, func(a pretrained.Answer) error {
		right[a.Index] = strings.TrimSpace(a.Text) == strings.TrimSpace(corrections[a.Index].Chosen[0].Content) &&
			a.Finish == model.FinishStop
		return a.Err
	})
}

// copied are the values of all parameters.
func copied(m *model.Model) [][]float32 {
	var all [][]float32
	for _, x := range m.Tensors() {
		all = append(all, slices.Clone(x.Data))
	}
	return all
}

// goBack puts the weights between the parent and what was trained: the least tenth of the way at which as many
// corrections are right as at its end, and options.Back more.
func (t *teacher) goBack(ctx context.Context, parent [][]float32, out *Taught) error {
	child := copied(t.model.Model)
	best := *out
	tenths := 10
	for tenths > 1 {
		t.put(parent, child, float64(tenths-1)/10)
		found := *out
		if err := t.count(ctx, &found); err != nil {
			return err
		}
		if found.Right < best.Right || found.Earlier < best.Earlier {
			break
		}
		tenths--
	}
	out.Share = min(1, float64(tenths)/10+t.options.Back)
	t.put(parent, child, out.Share)
	return t.count(ctx, out)
}

// put makes the weights parent + share * (child - parent).
func (t *teacher) put(parent, child [][]float32, share float64) {
	s := float32(share)
	for i, x := range t.model.Tensors() {
		p, c := parent[i], child[i]
		if share == 1 { // exactly, whatever rounding says
			copy(x.Data, c)
			continue
		}
		for j := range x.Data {
			x.Data[j] = p[j] + float32(s*(c[j]-p[j]))
		}
	}
}
