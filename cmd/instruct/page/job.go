package page

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"sync"
	"time"
)

// job is a command of the program that runs beside the server: a round, an evaluation, or a search for rows.
type job struct {
	kind    string
	started time.Time
	cancel  context.CancelFunc
	ended   chan struct{}

	mu      sync.Mutex
	lines   []string
	rest    []byte // of a line that has not ended
	seconds float64
	code    int
	running bool
}

const (
	mostLines = 400     // of a job that are kept
	mostRest  = 1 << 16 // bytes of a line
)

// Write takes what the command says, line by line; a line that is written over itself ends with a carriage return.
func (j *job) Write(text []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.rest = append(j.rest, text...)
	for {
		i := bytes.IndexAny(j.rest, "\r\n")
		if i < 0 {
			break
		}
		if line := bytes.TrimRight(j.rest[:i], " "); len(line) > 0 {
			j.lines = append(j.lines, string(line))
		}
		j.rest = j.rest[i+1:]
	}
	if len(j.rest) > mostRest {
		j.rest = nil
	}
	if n := len(j.lines) - mostLines; n > 0 {
		j.lines = append([]string(nil), j.lines[n:]...)
	}
	return len(text), nil
}

// jobState is a job for the page.
type jobState struct {
	Kind    string   `json:"kind"`
	Running bool     `json:"running"`
	Seconds float64  `json:"seconds"`
	Code    int      `json:"code"` // exit code of the command, once it has ended
	Lines   []string `json:"lines"`
	Done    int      `json:"done"` // of so many things; of 0 where nothing is counted
	Of      int      `json:"of"`
}

var counted = regexp.MustCompile(`\b(\d+) of (\d+) done`)

func (j *job) state() jobState {
	j.mu.Lock()
	defer j.mu.Unlock()
	s := jobState{Kind: j.kind, Running: j.running, Seconds: j.seconds, Code: j.code,
		Lines: append([]string{}, j.lines...)}
	if !s.Running {
		return s
	}
	s.Seconds = time.Since(j.started).Seconds()
	if n := len(s.Lines); n > 0 {
		if m := counted.FindStringSubmatch(s.Lines[n-1]); m != nil {
			s.Done, _ = strconv.Atoi(m[1])
			s.Of, _ = strconv.Atoi(m[2])
		}
	}
	return s
}

// jobs is the last job; there is one at a time.
type jobs struct {
	mu     sync.Mutex
	last   *job
	closed bool
}

// start runs a command; after is told its exit code when it has ended.
func (p *Page) start(kind string, args []string, after func(code int)) error {
	p.jobs.mu.Lock()
	defer p.jobs.mu.Unlock()
	if j := p.jobs.last; j != nil && j.state().Running {
		return failed(http.StatusConflict, "%s is at work; wait for its end, or stop it", j.kind)
	}
	if p.jobs.closed {
		return failed(http.StatusServiceUnavailable, "the server is being stopped")
	}
	ctx, cancel := context.WithCancel(context.Background())
	j := &job{kind: kind, started: time.Now(), cancel: cancel, ended: make(chan struct{}), running: true}
	p.jobs.last = j
	go func() {
		defer close(j.ended)
		defer cancel()
		code := p.options.Run(ctx, args, j)
		after(code)
		fmt.Fprintln(j)
		j.mu.Lock()
		defer j.mu.Unlock()
		j.running, j.code, j.seconds = false, code, time.Since(j.started).Seconds()
	}()
	return nil
}

// close ends the job that runs; no other one begins.
func (s *jobs) close() {
	s.mu.Lock()
	s.closed = true
	j := s.last
	s.mu.Unlock()
	if j != nil {
		j.cancel()
		<-j.ended
	}
}

// showJob says how far the last job is; null where there was none.
func (p *Page) showJob(w http.ResponseWriter, _ *http.Request) error {
	p.jobs.mu.Lock()
	j := p.jobs.last
	p.jobs.mu.Unlock()
	if j == nil {
		return reply(w, nil)
	}
	return reply(w, j.state())
}

// stopJob lets the job end as a signal does.
func (p *Page) stopJob(w http.ResponseWriter, r *http.Request) error {
	p.jobs.mu.Lock()
	j := p.jobs.last
	p.jobs.mu.Unlock()
	if j != nil {
		j.cancel()
	}
	return p.showJob(w, r)
}
