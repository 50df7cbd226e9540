package openai

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestBadClients: one that sends too much, stalls, sends no HTTP or goes away in the middle is told, or left, and the
// server answers the next one.
func TestBadClients(t *testing.T) {
	one := func(o *Options) { o.Concurrent = 1 }
	s, impatient := newServer(t, one), newServer(t, one)
	impatient.patience = 200 * time.Millisecond
	web, stalled := httptest.NewServer(s), httptest.NewServer(impatient)
	defer web.Close()
	defer stalled.Close()
	head := "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s"
	for name, x := range map[string]struct{ sent, want string }{
		"100 MB":  {fmt.Sprintf(head, 100<<20, strings.Repeat("x", 9<<20)), "413 Request Entity Too Large"},
		"a stall": {fmt.Sprintf(head, 100, `{"prompt":`), "400 Bad Request"},
		"no HTTP": {"\x16\x03\x01 hello\r\n\r\n", "400 Bad Request"},
		"no JSON": {fmt.Sprintf(head, 4, "\xff\x00{["), "400 Bad Request"},
		"gone":    {fmt.Sprintf(head, 100, `{"prompt":`), ""},
	} {
		address := web.Listener.Addr()
		if name == "a stall" {
			address = stalled.Listener.Addr()
		}
		c, err := net.Dial("tcp", address.String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, x.sent); err != nil && x.want == "" {
			t.Errorf("%s: %v", name, err)
		}
		if x.want != "" {
			answer := make([]byte, 1000)
			n, _ := io.ReadAtLeast(c, answer, len("HTTP/1.1 ")+len(x.want))
			if !strings.Contains(string(answer[:n]), x.want) {
				t.Errorf("%s: %q", name, answer[:n])
			}
		}
		c.Close()
	}
	for _, s := range []*Server{s, impatient} {
		post[completionReply](t, s, "/v1/completions", `{"prompt":"a","max_tokens":2}`)
	}
}

// pipes is a listener whose connections hold nothing: what a client does not take blocks the server.
type pipes struct {
	conns chan net.Conn
	end   chan struct{}
	once  sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.end:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.end) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// TestClientTakesNothing: a client that reads nothing of its answer is left, and its answer is not made any further.
func TestClientTakesNothing(t *testing.T) {
	s := newServer(t, func(o *Options) { o.Concurrent = 1 })
	s.patience = 50 * time.Millisecond
	l := &pipes{conns: make(chan net.Conn), end: make(chan struct{})}
	h := &http.Server{Handler: s}
	ended := make(chan error, 1)
	go func() { ended <- h.Serve(l) }()
	client, server := net.Pipe()
	defer client.Close()
	l.conns <- server
	body := `{"prompt":"a","max_tokens":500,"stream":true,"logit_bias":{"98":100}}`
	if _, err := fmt.Fprintf(client, "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: %"+
		"d\r\n\r\n%s", len(body),
		body); err != nil {
		t.Fatal(err)
	}
	a := post[completionReply](t, s, "/v1/completions", `{"prompt":"b","max_tokens":3,"logit_bias":{"99":100}}`)
	if a.Choices[0].Text != "ccc" {
		t.Errorf("%+v", a.Choices[0])
	}
	if err := h.Shutdown(context.Background()); err != nil { // waits until the connection was left
		t.Error(err)
	}
	if err := <-ended; err != http.ErrServerClosed {
		t.Error(err)
	}
	if running, waiting := s.scheduler.count(); running+waiting != 0 {
		t.Errorf("%d answers running, %d waiting", running, waiting)
	}
}
