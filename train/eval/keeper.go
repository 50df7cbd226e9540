package eval

import (
	"context"

	"instruct/data"
	"instruct/model"
	"instruct/model/kernel"
	"instruct/model/pretrained"
)

// Asker answers questions, and gives the answers to done as they come: a [pretrained.Session], or a [Keeper].
type Asker interface {
	Ask(ctx context.Context, next func(idle bool) (pretrained.Question, bool), done func(pretrained.Answer) error) error
}

// Keeper asks a model what it was not asked before. Neither an answer nor a log-probability depends on what is asked
// beside it, on threads or on the CPU, whatever the format of the weights, so what is kept is what the model would say
// again.
type Keeper struct {
	Model *pretrained.Model
	Pool  *kernel.Pool
	Kept  *Kept        // may be nil
	Load  func() error // reads the weights; called once, when there is something to ask; nil where they are read

	Answers, Scores Count

	session *pretrained.Session
	loaded  bool
}

// Count is how many things there are so far, and how many of them were kept from before.
type Count struct{ Kept, All int }

func (c *Count) add(kept bool) {
	c.All++
	if kept {
		c.Kept++
	}
}

// Close closes the session, where there was something to ask.
func (k *Keeper) Close() {
	if k.session != nil {
		k.session.Close()
	}
}

// load reads the weights the first time.
func (k *Keeper) load() error {
	if k.loaded || k.Load == nil {
		return nil
	}
	err := k.Load()
	k.loaded = err == nil
	return err
}

// open gives the session, which is made the first time.
func (k *Keeper) open() (*pretrained.Session, error) {
	if k.session != nil {
		return k.session, nil
	}
	if err := k.load(); err != nil {
		return nil, err
	}
	s, err := k.Model.NewSession(k.Pool, Rows)
	if err == nil {
		k.session = s
	}
	return s, err
}

// Ask is [pretrained.Session.Ask]. It takes all questions first, and those come first whose answers are kept.
func (k *Keeper) Ask(ctx context.Context, next func(idle bool) (pretrained.Question, bool),
	done func(pretrained.Answer) error) error {
	var open []pretrained.Question
	var places []int // of the open ones among all
	for i := 0; ; i++ {
		q, ok := next(true)
		if !ok {
			break
		}
		a, ok := k.before(&q)
		if !ok {
			open, places = append(open, q), append(places, i)
			continue
		}
		a.Index = i
		k.Answers.add(true)
		if err := done(a); err != nil {
			return err
		}
	}
	if len(open) == 0 || ctx.Err() != nil {
		return ctx.Err()
	}
	session, err := k.open()
	if err != nil {
		return err
	}
	asked := 0
	return session.Ask(ctx, func(bool) (q pretrained.Question, ok bool) {
		if asked == len(open) {
			return q, false
		}
		asked++
		return open[asked-1], true
	}, func(a pretrained.Answer) error {
		if a.Err == nil && a.Finish != model.FinishCancel {
			k.Kept.Put(k.answerKey(&open[a.Index]), keptAnswer{a.IDs, a.Finish})
			k.Answers.add(false)
		}
		a.Index = places[a.Index]
		return done(a)
	})
}

// keptAnswer is the value that is kept. The text follows from the ids; those may be no valid text, which JSON needs.
type keptAnswer struct {
	IDs    []int32 `json:"ids"`
	Finish string  `json:"finish"`
}

// before looks for the answer to a question, whose prompt it encodes. What is wrong with a prompt, the session says.
func (k *Keeper) before(q *pretrained.Question) (a pretrained.Answer, ok bool) {
	if q.Messages != nil {
		ids, err := k.Model.Prompt(q.Messages)
		if err != nil {
			return a, false
		}
		q.Messages, q.IDs = nil, ids
	}
	var kept keptAnswer
	if !k.Kept.Get(k.answerKey(q), &kept) || model.CheckIDs(kept.IDs, k.Model.Config.Vocab) != nil {
		return a, false
	}
	a = pretrained.Answer{PromptIDs: q.IDs, IDs: kept.IDs, Finish: kept.Finish}
	a.Text, a.Err = k.Model.Tokenizer.Decode(kept.IDs, true)
	if a.Err == nil && q.Emit != nil {
		q.Emit(a.Text)
	}
	return a, a.Err == nil
}

func (k *Keeper) answerKey(q *pretrained.Question) string {
	return keptKey("answer", struct {
		Prompt, Stop []int32
		Sampling     model.Sampling
		MaxNew       int
	}{q.IDs, k.Model.Stop, q.Sampling, q.MaxNew})
}

// Score is [Score] that takes what is kept. It hands out some examples at a time by their indices, kept ones first.
func (k *Keeper) Score(ctx context.Context, examples []data.Example,
	emit func(indices []int, logprobs [][]float64) error) error {
	var open []data.Example
	var places, kept []int // of the open and of the kept ones
	var before [][]float64
	for i := range examples {
		var logprobs []float64
		if !k.Kept.Get(scoreKey(&examples[i]), &logprobs) || len(logprobs) != examples[i].Trained() {
			open, places = append(open, examples[i]), append(places, i)
			continue
		}
		k.Scores.add(true)
		kept, before = append(kept, i), append(before, logprobs)
	}
	if len(kept) > 0 {
		if err := emit(kept, before); err != nil {
			return err
		}
	}
	if len(open) == 0 {
		return ctx.Err()
	}
	if err := k.load(); err != nil {
		return err
	}
	return Score(ctx, k.Model.Model, k.Pool, open, func(from int, logprobs [][]float64) error {
		for n, l := range logprobs {
			k.Kept.Put(scoreKey(&open[from+n]), l)
			k.Scores.add(false)
		}
		return emit(places[from:from+len(logprobs)], logprobs)
	})
}

func scoreKey(e *data.Example) string {
	return keptKey("score", struct {
		IDs  []int32
		Mask []bool
	}{e.IDs, e.Mask})
}
