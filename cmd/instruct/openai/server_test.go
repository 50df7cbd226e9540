package openai

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"instruct/model/kernel"
	"instruct/model/pretrained"
	"instruct/tokenizer"
	"instruct/tokenizer/chat"
)

const tinyConfig = `{"model_type":"qwen3","hidden_size":32,"num_hidden_layers":2,"num_attention_heads":4,` +
	`"num_key_value_heads":2,"head_dim":8,"intermediate_size":64,"max_position_embeddings":512,` +
	`"tie_word_embeddings":true,"rms_norm_eps":1e-5}`

// tiny makes a model from scratch with a tokenizer of bytes, whose weights are as far apart as those of a trained one.
func tiny(t testing.TB) *pretrained.Model { return tinyWith(t, "lessons") }

// tinyWith is tiny with a chat template, and tokens more.
func tinyWith(t testing.TB, template string, more ...string) *pretrained.Model {
	t.Helper()
	tok := tokenizer.Bytes(append(chat.LessonsTokens(), more...)...)
	if err := tok.SetSpecial(tokenizer.Special{EOS: chat.LessonsTokens()[0]}); err != nil {
		t.Fatal(err)
	}
	m, err := pretrained.Make(pretrained.Scratch{Path: "some/tiny", Config: []byte(tinyConfig), Tokenizer: tok,
		ChatTemplate: template, Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.ReadWeights(kernel.F32); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	for _, x := range m.Tensors() {
		if len(x.Shape) == 2 {
			for i := range x.Data {
				x.Data[i] *= 8
			}
		}
	}
	return m
}

// newServer starts the scheduler of a server; change may change its options.
func newServer(t testing.TB, change func(o *Options)) *Server { return serverOf(t, tiny(t), change) }

func serverOf(t testing.TB, m *pretrained.Model, change func(o *Options)) *Server {
	t.Helper()
	o := DefaultOptions()
	o.Host, o.Concurrent = "127.0.0.1:80", 4
	if change != nil {
		change(&o)
	}
	pool := kernel.NewPool(2)
	t.Cleanup(pool.Close)
	s, err := New(m, pool, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		s.scheduler.run(ctx)
		close(done)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return s
}

// ask sends a request and gives status and body.
func ask(s *Server, method, path, body string, change ...func(r *http.Request)) (int, []byte) {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Host = "localhost:80"
	for _, f := range change {
		f(r)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Code, w.Body.Bytes()
}

// post sends a request that must be answered, and reads the answer.
func post[T any](t testing.TB, s *Server, path, body string) T {
	t.Helper()
	status, text := ask(s, "POST", path, body)
	var v T
	if err := json.Unmarshal(text, &v); status != 200 || err != nil {
		t.Fatalf("%s %s: status %d, %s", path, body, status, text)
	}
	return v
}

type (
	completionReply = reply[completion]
	chatReply       = reply[chatChoice]
)

// events reads the events of a stream, up to its end.
func events[T any](t testing.TB, body []byte) (list []T) {
	t.Helper()
	lines := bufio.NewScanner(bytes.NewReader(body))
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		if data == "[DONE]" {
			return list
		}
		var v T
		if err := json.Unmarshal([]byte(data), &v); err != nil {
			t.Fatalf("%v: %s", err, data)
		}
		list = append(list, v)
	}
	t.Fatalf("the stream has no end: %s", body)
	return nil
}

func TestRoutes(t *testing.T) {
	s := newServer(t, nil)
	for _, x := range []struct {
		method, path, body string
		status             int
		has                string
	}{
		{"GET", "/health", "", 200, `"ok"`},
		{"HEAD", "/health", "", 200, ``},
		{"GET", "/v1/models", "", 200, `"id":"tiny"`},
		{"GET", "/props", "", 200, `"n_ctx":512`},
		{"GET", "/tokenizer_info", "", 200, `"eos_token":"<`},
		{"POST", "/tokenize", `{"prompt":"hi"}`, 200, `{"tokens":[104,105],"count":2,`},
		{"POST", "/tokenize", `{"content":""}`, 200, `{"tokens":[],"count":0,`},
		{"POST", "/tokenize", `{}`, 400, `prompt`},
		{"POST", "/detokenize", `{"tokens":[104,105]}`, 200, `{"prompt":"hi","content":"hi"}`},
		{"POST", "/detokenize", `{"tokens":[100000]}`, 400, `vocabulary`},
		{"GET", "/v1/completions", "", 405, `takes POST`},
		{"GET", "/nothing", "", 404, `there is no`},
		{"GET", "/metrics", "", 200, `instruct_requests_total{path="/health",code="200"} 2`},
	} {
		status, body := ask(s, x.method, x.path, x.body)
		if status != x.status || !strings.Contains(string(body), x.has) {
			t.Errorf("%s %s: status %d, %s; want %d with %s", x.method, x.path, status, body, x.status, x.has)
		}
	}
}

func TestTemplateIsPlainJinja(t *testing.T) {
	got := plainTemplate("{%- generation -%}a{% endgeneration %}{% if x %}")
	if want := "{#- -#}a{# #}{% if x %}"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestWhoMayAsk: pages of other origins, other names of this machine and clients without the key are refused.
func TestWhoMayAsk(t *testing.T) {
	local := newServer(t, nil)
	open := newServer(t, func(o *Options) { o.Host, o.Key = "0.0.0.0:80", "secret" })
	header := func(key, value string) func(r *http.Request) {
		return func(r *http.Request) { r.Header.Set(key, value) }
	}
	host := func(h string) func(r *http.Request) { return func(r *http.Request) { r.Host = h } }
	for name, x := range map[string]struct {
		server *Server
		change func(r *http.Request)
		status int
	}{
		"localhost":         {local, host("localhost:8080"), 200},
		"by its number":     {local, host("127.0.0.1"), 200},
		"in six":            {local, host("[::1]:8080"), 200},
		"rebound name":      {local, host("evil.example:8080"), 403},
		"no host":           {local, host(""), 403},
		"own page":          {local, header("Origin", "http://localhost:80"), 200},
		"other page":        {local, header("Origin", "http://evil.example"), 403},
		"other port's page": {local, header("Origin", "http://localhost:81"), 403},
		"file":              {local, header("Origin", "null"), 403},
		"no key":            {open, host("gpu.example"), 401},
		"wrong key":         {open, header("Authorization", "Bearer no"), 401},
		"key":               {open, header("Authorization", "Bearer secret"), 200},
	} {
		if status, body := ask(x.server, "GET", "/v1/models", "", x.change); status != x.status {
			t.Errorf("%s: status %d, want %d: %s", name, status, x.status, body)
		}
	}
	if status, _ := ask(open, "GET", "/health", ""); status != 200 {
		t.Errorf("/health without a key: status %d", status)
	}
	for addr, want := range map[string]bool{"127.0.0.1:1": true, "localhost:1": true, "[::1]:1": true, ":1": false,
		"0.0.0.0:1": false, "192.168.1.2:1": false, "example.org:1": false} {
		if IsLoopback(addr) != want {
			t.Errorf("%s: loopback is %v", addr, !want)
		}
	}
}

// TestLimits: what is too much is refused with a status and a reason, and the server goes on.
func TestLimits(t *testing.T) {
	s := newServer(t, func(o *Options) { o.MaxBody, o.MaxLength = 60000, 100 })
	many := `{"prompt":[` + strings.Repeat(`"a",`, 10000) + `"a"],"max_tokens":1}`
	for name, x := range map[string]struct {
		body   string
		status int
		code   string
	}{
		"bytes":         {`{"prompt":"` + strings.Repeat("x", 70000) + `"}`, 413, "request_too_large"},
		"prompts":       {many, 400, "invalid_value"},
		"answers":       {`{"prompt":["a","b"],"n":600}`, 400, "invalid_value"},
		"prompt length": {`{"prompt":"` + strings.Repeat("x", 100) + `"}`, 400, "context_length_exceeded"},
		"garbage":       {"\x00\xff garbage", 400, "invalid_json"},
		"list":          {"[1]", 400, "invalid_json"},
		"behind":        {`{"prompt":"a"}x`, 400, "invalid_json"},
		"nothing":       {"", 400, "invalid_json"},
		"other model":   {`{"prompt":"a","model":"gpt-4"}`, 404, "model_not_found"},
	} {
		status, body := ask(s, "POST", "/v1/completions", x.body)
		var e struct {
			Error struct{ Message, Type, Code string }
		}
		if err := json.Unmarshal(body, &e); err != nil || status != x.status || e.Error.Code != x.code ||
			e.Error.Message == "" || e.Error.Type != kindInvalid {
			t.Errorf("%s: status %d, %s; want %d, %s", name, status, body, x.status, x.code)
		}
	}
	long := `{"prompt":"` + strings.Repeat("x", 90) + `","max_tokens":400,"logit_bias":{"97":100}}`
	a := post[completionReply](t, s, "/v1/completions", long)
	if got := a.Choices[0]; a.Usage.CompletionTokens != 10 || *got.FinishReason != "length" || got.Text != "aaaaaaaaaa" {
		t.Errorf("an answer that reaches the end: %+v, %+v", got, a.Usage)
	}
}

// TestQueueAndTime: more requests than the queue takes are refused, and those that take too long end.
func TestQueueAndTime(t *testing.T) {
	s := newServer(t, func(o *Options) { o.Queue, o.Timeout = 1, 50*time.Millisecond })
	s.open.Add(1)
	if status, body := ask(s, "POST", "/v1/completions", `{"prompt":"a"}`); status != 503 ||
		!strings.Contains(string(body), "overloaded") {
		t.Errorf("status %d, %s", status, body)
	}
	s.open.Add(-1)
	s.options.Timeout = time.Nanosecond
	if status, body := ask(s, "POST", "/v1/completions", `{"prompt":"a"}`); status != 504 ||
		!strings.Contains(string(body), "timeout") {
		t.Errorf("status %d, %s", status, body)
	}
	s.options.Timeout = time.Minute
	post[completionReply](t, s, "/v1/completions", `{"prompt":"a"}`)
}

// TestClientGoesAway: its request ends, and makes room.
func TestClientGoesAway(t *testing.T) {
	s := newServer(t, func(o *Options) { o.Concurrent = 1 })
	web := httptest.NewServer(s)
	defer web.Close()
	ctx, cancel := context.WithCancel(t.Context())
	answer := stream(ctx, t, web.URL, 500)
	cancel()
	answer.Close()
	a := post[completionReply](t, s, "/v1/completions", `{"prompt":"b","max_tokens":3,"logit_bias":{"99":100}}`)
	if a.Choices[0].Text != "ccc" {
		t.Errorf("%+v", a.Choices[0])
	}
	if running, waiting := s.scheduler.count(); running+waiting != 0 {
		t.Errorf("%d answers running, %d waiting", running, waiting)
	}
}

// stream asks for an answer of so many tokens and waits for its beginning.
func stream(ctx context.Context, t *testing.T, url string, tokens int) io.ReadCloser {
	t.Helper()
	body := fmt.Sprintf(`{"prompt":"a","max_tokens":%d,"stream":true,"logit_bias":{"98":100}}`, tokens)
	r, err := http.NewRequestWithContext(ctx, "POST", url+"/v1/completions", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if kind := answer.Header.Get("Content-Type"); kind != "text/event-stream" {
		t.Fatal(kind)
	}
	if _, err := io.ReadFull(answer.Body, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	return answer.Body
}

// TestStop: a server that is stopped ends what it has begun, unless that takes too long: then the client is told.
func TestStop(t *testing.T) {
	for name, x := range map[string]struct {
		grace time.Duration
		end   string
	}{"in time": {time.Minute, "[DONE]"}, "too late": {0, "the server is being stopped"}} {
		pool := kernel.NewPool(1)
		defer pool.Close()
		o := DefaultOptions()
		o.Host, o.Grace = "127.0.0.1", x.grace
		s, err := New(tiny(t), pool, o)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.Serve(ctx, l) }()
		answer := stream(t.Context(), t, "http://"+l.Addr().String(), 500)
		cancel()
		text, err := io.ReadAll(answer)
		if err != nil || !strings.Contains(string(text), x.end) {
			t.Errorf("%s: %v, %q", name, err, text[max(0, len(text)-200):])
		}
		if err := <-ended; err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
