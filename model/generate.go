package model

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Request is a prompt to be continued.
type Request struct {
	Prompt   []int32
	MaxNew   int
	Stop     []int32 // token ids that end the answer; they are not part of it
	Sampling Sampling
	Emit     func(id int32) // called for each new token, may be nil
	Top      int            // how many of the likeliest tokens of each step the answer shall name

	Bias      map[int32]float32 // is added to the logits of these tokens before one is chosen
	Say       func(Said)        // called for each new token and for the stop token, may be nil
	Echo      bool              // Say is called for the tokens of the prompt too, but the first; see DecoderOptions.Echo
	Cancelled func() bool       // asked before each step, may be nil: true ends the answer, as FinishCancel
	// Allowed is asked for the tokens that may be chosen next, a bit for each id, of which one is set; where it is nil,
	// or gives nil, all may. A worker of the decoder asks, between two calls of Say.
	Allowed func() []uint64
}

// keeps is how many of the likeliest tokens the cache keeps with each token of the prompt, and one: 0 is none of it.
func (r *Request) keeps() int {
	if !r.Echo {
		return 0
	}
	return r.Top + 1
}

// Said is what the model says of a token at its place: its log-probability before anything of the request changes it,
// and what else was likely there.
type Said struct {
	ID      int32
	Logprob float32 // natural logarithm of the probability; the very number that Top has for the token
	Top     Top
}

// Answer is what a decoder gives for a request.
type Answer struct {
	Index  int // of the request, in the order in which they were asked for
	IDs    []int32
	Finish string // a finish reason; empty where there is an error
	Top    []Top  // of each token and, where it stopped, of the stop token; nil unless asked for
	Err    error  // what is wrong with the request
}

// Top is the likeliest tokens at one step, the likeliest first, before anything of [Sampling] changes them.
type Top struct {
	IDs      []int32
	Logprobs []float32 // natural logarithms of the probabilities
}

// Finish reasons.
const (
	FinishStop   = "stop"   // a stop token came
	FinishLength = "length" // MaxNew tokens, or no positions left
	FinishCancel = "cancelled"
)

// Generate answers the requests that next gives, several at once. It asks next whenever there is room for one more;
// idle says that no other is being answered, so that next may wait for one, and false then is the end. Answers are
// given to done as they are finished; an error of done ends it. When ctx ends, those that are not finished are given
// as they are, as FinishCancel, and the error is that of ctx.
func (d *Decoder) Generate(ctx context.Context, next func(idle bool) (Request, bool), done func(Answer) error) error {
	defer d.abandon()
	d.asked = 0
	for {
		if err := d.letOut(done); err != nil {
			return err
		}
		if err := d.letIn(ctx, next, done); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return d.cancel(ctx, done)
		}
		if len(d.active) == 0 {
			return nil
		}
		if err := d.step(); err != nil {
			return err
		}
		d.choose.run()
		for _, row := range d.choose.rows {
			s := row.s
			if row.at < len(s.Prompt) {
				s.say(s.run.said[row.at-s.begins()])
				continue
			}
			d.take(s)
			if s.finish == "" {
				continue
			}
			d.leave(s)
			if err := done(s.result(nil)); err != nil {
				return err
			}
		}
	}
}

// letOut ends the answers that are not wanted any more.
func (d *Decoder) letOut(done func(Answer) error) error {
	for _, s := range slices.Clone(d.active) {
		if !s.unwanted() {
			continue
		}
		d.leave(s)
		s.finish = FinishCancel
		if err := done(s.result(nil)); err != nil {
			return err
		}
	}
	if s := d.next; s != nil && s.unwanted() {
		d.next = nil
		s.finish = FinishCancel
		return done(s.result(nil))
	}
	return nil
}

// unwanted says that nobody waits for the answer any more.
func (s *sequence) unwanted() bool { return s.Cancelled != nil && s.Cancelled() }

// letIn lets sequences in as long as there is room.
func (d *Decoder) letIn(ctx context.Context, next func(idle bool) (Request, bool), done func(Answer) error) error {
	for len(d.active) < d.most && ctx.Err() == nil {
		if d.next == nil {
			r, ok := next(len(d.active) == 0)
			if !ok {
				return nil
			}
			index := d.asked
			d.asked++
			s, err := d.begin(r)
			if err != nil {
				s = &sequence{}
			}
			if s.unwanted() {
				s.finish = FinishCancel
			}
			s.index = index
			if err != nil || s.finish != "" {
				if err := done(s.result(err)); err != nil {
					return err
				}
				continue
			}
			d.next = s
		}
		if !d.enter(d.next) {
			if len(d.active) == 0 {
				return fmt.Errorf("model: no room for %d positions in an empty cache", d.next.room)
			}
			return nil
		}
		d.next = nil
	}
	return nil
}

// cancel gives what there is of the answers that are not finished.
func (d *Decoder) cancel(ctx context.Context, done func(Answer) error) error {
	left := d.active
	if d.next != nil {
		left = append(left, d.next)
	}
	for _, s := range left {
		s.finish = FinishCancel
		if err := done(s.result(nil)); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// abandon ends all that is being answered.
func (d *Decoder) abandon() {
	for len(d.active) > 0 {
		d.leave(d.active[0])
	}
	d.next = nil
}

// take adds the token that was chosen to the answer of s.
func (d *Decoder) take(s *sequence) {
	if s.Request.Top > 0 {
		s.top = append(s.top, s.latest.Top)
	}
	if s.Say != nil {
		s.Say(s.latest)
	}
	if slices.Contains(s.Stop, s.latest.ID) {
		s.finish = FinishStop
		return
	}
	s.answer = append(s.answer, s.latest.ID)
	if s.seen != nil {
		s.seen[s.latest.ID] = true
	}
	if s.Emit != nil {
		s.Emit(s.latest.ID)
	}
	if len(s.answer) == s.MaxNew || s.read == s.room {
		s.finish = FinishLength
		return
	}
	s.run.ids = append(s.run.ids, s.latest.ID)
	if s.Echo {
		s.run.said = append(s.run.said, s.latest)
	}
}

// say hands on what is known of a token of the prompt, of which the cache may keep more than was asked for.
func (s *sequence) say(x Said) {
	n := min(s.Top, len(x.Top.IDs))
	x.Top = Top{IDs: x.Top.IDs[:n], Logprobs: x.Top.Logprobs[:n]}
	s.Say(x)
}

// result is the answer as it stands.
func (s *sequence) result(err error) Answer {
	return Answer{Index: s.index, IDs: s.answer, Finish: s.finish, Top: s.top, Err: err}
}

// Answer answers one request alone; one that ctx ended is no error.
func (d *Decoder) Answer(ctx context.Context, r Request) (Answer, error) {
	a := Answer{Finish: FinishCancel}
	asked := false
	err := d.Generate(ctx, func(bool) (Request, bool) {
		first := !asked
		asked = true
		return r, first
	}, func(got Answer) error {
		a = got
		return got.Err
	})
	if a.Err == nil && errors.Is(err, ctx.Err()) {
		err = nil
	}
	return a, err
}
