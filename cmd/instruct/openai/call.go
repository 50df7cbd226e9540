package openai

import (
	"context"
	"net/http"
	"sync"
)

// call is a request that is being answered: some choices, and what there is of their answers that was not fetched yet.
type call struct {
	ctx     context.Context
	choices []*choice
	filter  func(take func(part) error) func(part) error // of parts, before they are taken; nil: they are as they come
	close   func()
	read    int // tokens of the prompts, each of which is read once
	made    int // tokens of the answers that have finished; the one who fetches alone looks at this
	begun   int // choices that the scheduler has taken; it alone looks at this

	mu    sync.Mutex
	parts []part
	err   error
	wake  chan struct{}
}

// part is something new of a choice.
type part struct {
	index  int // of the choice
	text   string
	tokens []token // of which the text is, where log-probabilities were asked for
	calls  []toolCall
	finish string // "": more follows

	violations []violation // of the policy
	refusal    string      // stands in the place of the answer

	made int // tokens of the answer; only with finish
}

// push adds a part.
func (c *call) push(p part) {
	c.mu.Lock()
	c.parts = append(c.parts, p)
	c.mu.Unlock()
	signal(c.wake)
}

// fail ends the call.
func (c *call) fail(err error) {
	c.mu.Lock()
	if c.err == nil {
		c.err = err
	}
	c.mu.Unlock()
	signal(c.wake)
}

// fetch waits for new parts.
func (c *call) fetch() ([]part, error) {
	for {
		c.mu.Lock()
		parts, err := c.parts, c.err
		c.parts = nil
		c.mu.Unlock()
		if len(parts) > 0 || err != nil {
			return parts, err
		}
		select {
		case <-c.wake:
		case <-c.ctx.Done():
			return nil, context.Cause(c.ctx)
		}
	}
}

// each gives the parts to take until every choice has finished.
func (c *call) each(take func(part) error) error {
	if c.filter != nil {
		take = c.filter(take)
	}
	for left := len(c.choices); left > 0; {
		parts, err := c.fetch()
		if err != nil {
			return err
		}
		for _, p := range parts {
			if err := take(p); err != nil {
				return err
			}
			if p.finish != "" {
				left--
				c.made += p.made
			}
		}
	}
	return nil
}

// newCall makes the call of a request and lets it wait for its turn. The caller closes it.
func (s *Server) newCall(ctx context.Context, q *request) (*call, error) {
	if s.draining.Load() {
		return nil, errStopping()
	}
	late := failed(http.StatusGatewayTimeout, "timeout", "the answer took longer than %s, which is the limit",
		s.options.Timeout)
	ctx, cancel := context.WithTimeoutCause(ctx, s.options.Timeout, late)
	c := &call{ctx: ctx, wake: make(chan struct{}, 1)}
	n := s.open.Add(1)
	c.close = func() {
		cancel()
		s.open.Add(-1)
		s.metrics.tokens(c.usage())
	}
	if n > int64(s.options.Queue) {
		c.close()
		return nil, failed(http.StatusServiceUnavailable, "overloaded",
			"the server has %d requests to answer, which is its limit; try again later", n-1)
	}
	if err := s.choices(c, q); err != nil {
		c.close()
		return nil, err
	}
	if s.options.Policy != nil {
		c.filter = func(take func(part) error) func(part) error { return s.judged(c, take) }
	}
	s.scheduler.add(c)
	return c, nil
}

// usage is what the call has used so far.
func (c *call) usage() usage {
	u := usage{CompletionTokens: c.made, PromptTokens: c.read}
	u.TotalTokens = u.PromptTokens + u.CompletionTokens
	return u
}
