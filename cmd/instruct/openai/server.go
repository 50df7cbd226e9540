package openai

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"instruct/data/policy"
	"instruct/model"
	"instruct/model/kernel"
	"instruct/model/pretrained"
)

// Options are those of a server.
type Options struct {
	Name     string         // of the model, for clients; "": the last part of its path
	Host     string         // on which it listens: with a name of this machine only, others are refused
	Key      string         // that clients have to give; "": none
	System   string         // the system prompt of conversations that have none
	MaxNew   int            // most tokens of an answer where the request does not say
	Sampling model.Sampling // where the request does not say
	Policy   *policy.Policy // that answers are held against; nil: none

	Concurrent int           // answers made at one time
	Queue      int           // requests at one time, those that wait included
	MaxLength  int           // most tokens of a prompt with its answer; 0: what the model reads
	MaxBody    int64         // bytes of a request
	Timeout    time.Duration // of a request, with its waiting
	Grace      time.Duration // for requests that are being answered when the server is stopped
	Page       http.Handler  // answers what is not of this API, once it may be answered; nil: nothing does
	Notes      io.Writer     // what the one who runs the server should know; nil: nothing
	Log        bool          // a line a request among the notes, without its contents
}

// DefaultOptions are the limits that the command has unless it is told otherwise.
func DefaultOptions() Options {
	return Options{MaxNew: 256, Concurrent: 16, Queue: 256, MaxBody: 8 << 20, Timeout: 10 * time.Minute,
		Grace: 30 * time.Second}
}

const (
	echoRows     = 128 // tokens of prompts whose log-probabilities one step computes
	maxChoices   = 1024
	maxStops     = 64
	maxTop       = 20 // alternatives of a token
	socketPeriod = 30 * time.Second
)

// Server answers requests with one model.
type Server struct {
	options   Options
	model     *pretrained.Model
	decoder   *model.Decoder
	scheduler *scheduler
	guard     guard
	labels    labels
	grammars  *grammars
	callForm  func() (form *callForm, variable string) // of the model's template; nil: it has none
	metrics   *metrics
	created   int64
	draining  atomic.Bool
	open      atomic.Int64 // requests
	noting    sync.Mutex
	patience  time.Duration // for a client that sends or takes nothing
}

