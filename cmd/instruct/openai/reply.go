package openai

import (
	"crypto/rand"
	"net/http"
	"strings"
	"time"
)

// reply is an answer, or an event of one that is streamed; C is what its choices look like.
type reply[C any] struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	Model   string `json:"model"`
	Choices []C    `json:"choices"`
	Usage   *usage `json:"usage,omitempty"`
}

type usage struct {
	PromptTokens     int `json:"prompt_tokens"`
	CompletionTokens int `json:"completion_tokens"`
	TotalTokens      int `json:"total_tokens"`
}

// shape is what one kind of answer looks like.
type shape[C any] struct {
	kind             endpoint
	prefix           string // of ids
	object, streamed string
	whole            func(q *request, x *whole) C // a choice that is not streamed
	piece            func(q *request, p part) C   // something new of a choice
	opening          func(index int) C            // how the stream of a choice begins; may be nil
}

// whole is a choice from its beginning to its end.
type whole struct {
	index  int
	text   strings.Builder
	tokens []token
	calls  []toolCall
	finish string

	violations []violation
	refusal    string
}

// add adds what is new.
func (x *whole) add(p part) {
	x.index, x.finish = p.index, p.finish
	x.text.WriteString(p.text)
	x.tokens = append(x.tokens, p.tokens...)
	x.calls = append(x.calls, p.calls...)
	x.violations = append(x.violations, p.violations...)
	x.refusal += p.refusal
}

// respond answers a request.
func respond[C any](s *Server, w http.ResponseWriter, r *http.Request, f shape[C]) error {
	q, err := s.request(w, r, f.kind)
	if err != nil {
		return err
	}
	c, err := s.newCall(r.Context(), q)
	if err != nil {
		return err
	}
	defer c.close()
	a := reply[C]{ID: f.prefix + rand.Text(), Object: f.object, Created: time.Now().Unix(), Model: s.options.Name}
	if q.stream {
		a.Object = f.streamed
		return sendStream(w.(*answering), q, c, a, f)
	}
	return send(w.(*answering), q, c, a, f)
}

// send sends the answer at one time.
func send[C any](w *answering, q *request, c *call, a reply[C], f shape[C]) error {
	choices := make([]whole, len(c.choices))
	err := c.each(func(p part) error {
		choices[p.index].add(p)
		return nil
	})
	if err != nil {
		return err
	}
	for i := range choices {
		a.Choices = append(a.Choices, f.whole(q, &choices[i]))
	}
	u := c.usage()
	a.Usage = &u
	return w.json(http.StatusOK, a)
}

// sendStream sends the answer as it grows. Nothing is sent before something is there, so that an error has a status.
func sendStream[C any](w *answering, q *request, c *call, a reply[C], f shape[C]) error {
	opened := make([]bool, len(c.choices))
	event := func(x C) error {
		a.Choices = []C{x}
		return w.event(a)
	}
	err := c.each(func(p part) error {
		if f.opening != nil && !opened[p.index] {
			opened[p.index] = true
			if err := event(f.opening(p.index)); err != nil {
				return err
			}
		}
		return event(f.piece(q, p))
	})
	if err != nil {
		return err
	}
	if q.includeUsage {
		u := c.usage()
		a.Choices, a.Usage = []C{}, &u
		if err := w.event(a); err != nil {
			return err
		}
	}
	return w.line("[DONE]")
}

// request reads a request.
func (s *Server) request(w http.ResponseWriter, r *http.Request, kind endpoint) (*request, error) {
	body, err := s.body(w, r)
	if err != nil {
		return nil, err
	}
	q := &request{n: 1, maxNew: s.options.MaxNew, addSpecial: true, sampling: s.options.Sampling}
	if kind == completions {
		q.maxNew = 16 // as OpenAI's
	}
	if err := q.parse(body, kind); err != nil {
		return nil, err
	}
	if q.model != "" && q.model != s.options.Name && q.model != s.model.Path {
		e := refused(http.StatusNotFound, "model_not_found", "there is no model %q here; the one that is served is %q",
			q.model, s.options.Name)
		e.param = "model"
		return nil, e
	}
	return q, nil
}

// nullable is a text that is null where it is empty.
func nullable(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
