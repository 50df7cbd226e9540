package openai

import (
	"context"
	"net/http"
	"sync"

	"instruct/model"
)

// scheduler hands the choices of all calls to one decoder, which answers several at once: they come and go between its
// steps. Calls take turns, so that one of many choices does not hold up the others.
type scheduler struct {
	decoder *model.Decoder
	mu      sync.Mutex
	waiting []*call // that have choices left to begin, the next one's turn first
	running int     // choices
	wake    chan struct{}
	ended   bool
}

func newScheduler(d *model.Decoder) *scheduler {
	return &scheduler{decoder: d, wake: make(chan struct{}, 1)}
}

// add lets a call wait for its turn.
func (s *scheduler) add(c *call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		c.fail(errStopping())
		return
	}
	s.waiting = append(s.waiting, c)
	signal(s.wake)
}

// signal wakes who waits, once.
func signal(wake chan struct{}) {
	select {
	case wake <- struct{}{}:
	default:
	}
}

// take gives the next choice, or nil.
func (s *scheduler) take() *choice {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.waiting) > 0 {
		c := s.waiting[0]
		s.waiting = s.waiting[1:]
		if c.ctx.Err() != nil || c.begun == len(c.choices) {
			continue
		}
		next := c.choices[c.begun]
		c.begun++
		if c.begun < len(c.choices) {
			s.waiting = append(s.waiting, c)
		}
		s.running++
		return next
	}
	return nil
}

// count is how many choices are being answered and how many wait.
func (s *scheduler) count() (running, waiting int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.waiting {
		waiting += len(c.choices) - c.begun
	}
	return s.running, waiting
}

// run answers until ctx ends.
func (s *scheduler) run(ctx context.Context) {
	for ctx.Err() == nil {
		open := map[int]*choice{}
		count := 0
		err := s.decoder.Generate(ctx, func(idle bool) (model.Request, bool) {
			c := s.next(ctx, idle)
			if c == nil {
				return model.Request{}, false
			}
			open[count] = c
			count++
			return c.request, true
		}, func(a model.Answer) error {
			s.leave(1)
			open[a.Index].end(a)
			delete(open, a.Index)
			return nil
		})
		s.leave(len(open))
		for _, c := range open {
			c.call.fail(failed(http.StatusInternalServerError, "internal_error", "the model could not answer: %v", err))
		}
		s.decoder.Forget()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	for _, c := range s.waiting {
		c.fail(errStopping())
	}
}

func (s *scheduler) leave(n int) {
	s.mu.Lock()
	s.running -= n
	s.mu.Unlock()
}

// next gives the choice whose turn it is, and waits for one where wait is true. It is nil when ctx has ended.
func (s *scheduler) next(ctx context.Context, wait bool) *choice {
	for {
		if c := s.take(); c != nil || !wait {
			return c
		}
		select {
		case <-s.wake:
		case <-ctx.Done():
			return nil
		}
	}
}

func errStopping() *apiError {
	return failed(http.StatusServiceUnavailable, "stopping", "the server is being stopped")
}
