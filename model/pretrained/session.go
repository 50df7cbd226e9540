package pretrained

import (
	"context"

	"instruct/model"
	"instruct/model/kernel"
	"instruct/tokenizer"
	"instruct/tokenizer/chat"
)

// Session answers with a model, one prompt or several at once; see [model.Decoder], whose cache it keeps from one
// call to the next. It is used by one goroutine at a time.
type Session struct {
	model   *Model
	decoder *model.Decoder
}

// NewSession makes a session on the workers of pool, which answers so many prompts at one time.
func (m *Model) NewSession(pool *kernel.Pool, rows int) (*Session, error) {
	d, err := m.NewDecoder(pool, model.DecoderOptions{Sequences: rows})
	return &Session{m, d}, err
}

// Close gives the session's memory back.
func (s *Session) Close() { s.decoder.Close() }

// Forget makes the session read every prompt anew: for when the weights have changed.
func (s *Session) Forget() { s.decoder.Forget() }

// Decoding says how an answer is made.
type Decoding struct {
	MaxNew   int // most tokens of the answer
	Sampling model.Sampling
	Emit     func(text string) // receives the text as it grows; may be nil
	Top      int               // how many of the likeliest tokens of each step the answer names
}

// Question is what is asked: the assistant's next turn of a conversation or, without messages, what follows on IDs.
type Question struct {
	Messages []chat.Message
	IDs      []int32
	Decoding
}

// Answer is what a model gives for a prompt.
type Answer struct {
	Index     int // of the question, in the order in which they were asked for
	PromptIDs []int32
	IDs       []int32 // without the stop token; never nil
	Text      string
	Finish    string // model.FinishStop, FinishLength or FinishCancel
	Top       []model.Top
	Err       error // what is wrong with the question
}

// Answer gives the assistant's next turn of a conversation.
func (s *Session) Answer(ctx context.Context, messages []chat.Message, d Decoding) (Answer, error) {
	return s.one(ctx, Question{Messages: messages, Decoding: d})
}

// Continue gives what follows on ids.
func (s *Session) Continue(ctx context.Context, ids []int32, d Decoding) (Answer, error) {
	return s.one(ctx, Question{IDs: ids, Decoding: d})
}

// one answers one question alone; one that ctx ended is no error.
func (s *Session) one(ctx context.Context, q Question) (Answer, error) {
	a := asked{model: s.model}
	r := a.request(q)
	got, err := s.decoder.Answer(ctx, r)
	if a.err != nil || err != nil {
		return Answer{}, a.reason(err)
	}
	answer := a.answer(got)
	return answer, answer.Err
}

// Ask answers the questions that next gives, several at once, and gives the answers to done as they are finished; see
// [model.Decoder.Generate].
func (s *Session) Ask(ctx context.Context, next func(idle bool) (Question, bool), done func(Answer) error) error {
	open := map[int]*asked{}
	count := 0
	return s.decoder.Generate(ctx, func(idle bool) (model.Request, bool) {
		q, ok := next(idle)
		if !ok {
			return model.Request{}, false
		}
		a := &asked{model: s.model}
		open[count] = a
		count++
		return a.request(q), true
	}, func(got model.Answer) error {
		a := open[got.Index]
		delete(open, got.Index)
		return done(a.answer(got))
	})
}

// asked is a question that is being answered.
type asked struct {
	model  *Model
	ids    []int32
	emit   func(text string)
	stream *tokenizer.Stream
	err    error // why there is no prompt
}

// request makes the prompt. Without one the request is empty, which a decoder refuses; reason then says why.
func (a *asked) request(q Question) model.Request {
	a.ids = q.IDs
	if q.Messages != nil {
		a.ids, a.err = a.model.Prompt(q.Messages)
	}
	if a.err != nil {
		return model.Request{}
	}
	r := model.Request{Prompt: a.ids, MaxNew: q.MaxNew, Stop: a.model.Stop, Sampling: q.Sampling, Top: q.Top}
	if q.Emit != nil {
		a.emit, a.stream = q.Emit, a.model.Tokenizer.NewStream(true)
		r.Emit = func(id int32) { a.emit(a.stream.Push(id)) }
	}
	return r
}

// reason is the error of a question whose request gave err.
func (a *asked) reason(err error) error {
	if a.err != nil {
		return a.err
	}
	return err
}

// answer makes text of what the decoder gave.
func (a *asked) answer(got model.Answer) Answer {
	out := Answer{Index: got.Index, PromptIDs: a.ids, IDs: append([]int32{}, got.IDs...), Finish: got.Finish,
		Top: got.Top, Err: a.reason(got.Err)}
	if out.Err != nil {
		return out
	}
	if a.emit != nil {
		a.emit(a.stream.Flush())
	}
	out.Text, out.Err = a.model.Tokenizer.Decode(got.IDs, true)
	return out
}
