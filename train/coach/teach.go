package coach

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"instruct/data"
	"instruct/model"
	"instruct/model/kernel"
	"instruct/model/pretrained"
	"instruct/tokenizer/chat"
	"instruct/train"
	"instruct/train/recipe"
)

// Lesson is what a round teaches, and what it keeps.
type Lesson struct {
	Round        int // number of the parent, for the order of things
	New, Earlier []data.Correction
	Kept, Near   []Kept     // answers that are to stay: to any prompts, and to those near earlier corrections
	Others       []string   // prompts of other things, for contrasts
	Rows         []data.Row // that are trained and need not decode word for word
}

// Taught says what became of a lesson.
type Taught struct {
	Steps   int     `json:"steps"`
	Tries   int     `json:"tries"`
	Share   float64 `json:"share"` // of the way from the parent to what was trained
	Right   int     `json:"right"` // new corrections that decode as they are wanted
	Earlier int     `json:"earlier_right"`
	Kept    int     `json:"kept"`  // answers that were trained beside them
	Leaks   int     `json:"leaks"` // prompts near them that the last try left answered with one
	Rows    int     `json:"rows"`  // of Lesson.Rows
	Near    []Kept  `json:"-"`     // the parent's answers to the prompts near the corrections, as far as they were trained
}

// sessionRows is how many prompts are answered at one time.
const sessionRows = 16

// teacher is a round at work.
type teacher struct {
	model   *pretrained.Model
	pool    *kernel.Pool
	session *pretrained.Session
	options Options
	lesson  Lesson
	near    []Kept // the parent's answers to prompts near the corrections
	broken  []int  // earlier corrections that are not right, at the last count
	whole   bool   // the frozen layers run in every step too, for a test
	given   int    // of them are to prompts that the corrections name; the others were made
	say     func(format string, args ...any)
}

// Teach changes the weights of m, which are in float32, so that it answers as the corrections want. say receives lines
// of progress.
func Teach(ctx context.Context, m *pretrained.Model, pool *kernel.Pool, l Lesson, o Options,
	say func(format string, args ...any)) (Taught, error) {
	t := &teacher{model: m, pool: pool, options: o, lesson: l, say: say}
	return t.teach(ctx)
}

// teach is [Teach].
func (t *teacher) teach(ctx context.Context) (Taught, error) {
	m, o, l := t.model, t.options, &t.lesson
	out := Taught{Share: 1}
	w, err := newWay(m.Model, o, l.Round)
	if err != nil {
		return out, err
	}
	session, err := m.NewSession(t.pool, sessionRows)
	if err != nil {
		return out, err
	}
	defer session.Close()
	t.session = session
	l.Earlier = standing(*l)
	if l.Kept, err = apart(m, *l, l.Kept); err != nil {
		return out, err
	}
	if l.Near, err = apart(m, *l, l.Near); err != nil {
		return out, err
	}
	asked := near(l.New)
	t.given = len(asked)
	made, err := fitting(m, contrasts(l.New, l.Others, o.Contrasts, o.Seed, l.Round), o.NearTokens)
	if err != nil {
		return out, err
	}
	if t.near, err = Keep(ctx, t.session, append(asked, made...), o.NearTokens, o.Top, func(int, int) {}); err != nil {
		return out, err
	}
	s, err := t.steps(ctx)
	if err != nil {
		return out, err
	}
	out.Kept, out.Rows = len(s.answers), len(s.extra.rows)
	t.say("%d answers to other prompts are kept", len(l.Kept)+len(l.Near)+t.given)
	if layers := frozenLayers(m.Model, o.Frozen); layers > 0 && len(l.Rows) == 0 && !t.whole {
		if s.below, err = t.newBelow(s, layers, s.longest()); err != nil {
			return out, err
		}
		defer s.below.close()
	}
	trained := slices.Clone(s.near)
	// What went wrong elsewhere is repaired once; what is taught, as often as it may be tried.
	again := func() bool {
		return out.Right < len(l.New) || out.Tries < 2 && (out.Leaks > 0 || len(t.broken) > 0)
	}
	for out.Tries == 0 || out.Tries < o.Tries && again() {
		if err := t.try(ctx, s, &out); err != nil {
			return out, err
		}
		if o.Stop {
			break
		}
		s.broken = append(s.broken[:0], t.broken...)
		leaking, err := t.leaks(ctx, s)
		if err != nil {
			return out, err
		}
		out.Leaks = len(leaking)
		if len(leaking) > 0 {
			s.near = leaking
			trained = append(trained, leaking...)
		}
	}
	slices.Sort(trained)
	for _, i := range slices.Compact(trained) {
		out.Near = append(out.Near, s.answers[i-s.first])
	}
	if o.Back < 1 && out.Rows == 0 { // nothing tells at which share rows are learned
		if err := t.goBack(ctx, w, &out); err != nil {
			return out, err
		}
	}
	return out, t.arrive(ctx, w, &out)
}