// New makes a server. Close gives its memory back.
func New(m *pretrained.Model, pool *kernel.Pool, o Options) (*Server, error) {
	if o.Name == "" {
		o.Name = path.Base(strings.ReplaceAll(m.Path, `\`, "/"))
	}
	decoding := model.DecoderOptions{Sequences: o.Concurrent, Echo: echoRows}
	if o.MaxLength == 0 || o.MaxLength > m.Config.MaxLength {
		o.MaxLength = m.Config.MaxLength
	} else {
		decoding.Rows = o.Concurrent * o.MaxLength
	}
	d, err := m.NewDecoder(pool, decoding)
	if err != nil {
		return nil, err
	}
	host := hostOf(o.Host)
	s := &Server{options: o, model: m, decoder: d, scheduler: newScheduler(d), labels: newLabels(m.Tokenizer),
		guard:   guard{loopback: loopback(host), host: host, key: o.Key},
		metrics: newMetrics(), created: time.Now().Unix(), patience: socketPeriod}
	s.callForm = s.newCallForm()
	s.grammars = newGrammars(m.Tokenizer, m.Config.Vocab, m.Stop, s.isMark)
	return s, nil
}

// Close gives the server's memory back.
func (s *Server) Close() { s.decoder.Close() }

// Run makes answers until ctx ends. It is for a server that is asked by ServeHTTP; [Server.Serve] does it itself.
func (s *Server) Run(ctx context.Context) { s.scheduler.run(ctx) }

// Serve answers what comes in at l, until ctx ends: then nothing new is taken, and what is being answered has some
// time.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	worker := make(chan struct{})
	go func() {
		defer close(worker)
		s.Run(work)
	}()
	h := &http.Server{Handler: s, ReadHeaderTimeout: socketPeriod, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 64 << 10, ErrorLog: log.New(io.Discard, "", 0)}
	ended := make(chan error, 1)
	go func() { ended <- h.Serve(l) }()
	var err error
	select {
	case err = <-ended:
	case <-ctx.Done():
		s.draining.Store(true)
		if n := s.open.Load(); n > 0 {
			s.note("stopping: %d requests have %s to end; a second signal ends them now", n, s.options.Grace)
		}
		grace, cancel := context.WithTimeout(work, s.options.Grace)
		err = h.Shutdown(grace)
		cancel()
	}
	stop()
	<-worker // what is open now is told that the server is being stopped
	if errors.Is(err, context.DeadlineExceeded) {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = h.Shutdown(last)
		err = h.Close()
	}
	return err
}

// route is what is answered to a method and a path.
type route struct {
	method, path string
	answer       func(s *Server, w http.ResponseWriter, r *http.Request) error
}

// routes are all of them.
func routes() []route {
	return []route{
		{"POST", "/v1/chat/completions", (*Server).chat},
		{"POST", "/v1/completions", (*Server).completions},
		{"GET", "/v1/models", (*Server).models},
		{"POST", "/tokenize", (*Server).tokenize},
		{"POST", "/detokenize", (*Server).detokenize},
		{"GET", "/tokenizer_info", (*Server).tokenizerInfo},
		{"GET", "/props", (*Server).props},
		{"GET", "/health", (*Server).health},
		{"GET", "/metrics", (*Server).showMetrics},
	}
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	begin := time.Now()
	a := &answering{ResponseWriter: w, control: http.NewResponseController(w), patience: s.patience}
	err := s.answer(a, r)
	if err != nil {
		a.fail(asAPIError(err))
	}
	known := "other"
	for _, x := range routes() {
		if x.path == r.URL.Path {
			known = x.path
		}
	}
	s.metrics.count(known, a.status)
	if s.options.Log {
		s.note("%s %q %d %.3f s", r.Method, r.URL.Path, a.status, time.Since(begin).Seconds())
	}
}

// note writes a line to who runs the server.
func (s *Server) note(format string, args ...any) {
	s.noting.Lock()
	defer s.noting.Unlock()
	if s.options.Notes != nil {
		fmt.Fprintf(s.options.Notes, format+"\n", args...)
	}
}

// answer finds the route. What panics is the server's failure, not the end of it.
func (s *Server) answer(w *answering, r *http.Request) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = failed(http.StatusInternalServerError, "internal_error", "internal error: %v", p)
		}
	}()
	if err := s.guard.check(r); err != nil {
		if s.options.Page != nil {
			w.Header().Set("WWW-Authenticate", `Basic realm="instruct", charset="UTF-8"`) // a browser asks for the key then
		}
		return err
	}
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	allowed := ""
	for _, x := range routes() {
		if x.path != r.URL.Path {
			continue
		}
		if x.method == method {
			return x.answer(s, w, r)
		}
		allowed = x.method
	}
	if allowed != "" {
		w.Header().Set("Allow", allowed)
		return refused(http.StatusMethodNotAllowed, "method_not_allowed", "%s takes %s, not %s", r.URL.Path, allowed,
			r.Method)
	}
	if s.options.Page != nil {
		s.options.Page.ServeHTTP(w, r)
		return nil
	}
	return refused(http.StatusNotFound, "unknown_url", "there is no %s here", r.URL.Path)
}

// body reads the whole of a request.
func (s *Server) body(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	c := http.NewResponseController(w)
	_ = c.SetReadDeadline(time.Now().Add(s.patience)) // not every test's writer has one
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.options.MaxBody))
	if err == nil { // else the rest of the body would be waited for, for ever, before anything is answered
		_ = c.SetReadDeadline(time.Time{})
	}
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, refused(http.StatusRequestEntityTooLarge, "request_too_large",
			"the request has more than %d bytes, which is the limit", s.options.MaxBody)
	case err != nil:
		return nil, refused(http.StatusBadRequest, "incomplete_request", "the request did not come whole: %v", err)
	}
	return body, nil
}