// apart leaves out the answers to prompts that a correction answers otherwise.
func apart(m *pretrained.Model, l Lesson, kept []Kept) ([]Kept, error) {
	corrected := map[string]bool{}
	for _, c := range slices.Concat(l.New, l.Earlier) {
		for _, asked := range c.Asked() {
			ids, err := m.Prompt(asked)
			if err != nil {
				return nil, err
			}
			corrected[fmt.Sprint(ids)] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(kept), func(k Kept) bool { return corrected[fmt.Sprint(k.IDs[:k.First])] }), nil
}

// near are the prompts near corrections.
func near(corrections []data.Correction) [][]chat.Message {
	var all [][]chat.Message
	for i := range corrections {
		all = append(all, corrections[i].NearPrompts()...)
	}
	return all
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
func (t *teacher) steps(ctx context.Context) (*steps, error) {
	s := &steps{options: t.options, round: t.lesson.Round}
	e := encoder(t.model)
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
	s.all = s.keep(t.near)
	s.near, s.earlierNear, s.kept = s.all[:t.given:t.given], s.keep(t.lesson.Near), s.keep(t.lesson.Kept)
	s.extra, err = newExtra(ctx, e, t.lesson.Rows)
	return s, err
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
	length := s.length(out.Tries)
	out.Tries++
	o := train.TrainerOptions{Pool: t.pool, Model: t.model.Model, Recipe: &r, Steps: length, Source: s,
		Capacity: max(s.longest(), s.extra.capacity()), Objective: sum{s}}
	if s.below != nil {
		o.Above = frozenLayers(t.model.Model, t.options.Frozen)
	}
	trainer, err := train.NewTrainer(o)
	if err != nil {
		return err
	}
	defer trainer.Close()
	stop := t.options.Stop && out.Rows == 0
	start := time.Now()
	for i := range length {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.prepare(); err != nil {
			return err
		}
		step, err := trainer.Step()
		if err != nil {
			return err
		}
		out.Steps++
		left := time.Since(start).Seconds() / float64(i+1) * float64(length-i-1)
		t.say("step %d  loss %.4f  %.1f s, %.0f s left of this try", out.Steps, step.Loss, step.Time.Seconds(), left)
		if stop {
			if err := t.count(ctx, out); err != nil || out.Right == len(t.lesson.New) {
				return err
			}
		}
	}
	if stop {
		return nil
	}
	return t.count(ctx, out)
}

// count counts the corrections that decode as they are wanted.
func (t *teacher) count(ctx context.Context, out *Taught) error {
	all := slices.Concat(t.lesson.New, t.lesson.Earlier)
	if len(all) == 0 {
		return nil
	}
	right, err := Right(ctx, t.model, t.session, all, t.options.AnswerTokens)
	if err != nil {
		return err
	}
	n := len(t.lesson.New)
	out.Right, out.Earlier = count(right[:n]), count(right[n:])
	t.broken = t.broken[:0]
	for i, ok := range right[n:] {
		if !ok {
			t.broken = append(t.broken, i)
		}
	}
	t.say("%d of %d corrections are right, %d of %d earlier ones", out.Right, len(t.lesson.New), out.Earlier,
		len(t.lesson.Earlier))
	return nil
}

// leakTokens is how many tokens at the beginning of an answer tell that it is a correction's.
const leakTokens = 6

// leaks asks the prompts near the corrections, and gives the numbers of those that are answered with the beginning of a
// correction, as the parent did not answer them.
func (t *teacher) leaks(ctx context.Context, s *steps) ([]int, error) {
	if len(t.near) == 0 {
		return nil, nil
	}
	var chosen [][]int32
	for _, c := range t.lesson.New {
		ids := t.model.Tokenizer.Encode(c.Chosen[0].Content, false)
		chosen = append(chosen, ids[:min(leakTokens, len(ids))])
	}
	taken := func(ids []int32) bool {
		return slices.ContainsFunc(chosen, func(c []int32) bool {
			return len(c) <= len(ids) && slices.Equal(c, ids[:len(c)])
		})
	}
	var all []int
	asked := 0
	t.session.Forget()
	err := t.session.Ask(ctx, func(bool) (q pretrained.Question, ok bool) {
		if asked == len(t.near) {
			return q, false
		}
		k := &t.near[asked]
		asked++
		return pretrained.Question{IDs: k.IDs[:k.First], Decoding: pretrained.Decoding{MaxNew: leakTokens}}, true
	}, func(a pretrained.Answer) error {
		k := &t.near[a.Index]
		if a.Err == nil && taken(a.IDs) && !taken(k.IDs[k.First:]) {
			all = append(all, s.all[a.Index])
		}
		return a.Err
	})
	slices.Sort(all)
	t.say("%d of %d prompts near them are answered with a correction", len(all), len(t.near))
	return all, err
}

// Right asks each correction's prompt and says whether the answer is the one that is wanted, but for white space
// around it.
func Right(ctx context.Context, m *pretrained.Model, s *pretrained.Session, corrections []data.Correction,
	longest int) ([]bool, error) {
	right := make([]bool, len(corrections))
	asked := 0
	s.Forget()
	return right, s.Ask(ctx, func(bool) (q pretrained.Question, ok bool) {
		if asked == len(corrections) {
			return q, false
		}
		c := &corrections[asked]
		asked++
		wanted := len(m.Tokenizer.Encode(c.Chosen[0].Content, false)) + 2 // no other split of it is much longer
		return pretrained.Question{Messages: c.Prompt, Decoding: pretrained.Decoding{MaxNew: min(longest, wanted)}}, true
	}, func(a pretrained.Answer) error {
		right[a.Index] = strings.TrimSpace(a.Text) == strings.TrimSpace(corrections[a.Index].Chosen[0].Content) &&
			a.Finish == model.FinishStop
		return a.Err
	})
}

// count is how many are true.
func count(all []bool) int {
	n := 0
	for _, ok := range all {
		if ok {
			n++
		}
	}
	return n
}
